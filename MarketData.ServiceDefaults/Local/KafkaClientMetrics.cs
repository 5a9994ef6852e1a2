using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json;

namespace MarketData.ServiceDefaults.Local;

/// <summary>
/// Message counts and queue sizes of the Kafka clients, taken from the statistics that librdkafka emits, so that a message costs nothing here.
/// Counter names are those of OpenTelemetry's Kafka instrumentation, which Aspire's clients use.
/// </summary>
/// <seealso href="https://github.com/confluentinc/librdkafka/blob/master/STATISTICS.md"/>
internal sealed class KafkaClientMetrics
{
    /// <summary>Milliseconds between two statistics, as in Aspire.</summary>
    public const int DefaultIntervalMs = 1000;

    private readonly ConcurrentDictionary<string, Statistics> _clients = new(StringComparer.Ordinal);

    public KafkaClientMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Telemetry.KafkaInstrumentation);
        meter.CreateObservableCounter("messaging.publish.messages", () => Observe(client => client.IsProducer ? client.Sent : null),
            "{message}", "Messages sent to brokers.");
        meter.CreateObservableCounter("messaging.receive.messages", () => Observe(client => client.IsProducer ? null : client.Received),
            "{message}", "Messages received from brokers.");
        meter.CreateObservableGauge("messaging.kafka.client.queue.messages", () => Observe(client => client.QueuedMessages),
            "{message}", "Messages that wait in the client.");
        meter.CreateObservableGauge("messaging.kafka.client.queue.size", () => Observe(client => client.QueuedBytes),
            "By", "Bytes of the messages that wait in the client.");
    }

    /// <summary>Takes one statistics document. Called on the client's poll or consume thread.</summary>
    public void Update(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var statistics = new Statistics(
            root.GetProperty("type").ValueEquals("producer"),
            root.GetProperty("txmsgs").GetInt64(),
            root.GetProperty("rxmsgs").GetInt64(),
            root.GetProperty("msg_cnt").GetInt64(),
            root.GetProperty("msg_size").GetInt64());
        _clients[root.GetProperty("name").GetString()!] = statistics;
    }

    private IEnumerable<Measurement<long>> Observe(Func<Statistics, long?> select)
    {
        foreach (var (name, statistics) in _clients)
        {
            if (select(statistics) is { } value)
            {
                yield return new(value, new("messaging.system", "kafka"), new KeyValuePair<string, object?>("messaging.client.id", name));
            }
        }
    }

    private sealed record Statistics(bool IsProducer, long Sent, long Received, long QueuedMessages, long QueuedBytes);
}
