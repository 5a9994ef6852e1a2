using System.ComponentModel;
using System.Runtime.InteropServices;

namespace MarketData.Gateway.Fanout;

/// <summary>
/// Sends to many connections without waiting for any. Where the kernel has io_uring, all small sends are one system call: for a message of a
/// few hundred bytes the call itself is a large part of what a send costs. Others are a call each. For one thread at a time.
/// </summary>
public sealed partial class SendBatch : IDisposable
{
    /// <summary>Sends in one go.</summary>
    public const int Capacity = 128;

    /// <summary>
    /// Bytes of a send that goes together with others. A larger one costs much more than its call, and many of them in one call would keep a
    /// processor from everybody else for milliseconds.
    /// </summary>
    public const int MaxTogether = 4096;

    private const int DontWait = 0x40, NoSignal = 0x4000;
    private readonly IoUring? _ring;
    private readonly SafeHandle?[] _held = new SafeHandle?[Capacity];
    private readonly int[] _taken = new int[Capacity];
    private int _count;

    /// <param name="usesIoUring">Whether to ask the kernel for io_uring.</param>
    public SendBatch(bool usesIoUring)
    {
        if (!usesIoUring || !OperatingSystem.IsLinux()) return;
        try
        {
            _ring = IoUring.Open(Capacity);
        }
        catch (Win32Exception exception)
        {
            Refusal = exception.Message;
        }
    }

    /// <summary>Whether small sends are one system call.</summary>
    public bool HasIoUring => _ring != null;

    /// <summary>Why the kernel does not give io_uring; null when it does or was not asked.</summary>
    public string? Refusal { get; }

    /// <summary>Adds a send, at most <see cref="Capacity"/>; one that does not go together with others is tried at once.</summary>
    /// <param name="connection">The socket; nothing is sent when it is null.</param>
    /// <param name="bytes">In pinned memory.</param>
    public void Add(SafeHandle? connection, ReadOnlySpan<byte> bytes)
    {
        int number = _count++;
        _taken[number] = 0;
        if (connection == null || bytes.IsEmpty) return;
        try
        {
            if (_ring == null || bytes.Length > MaxTogether)
            {
                _taken[number] = (int)Send(connection, bytes, bytes.Length, DontWait | NoSignal);
                return;
            }

            bool isHeld = false;
            connection.DangerousAddRef(ref isHeld);
            _held[number] = connection;
            _ring.Push((int)connection.DangerousGetHandle(), bytes, DontWait | NoSignal, number);
        }
        catch (ObjectDisposedException)
        {
            // The connection has just been cut.
        }
    }

    /// <summary>Tries what has not been tried yet, and empties the batch.</summary>
    /// <returns>
    /// The bytes that each connection took, in the order of adding; valid until the next <see cref="Add"/>. After an error it is 0 or less,
    /// and a write of the connection's own meets the error again.
    /// </returns>
    public ReadOnlySpan<int> Complete()
    {
        var taken = _taken.AsSpan(0, _count);
        try
        {
            _ring?.Submit(taken);
        }
        finally
        {
            Release();
        }

        return taken;
    }

    public void Dispose()
    {
        Release();
        _ring?.Dispose();
    }

    // Whoever closes a connection waits for it.
    private void Release()
    {
        foreach (ref var connection in _held.AsSpan(0, _count))
        {
            connection?.DangerousRelease();
            connection = null;
        }

        _count = 0;
    }

    [LibraryImport("libc", EntryPoint = "send")]
    private static partial nint Send(SafeHandle connection, ReadOnlySpan<byte> bytes, nint length, int flags);
}
