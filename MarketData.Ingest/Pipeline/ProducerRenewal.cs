using Confluent.Kafka;

namespace MarketData.Ingest.Pipeline;

/// <summary>Notices when librdkafka has given the producer up, and builds another like it.</summary>
public sealed class ProducerRenewal
{
    private ProducerBuilder<byte[], byte[]>? _builder;

    // Written by librdkafka's thread.
    private volatile string? _fatalError;

    /// <summary>Why the producer is of no more use; null while it is.</summary>
    public string? FatalError => _fatalError;

    /// <summary>Takes the builder of the registered producer before it builds.</summary>
    public void Attach(ProducerBuilder<byte[], byte[]> builder)
    {
        _builder = builder;
        // The calls themselves report the cause of a fatal error, but not that it is one.
        builder.SetErrorHandler((_, error) =>
        {
            if (error.IsFatal) _fatalError = error.Reason;
        });
    }

    /// <exception cref="InvalidOperationException">The registered producer was never built.</exception>
    public IProducer<byte[], byte[]> Build()
    {
        var builder = _builder ?? throw new InvalidOperationException("The Kafka producer is built through its registration first.");
        _fatalError = null;
        return builder.Build();
    }
}
