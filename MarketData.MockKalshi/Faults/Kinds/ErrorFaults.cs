using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary><c>error</c> with code 10 or 25: instead of its next live frame a subscription gets the error, which ends it.</summary>
internal sealed class SubscriptionErrorFault(FaultFields fields, ErrorCode code) : Fault(fields, otherwiseCount: 1)
{
    private readonly ConnectionScope _connection = new(fields);
    private readonly FeedChannel? _channel = Scopes.Channel(fields);

    public ErrorCode Code { get; } = code;

    public bool Concerns(Subscription subscription, int connection) =>
        _connection.Contains(connection) && (_channel is null || _channel == subscription.Channel);
}

/// <summary><c>error</c> with code 26 or 27: a command about subscriptions gets the error and is not executed.</summary>
internal sealed class CommandErrorFault(FaultFields fields, ErrorCode code) : Fault(fields, otherwiseCount: 1)
{
    private readonly ConnectionScope _connection = new(fields);

    public ErrorCode Code { get; } = code;

    public bool Concerns(Command command, int connection) =>
        _connection.Contains(connection) && command is { Malformed: false, Cmd: "subscribe" or "update_subscription" };
}
