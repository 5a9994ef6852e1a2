using System.ComponentModel;
using System.Runtime.InteropServices;

namespace MarketData.Gateway.Fanout;

/// <summary>
/// Sends to many connections without waiting for any. Where the kernel has io_uring, all of them are one system call: for a message of a
/// few hundred bytes the call itself is a large part of what a send costs. Elsewhere each is a call of its own. For one thread at a time.
/// </summary>
public sealed partial class SendBatch : IDisposable
{
    /// <summary>Sends in one go.</summary>
    public const int Capacity = 128;

    // A large send costs much more than its call, and a batch of them would keep a processor from everybody else for milliseconds.
    private const int MaxBatched = 4096;

    private const int DontWait = 0x40, NoSignal = 0x4000;
    private readonly IoUring? _ring;
    private readonly SafeHandle?[] _held = new SafeHandle?[Capacity];
    private readonly int[] _taken = new int[Capacity];
    private int _count;

    /// <param name="usesIoUring">Whether to ask the kernel for io_uring.</param>
    public SendBatch(bool usesIoUring)
    {
        if (!usesIoUring) return;
        try
        {
            _ring = IoUring.Open(Capacity);
        }
        catch (Exception exception) when (exception is Win32Exception or PlatformNotSupportedException or EntryPointNotFoundException)
        {
            Refusal = exception.Message;
        }
    }

    /// <summary>Whether a batch is one system call.</summary>
    public bool IsOneCall => _ring != null;

    /// <summary>Why the kernel does not give io_uring; null when it does or was not asked.</summary>
    public string? Refusal { get; }

    /// <summary>Adds a send, at most <see cref="Capacity"/>.</summary>
    /// <param name="connection">The socket; nothing is sent when it is null.</param>
    /// <param name="bytes">In pinned memory.</param>
    public void Add(SafeHandle? connection, ReadOnlySpan<byte> bytes)
    {
        int number = _count++;
        _taken[number] = 0;
        if (connection == null || bytes.IsEmpty) return;
        try
        {
            if (_ring == null || bytes.Length > MaxBatched)
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

    /// <summary>Tries what was added and empties the batch.</summary>
    /// <returns>
    /// The bytes that each connection took, in the order of adding; valid until the next <see cref="Add"/>. After an error it is 0 or less,
    /// and a write of the connection's own meets the error again.
    /// </returns>
    public ReadOnlySpan<int> Complete()
    {
        int count = _count;
        _count = 0;
        if (_ring != null)
        {
            _ring.Submit(_taken);
            for (int i = 0; i < count; i++)
            {
                _held[i]?.DangerousRelease();
                _held[i] = null;
            }
        }

        return _taken.AsSpan(0, count);
    }

    public void Dispose() => _ring?.Dispose();

    [LibraryImport("libc", EntryPoint = "send")]
    private static partial nint Send(SafeHandle connection, ReadOnlySpan<byte> bytes, nint length, int flags);
}
