using System.Buffers;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace MarketData.Gateway.Clients;

/// <summary>
/// Takes a client's bytes without ever blocking. Belongs to the client's worker, but for the end of a write that was under way.
/// </summary>
public abstract class ClientTransport
{
    private volatile bool _isBusy;
    private volatile string? _problem;

    /// <summary>Called, on any thread, when the transport is not busy any more.</summary>
    public Action? Ready { get; set; }

    /// <summary>Whether a write is under way: nothing may be written before its end.</summary>
    public bool IsBusy => _isBusy;

    /// <summary>Why nothing can be written any more; null while it can.</summary>
    public string? Problem => _problem;

    /// <summary>Takes bytes from the front and returns how many; it may be busy afterwards, and is if it took less than all.</summary>
    public abstract int Write(ReadOnlySpan<byte> bytes);

    /// <summary>The connection itself, for <see cref="SocketTransport.TrySend"/>; null where that cannot be used.</summary>
    public virtual SafeHandle? Connection => null;

    protected void Break(Exception reason) => _problem = reason.Message;

    /// <summary>Waits for the end of a write without holding up the caller.</summary>
    protected void Await(ValueTask write)
    {
        if (write.IsCompletedSuccessfully)
        {
            // The source of a ValueTask is free again once its result has been taken.
            write.GetAwaiter().GetResult();
            return;
        }

        _isBusy = true;
        _ = FinishAsync(write);
    }

    private async Task FinishAsync(ValueTask write)
    {
        try
        {
            await write.ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // What connections throw when they are cut.
            Break(exception);
        }

        _isBusy = false;
        Ready?.Invoke();
    }
}

/// <summary>
/// Writes to the connection's socket itself: what the kernel takes at once goes from the shared bytes into its buffer. What it has no room
/// for waits in the client's queue, and the next few bytes of it in an asynchronous send, whose end tells that there is room again.
/// </summary>
public sealed partial class SocketTransport : ClientTransport
{
    private const int WaitingBytes = 512, DontWait = 0x40, NoSignal = 0x4000;
    private readonly Socket _socket;
    private byte[]? _waiting;

    public SocketTransport(Socket socket)
    {
        _socket = socket;
        try
        {
            _socket.Blocking = false;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The client has gone already.
            Break(exception);
        }
    }

    public override SafeHandle? Connection => OperatingSystem.IsLinux() ? _socket.SafeHandle : null;

    /// <summary>
    /// Hands the kernel what it takes at once, without the transport and the socket, whose objects would each have to be fetched from memory:
    /// that is a tenth of the time of a send to one of ten thousand clients. Returns how much it took, which is nothing after an error, and a
    /// write then meets the error again. The transport must not be busy.
    /// </summary>
    public static int TrySend(SafeHandle connection, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Math.Max(0, (int)Send(connection, bytes, bytes.Length, DontWait | NoSignal));
        }
        catch (ObjectDisposedException)
        {
            return 0;
        }
    }

    public override int Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            int sent = _socket.Send(bytes, SocketFlags.None, out var error);
            if (error is not (SocketError.Success or SocketError.WouldBlock)) throw new SocketException((int)error);
            if (error == SocketError.WouldBlock) sent = 0;
            return sent == bytes.Length ? sent : sent + Wait(bytes[sent..]);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            Break(exception);
            return 0;
        }
    }

    [LibraryImport("libc", EntryPoint = "send")]
    private static partial nint Send(SafeHandle connection, ReadOnlySpan<byte> bytes, nint length, int flags);

    private int Wait(ReadOnlySpan<byte> rest)
    {
        int length = Math.Min(rest.Length, WaitingBytes);
        _waiting ??= new byte[WaitingBytes];
        rest[..length].CopyTo(_waiting);
        Await(SendAsync(_waiting.AsMemory(0, length)));
        return length;
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> rest)
    {
        while (rest.Length > 0) rest = rest[await _socket.SendAsync(rest, SocketFlags.None).ConfigureAwait(false)..];
    }
}

/// <summary>
/// Writes through the server's own stream: TLS, HTTP/2, and whatever else is no plain socket. A write holds a copy of its bytes until the
/// stream has taken them.
/// </summary>
public sealed class StreamTransport(Stream stream) : ClientTransport
{
    private const int MaxWrite = 64 << 10;

    public override int Write(ReadOnlySpan<byte> bytes)
    {
        int length = Math.Min(bytes.Length, MaxWrite);
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        bytes[..length].CopyTo(buffer);
        Await(WriteAsync(buffer, length));
        return length;
    }

    private async ValueTask WriteAsync(byte[] buffer, int length)
    {
        try
        {
            await stream.WriteAsync(buffer.AsMemory(0, length)).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
