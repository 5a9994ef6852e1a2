using System.Diagnostics.Metrics;
using MarketData.ServiceDefaults.Metrics;

namespace MarketData.Gateway;

/// <summary>
/// Time from the receipt of an exchange's frame, which the envelope tells, until it is written to the clients that want it: percentiles for <c>/stats</c> and the
/// instrument <c>gateway.delivery.duration</c>. Both clocks are the machines' own, in milliseconds. Thread-safe.
/// </summary>
public sealed class DeliveryLatency : IDisposable
{
    private readonly TimeProvider _time;
    private readonly Meter _meter;
    private readonly Histogram<double> _durations;
    private readonly LatencyHistogram _histogram = new();

    public DeliveryLatency(IMeterFactory meters, IHostEnvironment environment, TimeProvider time)
    {
        _time = time;
        _meter = meters.Create(environment.ApplicationName);
        _durations = _meter.CreateHistogram<double>("gateway.delivery.duration", "s", "From the receipt of an exchange's frame until it is written to clients.");
    }

    /// <summary>Call once for each message, when a fan-out worker has written it to its clients, however many they are.</summary>
    /// <param name="receivedTimestamp">The envelope's, Unix milliseconds.</param>
    public void Record(long receivedTimestamp)
    {
        var duration = TimeSpan.FromMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds() - receivedTimestamp);
        _histogram.Record(duration);
        _durations.Record(duration.TotalSeconds);
    }

    public LatencyReport Report() => _histogram.Report();

    public void Dispose() => _meter.Dispose();
}
