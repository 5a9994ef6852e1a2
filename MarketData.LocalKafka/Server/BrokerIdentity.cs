namespace MarketData.LocalKafka.Server;

/// <summary>What clients are told of this broker.</summary>
/// <param name="ClusterId">Stays the same for a data directory.</param>
/// <param name="Host">The host to connect to.</param>
internal sealed record BrokerIdentity(string ClusterId, string Host)
{
    /// <summary>The port to connect to; known once the broker listens, which is before any client can ask.</summary>
    public int Port { get; set; }
}
