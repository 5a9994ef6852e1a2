using System.Diagnostics;
using System.Diagnostics.Metrics;
using MarketData.LocalKafka.Groups;
using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Server;

/// <summary>What the broker measures of itself, on the meter that carries the service's name. Thread-safe.</summary>
internal sealed class BrokerMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "MarketData.LocalKafka";

    private readonly Meter _meter;
    private readonly Counter<long> _bytesIn, _bytesOut;
    private readonly Histogram<double> _requestDuration;
    private readonly UpDownCounter<int> _connections;
    private readonly TopicRegistry _topics;
    private readonly GroupOffsets _offsets;

    public BrokerMetrics(IMeterFactory meters, TopicRegistry topics, GroupOffsets offsets)
    {
        (_topics, _offsets) = (topics, offsets);
        _meter = meters.Create(MeterName);
        _bytesIn = _meter.CreateCounter<long>("localkafka.bytes.in", "By", "Bytes of requests received, with their framing");
        _bytesOut = _meter.CreateCounter<long>("localkafka.bytes.out", "By", "Bytes of answers sent, with their framing");
        _requestDuration = _meter.CreateHistogram<double>("localkafka.request.duration", "s", "From the last byte of a request to its answer being ready, by API; waiting for data or for other members counts");
        _connections = _meter.CreateUpDownCounter<int>("localkafka.connections", "{connection}", "Open client connections");
        _meter.CreateObservableGauge("localkafka.group.lag", ObserveLag, "{record}", "Records between a group's committed offset and the end of the partition");
    }

    public void ConnectionOpened() => _connections.Add(1);

    public void ConnectionClosed() => _connections.Add(-1);

    /// <summary>Notes an answered request.</summary>
    /// <param name="api">The request kind.</param>
    /// <param name="bytesIn">Bytes received.</param>
    /// <param name="bytesOut">Bytes to send; 0 without an answer.</param>
    /// <param name="duration">How long it took.</param>
    public void Request(ApiKey api, int bytesIn, long bytesOut, TimeSpan duration)
    {
        var tags = new TagList { { "api", ApiNames[api] } };
        _bytesIn.Add(bytesIn, tags);
        if (bytesOut > 0) _bytesOut.Add(bytesOut, tags);
        _requestDuration.Record(duration.TotalSeconds, tags);
    }

    public void Dispose() => _meter.Dispose();

    private static readonly Dictionary<ApiKey, string> ApiNames = Enum.GetValues<ApiKey>().ToDictionary(key => key, key => key.ToString());

    private IEnumerable<Measurement<long>> ObserveLag()
    {
        foreach (var group in _offsets.ListGroups().Keys)
            foreach (var ((topic, partition), committed) in _offsets.OfGroup(group))
                if (_topics.FindPartition(topic, partition) is { } log)
                    yield return new Measurement<long>(
                        Math.Max(0, log.HighWatermark - committed.Offset), new("group", group), new("topic", topic), new("partition", partition));
    }
}
