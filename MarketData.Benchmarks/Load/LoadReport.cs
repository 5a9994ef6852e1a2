using System.Globalization;
using System.Text;
using System.Text.Json;
using MarketData.ServiceDefaults.Metrics;

namespace MarketData.Benchmarks.Load;

/// <summary>What a load came to. Figures that nobody could know are null: those of a process that was not named, or counts while clients come and go.</summary>
/// <param name="Scenario">What was run.</param>
/// <param name="Clients">Connections.</param>
/// <param name="Rate">Messages a second that were to be published.</param>
/// <param name="Seconds">That were measured.</param>
/// <param name="ConnectsPerSecond">Until every client was subscribed.</param>
/// <param name="DeliveredPerSecond">Messages read by all clients together.</param>
/// <param name="ReceivedBytesPerSecond">Bytes read, with frame headers.</param>
/// <param name="LatencyMilliseconds">From publishing to a client's read.</param>
/// <param name="CalmLatencyMilliseconds">The same in as long a time before, without clients that leave and return.</param>
/// <param name="ServerMicrosecondsPerMessage">Processor time of the gateway for each delivered message.</param>
/// <param name="ServerCores">Processors that the gateway kept busy.</param>
/// <param name="ServerBytesPerClient">What the gateway's memory grew by while clients connected.</param>
/// <param name="ClientMicrosecondsPerMessage">Processor time of the client threads for each delivered message.</param>
/// <param name="Published">In the whole run.</param>
/// <param name="LeftOut">Messages that were due while Redis held the publisher up.</param>
/// <param name="Missing">Of what was published times clients, what had not come at the end: conflated, or lost.</param>
/// <param name="Returned">Clients that left and connected again.</param>
/// <param name="Ends">Ends of connections by close code and reason.</param>
/// <param name="Checked">Messages that checking clients looked at.</param>
/// <param name="Faults">Of those, what a client must never see.</param>
/// <param name="FirstFaults">Some of them.</param>
internal sealed record LoadReport(
    string Scenario,
    int Clients,
    int Rate,
    double Seconds,
    double ConnectsPerSecond,
    double DeliveredPerSecond,
    double ReceivedBytesPerSecond,
    LatencyQuantiles? LatencyMilliseconds,
    LatencyQuantiles? CalmLatencyMilliseconds,
    double? ServerMicrosecondsPerMessage,
    double? ServerCores,
    double? ServerBytesPerClient,
    double? ClientMicrosecondsPerMessage,
    long Published,
    long LeftOut,
    long? Missing,
    int Returned,
    IReadOnlyDictionary<string, int> Ends,
    long Checked,
    long Faults,
    IReadOnlyList<string> FirstFaults)
{
    private static readonly JsonSerializerOptions Style = new(JsonSerializerDefaults.Web);

    public string ToJson() => JsonSerializer.Serialize(this, Style);

    public string ToTable()
    {
        var text = new StringBuilder();
        Row("scenario", $"{Scenario}: {Clients:N0} clients, {Rate:N0} messages/s, {Seconds:N1} s");
        Row("connects", $"{ConnectsPerSecond:N0}/s");
        Row("delivered", $"{DeliveredPerSecond:N0}/s, {ReceivedBytesPerSecond / 1e6:N1} MB/s");
        if (CalmLatencyMilliseconds is { } calm) Row("without churn", calm.ToString());
        if (LatencyMilliseconds is { } latency) Row("latency", latency.ToString());
        if (ServerMicrosecondsPerMessage is { } server) Row("gateway", $"{server:N2} µs for each message");
        if (ServerCores is { } cores) Row("gateway", $"{cores * 100:N1} % of a core");
        if (ServerBytesPerClient is { } bytes) Row("gateway", $"{bytes / 1024:N1} KiB for each client");
        if (ClientMicrosecondsPerMessage is { } client) Row("load clients", $"{client:N3} µs for each message");
        Row("published", $"{Published:N0}, {LeftOut:N0} left out while Redis held the publisher up");
        if (Missing is { } missing) Row("missing", $"{missing:N0}");
        if (Returned > 0) Row("left, returned", $"{Returned:N0}");
        foreach (var (why, count) in Ends) Row("ended", $"{count:N0}: {why}");
        if (Checked > 0) Row("checked", $"{Checked:N0} messages, {Faults:N0} faults");
        foreach (string fault in FirstFaults) Row("fault", fault);
        return text.ToString();

        void Row(string name, string value) => text.Append(CultureInfo.InvariantCulture, $"{name,-16}{value}\n");
    }
}

/// <summary>Milliseconds.</summary>
internal sealed record LatencyQuantiles(long Count, double P50, double P99, double P999, double Max)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"p50 {P50:N2}, p99 {P99:N2}, p99.9 {P999:N2}, max {Max:N2} ms ({Count:N0} samples)");

    /// <returns>Null without latencies.</returns>
    public static LatencyQuantiles? Of(LatencyHistogram latencies) => latencies.Count == 0
        ? null
        : new(latencies.Count, latencies.PercentileMs(0.5), latencies.PercentileMs(0.99), latencies.PercentileMs(0.999), latencies.PercentileMs(1));
}
