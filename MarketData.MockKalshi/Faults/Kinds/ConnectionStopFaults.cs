namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary>
/// <c>stop-reading</c>: from a message on the server takes nothing more from the client, neither commands nor Pings nor Close, until the
/// fault is removed or its time is over.
/// </summary>
internal sealed class StopReadingFault(FaultFields fields) : Fault(fields, otherwiseCount: 1)
{
    private readonly ConnectionScope _connection = new(fields);
    private readonly TimeSpan _time = fields.Number("milliseconds", 0, 1, 3_600_000) is > 0 and var milliseconds
        ? TimeSpan.FromMilliseconds(milliseconds)
        : Timeout.InfiniteTimeSpan;

    public bool Concerns(int connection) => _connection.Contains(connection);

    public async Task UntilOverAsync(TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        try
        {
            await Removed.WaitAsync(_time, timeProvider, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Its time is over.
        }
    }
}

/// <summary><c>stop-pinging</c>: the server's Pings stay away, without end unless <c>count</c> says how many.</summary>
internal sealed class StopPingingFault(FaultFields fields) : Fault(fields, otherwiseCount: 0)
{
    private readonly ConnectionScope _connection = new(fields);

    public bool Concerns(int connection) => _connection.Contains(connection);
}
