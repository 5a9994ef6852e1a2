using MarketData.MockKalshi.Faults.Kinds;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Faults;

/// <summary>Every kind of fault by its name.</summary>
internal static class FaultCatalog
{
    private const string RestPath = "/trade-api/v2";

    private static readonly SortedDictionary<string, Func<FaultFields, Fault>> Kinds = new(StringComparer.Ordinal)
    {
        ["delay-ack"] = fields => new DelayAckFault(fields),
        ["drop"] = fields => new DropFault(fields),
        ["duplicate"] = fields => new DuplicateFault(fields),
        ["error"] = Error,
        ["handshake-status"] = fields => new StatusFault(fields, WebSocketEndpoint.Path),
        ["hide-market"] = fields => new HideMarketFault(fields),
        ["huge"] = fields => new HugeFault(fields),
        ["malformed"] = fields => new MalformedFault(fields),
        ["negative-level"] = fields => new NegativeLevelFault(fields),
        ["newline"] = fields => new NewlineFault(fields),
        ["reorder"] = fields => new ReorderFault(fields),
        ["rest-status"] = fields => new StatusFault(fields, RestPathOf(fields)),
        ["skip"] = fields => new SkipFault(fields),
        ["slow-rest"] = fields => new SlowRestFault(fields, RestPathOf(fields)),
        ["split"] = fields => new SplitFault(fields),
        ["stop-pinging"] = fields => new StopPingingFault(fields),
        ["stop-reading"] = fields => new StopReadingFault(fields),
    };

    /// <param name="description">JSON or the short form; see <see cref="FaultFields"/>.</param>
    /// <exception cref="BadFaultException">It is no fault; the message names the field and what would be right.</exception>
    public static Fault Create(string description)
    {
        var fields = FaultFields.Parse(description);
        if (!Kinds.TryGetValue(fields.Kind, out var create))
            throw new BadFaultException($"field kind: must be one of {string.Join(", ", Kinds.Keys)}, but is {fields.Kind}");
        var fault = create(fields);
        fields.RefuseUnknown();
        return fault;
    }

    private static Fault Error(FaultFields fields) => fields.Choice("code", "25", "10", "26", "27") switch
    {
        "10" => new SubscriptionErrorFault(fields, ErrorCode.ChannelError),
        "25" => new SubscriptionErrorFault(fields, ErrorCode.BufferOverflow),
        "26" => new CommandErrorFault(fields, ErrorCode.MarketLimitExceeded),
        _ => new CommandErrorFault(fields, ErrorCode.TooManyRequests),
    };

    private static string RestPathOf(FaultFields fields)
    {
        string path = fields.Text("path") ?? RestPath;
        bool within = path == RestPath || (path.StartsWith(RestPath + "/", StringComparison.Ordinal) && !path.EndsWith('/'));
        if (within) return path;
        throw new BadFaultException($"field path: must be {RestPath} or a path below it without a slash at its end, but is {path}");
    }
}
