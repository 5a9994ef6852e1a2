using System.Threading.Channels;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Clients;
using MarketData.Gateway.Fanout;

namespace MarketData.Gateway.Feed;

/// <summary>Something that the feed's loop reacts to.</summary>
public abstract record FeedEvent;

/// <summary>Messages in the order in which Redis sent them.</summary>
public sealed record RedisMessages(IReadOnlyList<byte[]> Values) : FeedEvent;

/// <summary>Redis has confirmed a subscription: messages published from now on arrive.</summary>
public sealed record RedisSubscribed(string Channel) : FeedEvent;

/// <summary>The Redis connection is lost, and messages with it.</summary>
public sealed record RedisLost : FeedEvent;

/// <summary>The answer to a request for a snapshot key.</summary>
/// <param name="Request">What was asked.</param>
/// <param name="Value">The envelope; null when the key is absent or could not be read.</param>
public sealed record SnapshotKeyRead(SnapshotKeyRequest Request, byte[]? Value) : FeedEvent;

/// <summary>The markets that have a snapshot key.</summary>
/// <param name="Listing">What was asked.</param>
/// <param name="Tickers">The markets; null when the keys could not be listed.</param>
public sealed record SnapshotKeysListed(int Listing, IReadOnlyList<string>? Tickers) : FeedEvent;

/// <summary>Past trades of a market, as the relay listed them: a trade may come twice.</summary>
/// <param name="Request">Who asked.</param>
/// <param name="Trades">Envelopes; none when they could not be read.</param>
public sealed record PastTradesRead(PastTradesRequest Request, IReadOnlyList<byte[]> Trades) : FeedEvent;

public sealed record ClientAsks(GatewayClient Client, ClientRequest Request) : FeedEvent;

/// <summary>A client's message is no request; the answer has its turn among the answers to its requests.</summary>
public sealed record ClientErred(GatewayClient Client, string Error) : FeedEvent;

/// <summary>A client has room for the latest of what was conflated for it.</summary>
/// <param name="Client">The client.</param>
/// <param name="States">What it asks for.</param>
/// <param name="Room">Bytes that it has room for.</param>
public sealed record ClientRefresh(GatewayClient Client, IReadOnlyList<ConflatedState> States, long Room) : FeedEvent;

/// <summary>A second has passed.</summary>
public sealed record FeedTick : FeedEvent;

/// <summary>The last event of a client but for requests that were under way, which are void.</summary>
public sealed record ClientGone(GatewayClient Client) : FeedEvent;

/// <summary>The bounded way into the feed's loop. A full inbox makes its writers wait, up to the Redis socket and the clients' sockets.</summary>
public sealed class FeedInbox
{
    private const int Capacity = 4096;
    private readonly Channel<FeedEvent> _events = Channel.CreateBounded<FeedEvent>(new BoundedChannelOptions(Capacity) { SingleReader = true });

    public ChannelReader<FeedEvent> Events => _events.Reader;

    /// <summary>Posts an event; waits while the inbox is full. Once the feed has ended, with the service, events go nowhere.</summary>
    public async ValueTask PostAsync(FeedEvent feedEvent, CancellationToken cancellationToken)
    {
        if (_events.Writer.TryWrite(feedEvent)) return;
        while (await _events.Writer.WaitToWriteAsync(cancellationToken))
        {
            if (_events.Writer.TryWrite(feedEvent)) return;
        }
    }

    /// <summary>Posts an event unless the inbox is full, for whoever must not wait for the feed.</summary>
    public bool TryPost(FeedEvent feedEvent) => _events.Writer.TryWrite(feedEvent);

    /// <summary>The feed has ended.</summary>
    public void Complete() => _events.Writer.TryComplete();
}
