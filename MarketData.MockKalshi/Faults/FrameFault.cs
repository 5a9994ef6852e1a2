using MarketData.Domain.Frames;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Faults;

/// <summary>A text frame about to leave, and what scopes ask about it.</summary>
internal readonly ref struct OutgoingFrame
{
    public required ReadOnlySpan<byte> Text { get; init; }
    public required string Type { get; init; }

    /// <summary>Null for frames of no channel, such as the answer to <c>list_subscriptions</c>.</summary>
    public FeedChannel? Channel { get; init; }

    /// <summary>0 when the frame belongs to no subscription.</summary>
    public long Sid { get; init; }

    /// <summary>Carries <c>seq</c>.</summary>
    public bool Sequenced { get; init; }

    public ReadOnlySpan<byte> Ticker { get; init; }

    /// <summary>Counts against the client's stream buffer, which has room for it.</summary>
    public bool Live { get; init; }

    /// <summary>Where it would go.</summary>
    public required OutboundQueue Queue { get; init; }

    public static OutgoingFrame Of(Session session, string type, ReadOnlySpan<byte> text, bool live)
    {
        // A frame that cannot be read has neither sid nor market: scopes pass it by, the rest may still take it.
        if (!ExchangeFrame.TryParse(text, out var frame, out _))
            return new OutgoingFrame { Text = text, Type = type, Live = live, Queue = session.Outbound };
        var channel = FeedChannel.CarrierOf(type) ?? session.Subscriptions.FirstOrDefault(open => open.Sid == frame.Sid)?.Channel;
        return new OutgoingFrame
        {
            Text = text,
            Type = type,
            Channel = channel,
            Sid = frame.Sid,
            Sequenced = frame.Seq is not null,
            Ticker = frame.Ticker.Of(text),
            Live = live,
            Queue = session.Outbound,
        };
    }
}

/// <summary>
/// What happens to a text frame on its way out. The exchange's own state is untouched: the frame was composed, and its number taken,
/// before.
/// </summary>
internal abstract class FrameFault : Fault
{
    private readonly ConnectionScope _connection;
    private readonly FeedChannel? _channel;
    private readonly string? _type;
    private readonly byte[]? _market;

    protected FrameFault(FaultFields fields, int mostCount = int.MaxValue)
        : base(fields, otherwiseCount: 1, mostCount)
    {
        _connection = new ConnectionScope(fields);
        _channel = Scopes.Channel(fields);
        _type = fields.Text("type");
        _market = fields.Text("market") is { } ticker ? System.Text.Encoding.UTF8.GetBytes(ticker) : null;
    }

    /// <summary>The frame is one of the fault's occasions.</summary>
    public bool Concerns(in OutgoingFrame frame, int connection) =>
        _connection.Contains(connection)
        && (_channel is null || _channel == frame.Channel)
        && (_type is null || _type == frame.Type)
        && (_market is null || frame.Ticker.SequenceEqual(_market))
        && CanDamage(frame);

    /// <summary>Sends, in the frame's place, what this kind makes of it.</summary>
    public abstract void Damage(in OutgoingFrame frame, ConnectionFaults connection);

    /// <summary>Whether the kind has anything to do to such a frame.</summary>
    protected virtual bool CanDamage(in OutgoingFrame frame) => true;
}
