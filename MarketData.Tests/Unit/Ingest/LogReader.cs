using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>One record of the topic.</summary>
internal sealed record LogRecord(string Key, int Partition, byte[] Value)
{
    public string Text => Encoding.UTF8.GetString(Value);

    /// <summary>Tells that its market's book is not sure any more.</summary>
    public bool IsStale => Envelope.IsStale;

    public JsonElement Json => JsonDocument.Parse(Value).RootElement;

    public Envelope Envelope => Envelope.TryParse(Value, out var envelope, out var error) ? envelope : throw new InvalidDataException(error);

    /// <summary>The exchange's frame, or the last known book of a market that lost something.</summary>
    public string Payload => Encoding.UTF8.GetString(Envelope.Payload.Of(Value));
}

/// <summary>Reads the topic from its start, as a consumer of its own.</summary>
internal sealed class LogReader : IDisposable
{
    private const int Partitions = 8;
    private readonly IConsumer<byte[], byte[]> _consumer;

    public LogReader(string bootstrap)
    {
        _consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
        {
            BootstrapServers = bootstrap,
            GroupId = "log-reader",
            EnableAutoCommit = false,
            AllowAutoCreateTopics = false,
            ReconnectBackoffMaxMs = 500,
        }).SetLogHandler((_, _) => { }).Build();
        _consumer.Assign(Enumerable.Range(0, Partitions).Select(partition => new TopicPartitionOffset(KafkaNames.Topic, partition, Offset.Beginning)));
    }

    public List<LogRecord> Records { get; } = [];

    /// <summary>Reads until the condition holds.</summary>
    public async Task ReadUntilAsync(Func<List<LogRecord>, bool> condition, string what)
    {
        await Eventually.TrueAsync(
            () =>
            {
                Drain();
                return condition(Records);
            },
            TimeSpan.FromSeconds(60),
            () => $"{what}; {Records.Count} records:\n{string.Join('\n', Records.TakeLast(20).Select(record => record.Text))}");
    }

    public void Dispose()
    {
        _consumer.Close();
        _consumer.Dispose();
    }

    private void Drain()
    {
        try
        {
            while (_consumer.Consume(TimeSpan.FromMilliseconds(20)) is { } result)
            {
                // A new leader's marks are no market data.
                if (result.Message.Value is { } value && Envelope.TryParse(value, out var envelope, out _) && envelope.ChannelName.Of(value).SequenceEqual(KafkaNames.FenceChannel)) continue;
                var key = Encoding.UTF8.GetString(result.Message.Key);
                Records.Add(new LogRecord(key, result.Partition, result.Message.Value ?? []));
            }
        }
        catch (ConsumeException exception) when (exception.Error.Code is ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownPartition)
        {
            // The topic is made while this reads.
            _consumer.Assign(_consumer.Assignment.Select(partition => new TopicPartitionOffset(partition, Offset.Beginning)).ToList());
            Records.Clear();
        }
    }
}
