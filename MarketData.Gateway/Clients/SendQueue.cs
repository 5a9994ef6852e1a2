using System.Threading.Channels;

namespace MarketData.Gateway.Clients;

/// <summary>
/// What waits for one client, bounded in bytes. The feed adds, the client's send loop takes; the messages themselves are shared with
/// other clients.
/// </summary>
public sealed class SendQueue(int maxBytes)
{
    // The bound is in bytes and checked before each write.
    private readonly Channel<ReadOnlyMemory<byte>> _messages = Channel.CreateUnbounded<ReadOnlyMemory<byte>>(new UnboundedChannelOptions { SingleReader = true });
    private long _pending;

    /// <summary>Bytes that wait or are being sent.</summary>
    public long PendingBytes => Volatile.Read(ref _pending);

    /// <summary>Whether so much has been sent that conflated state fits again.</summary>
    public bool IsDrained => PendingBytes <= maxBytes / 2;

    public ChannelReader<ReadOnlyMemory<byte>> Messages => _messages.Reader;

    /// <summary>
    /// Adds a message; false when the bound is reached or the queue complete. A message larger than the bound passes when nothing waits.
    /// </summary>
    public bool TryAdd(ReadOnlyMemory<byte> message)
    {
        long pending = PendingBytes;
        if (pending > 0 && pending + message.Length > maxBytes) return false;
        Interlocked.Add(ref _pending, message.Length);
        return _messages.Writer.TryWrite(message);
    }

    /// <summary>Call when a message has been handed to the connection.</summary>
    public void Sent(int bytes) => Interlocked.Add(ref _pending, -bytes);

    /// <summary>Takes no more messages.</summary>
    public void Complete() => _messages.Writer.TryComplete();
}
