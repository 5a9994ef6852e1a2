using Confluent.Kafka;

namespace MarketData.Ingest.Pipeline;

/// <summary>Keeps the builder that the registered producer was built with, to build another like it.</summary>
public sealed class ProducerRenewal
{
    private ProducerBuilder<byte[], byte[]>? _builder;

    public void Attach(ProducerBuilder<byte[], byte[]> builder) => _builder = builder;

    /// <exception cref="InvalidOperationException">The registered producer was never built.</exception>
    public IProducer<byte[], byte[]> Build() =>
        (_builder ?? throw new InvalidOperationException("The Kafka producer is built through its registration first.")).Build();
}
