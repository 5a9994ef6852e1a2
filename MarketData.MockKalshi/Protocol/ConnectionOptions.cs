namespace MarketData.MockKalshi.Protocol;

/// <summary>How WebSocket connections are kept, section <c>Connection</c>.</summary>
internal sealed class ConnectionOptions
{
    public const string Section = "Connection";

    /// <summary>Time between two Pings of the server. Default 10 s, as the exchange does.</summary>
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Live frames that may wait for a client; one more ends the subscription with error 25. Default 10,000.</summary>
    public int StreamBuffer { get; set; } = 10_000;

    /// <summary>The longest message accepted from a client, bytes. Default 64 MiB, as the exchange accepts.</summary>
    public int MaxMessageBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>Markets that one subscription may name; a command that would make them more is error 26. Default 500,000.</summary>
    public int MaxMarketsPerSubscription { get; set; } = 500_000;

    /// <summary>Commands of one connection in a second; more are error 27. Default 10,000, as the exchange publishes.</summary>
    public int CommandsPerSecond { get; set; } = 10_000;

    /// <summary>A command that waits longer for its turn, behind answers that its client does not take, is error 18. Default 30 s.</summary>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>A client that takes nothing for so long is disconnected. Default 60 s.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long the closing handshake may take. Default 5 s.</summary>
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(5);
}
