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

    /// <summary>
    /// The socket itself, to send to without waiting while the transport is not busy: transport and socket are objects that would each have to
    /// be fetched from memory. Null where that is not possible.
    /// </summary>
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
public sealed class SocketTransport : ClientTransport
{
    private const int WaitingBytes = 512;
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
