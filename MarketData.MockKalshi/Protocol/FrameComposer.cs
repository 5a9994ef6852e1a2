namespace MarketData.MockKalshi.Protocol;

/// <summary>
/// Composes whole frames (protocol reference, section 1.5). A frame that carries <c>seq</c> takes its subscription's next number when
/// it is composed. The result is valid until the next call. Not thread-safe.
/// </summary>
internal class FrameComposer
{
    private readonly FrameText _frame = new();

    public ReadOnlySpan<byte> Subscribed(long? id, Subscription subscription) =>
        Begin(id, "subscribed").Raw(",\"msg\":{\"channel\":"u8).String(subscription.Channel.Name)
            .Raw(",\"sid\":"u8).Number(subscription.Sid).Raw("}}"u8).Written;

    /// <summary>The ack of a change, with the whole list of markets or indexes unless the subscription leaves it out.</summary>
    public ReadOnlySpan<byte> Ok(long? id, Subscription subscription)
    {
        Number(Begin(id, "ok"), subscription).Raw(",\"msg\":{"u8);
        if (!subscription.SkipTickerAck)
        {
            if (subscription.Tickers is { } tickers) List("market_tickers", tickers);
            else if (subscription.Indexes is { } indexes) List(subscription.Channel.Indexes!.Key, indexes);
        }

        return _frame.Raw("}}"u8).Written;
    }

    /// <summary>The answer to <c>indexlist</c> and <c>underlying_list</c>: empty, since no index has a value here.</summary>
    public ReadOnlySpan<byte> IndexList(long? id, string type, Subscription subscription)
    {
        Number(Begin(id, type), subscription).Raw(",\"msg\":{"u8);
        List(subscription.Channel.Indexes!.Key, []);
        return _frame.Raw("}}"u8).Written;
    }

    public ReadOnlySpan<byte> Unsubscribed(long? id, Subscription subscription) =>
        Number(Begin(id, "unsubscribed"), subscription).Raw((byte)'}').Written;

    /// <summary>The answer to <c>list_subscriptions</c>: <c>msg</c> is an array.</summary>
    public ReadOnlySpan<byte> Listing(long? id, IReadOnlyList<Subscription> subscriptions)
    {
        Begin(id, "ok").Raw(",\"msg\":["u8);
        for (int i = 0; i < subscriptions.Count; i++)
        {
            _frame.Raw(i == 0 ? "{\"channel\":"u8 : ",{\"channel\":"u8).String(subscriptions[i].Channel.Name);
            _frame.Raw(",\"sid\":"u8).Number(subscriptions[i].Sid).Raw((byte)'}');
        }

        return _frame.Raw("]}"u8).Written;
    }

    /// <param name="id">The command that it answers.</param>
    /// <param name="code">What is wrong.</param>
    /// <param name="subscription">Set when the error concerns a subscription rather than a command.</param>
    public ReadOnlySpan<byte> Error(long? id, ErrorCode code, Subscription? subscription)
    {
        Begin(id, "error");
        if (subscription is { Channel.Sequenced: true }) Number(_frame, subscription);
        else if (subscription is not null) _frame.Raw(",\"sid\":"u8).Number(subscription.Sid);
        return _frame.Raw(",\"msg\":{\"code\":"u8).Number((int)code).Raw(",\"msg\":"u8).String(code.Text()).Raw("}}"u8).Written;
    }

    /// <param name="subscription">Whose sid it carries, and on sequenced channels whose next number.</param>
    /// <param name="type">The frame's type.</param>
    /// <param name="message">The value of <c>msg</c>.</param>
    /// <param name="commandId">Set on the answer to <c>get_snapshot</c>.</param>
    public virtual ReadOnlySpan<byte> Data(Subscription subscription, string type, ReadOnlySpan<byte> message, long? commandId)
    {
        Begin(commandId, type);
        if (subscription.Channel.Sequenced) Number(_frame, subscription);
        else _frame.Raw(",\"sid\":"u8).Number(subscription.Sid);
        return _frame.Raw(",\"msg\":"u8).Raw(message).Raw((byte)'}').Written;
    }

    private void List(string key, IReadOnlyCollection<string> names)
    {
        _frame.String(key).Raw(":["u8);
        bool first = true;
        foreach (string name in names)
        {
            if (!first) _frame.Raw((byte)',');
            _frame.String(name);
            first = false;
        }

        _frame.Raw((byte)']');
    }

    private FrameText Begin(long? id, string type)
    {
        _frame.Clear().Raw((byte)'{');
        if (id is { } commandId) _frame.Raw("\"id\":"u8).Number(commandId).Raw((byte)',');
        return _frame.Raw("\"type\":"u8).String(type);
    }

    private static FrameText Number(FrameText frame, Subscription subscription) =>
        frame.Raw(",\"sid\":"u8).Number(subscription.Sid).Raw(",\"seq\":"u8).Number(subscription.NextSeq());
}
