namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary>
/// <c>delay-ack</c>: a command is executed late, so its acknowledgement comes late and takes the number that is then next; data frames
/// go on. Later commands wait behind it.
/// </summary>
internal sealed class DelayAckFault(FaultFields fields) : Fault(fields, otherwiseCount: 1)
{
    private readonly ConnectionScope _connection = new(fields);

    public TimeSpan Delay { get; } = TimeSpan.FromMilliseconds(fields.Number("milliseconds", 1000, 1, 600_000));

    public bool Concerns(int connection) => _connection.Contains(connection);
}
