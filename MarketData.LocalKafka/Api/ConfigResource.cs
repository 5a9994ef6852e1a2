namespace MarketData.LocalKafka.Api;

/// <summary>What settings belong to, by Kafka's codes.</summary>
internal static class ConfigResource
{
    public const sbyte Topic = 2, Broker = 4;
}
