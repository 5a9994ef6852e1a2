using System.ComponentModel.DataAnnotations;

namespace MarketData.MockKalshi.Protocol;

/// <summary>How WebSocket connections are kept, section <c>Connection</c>.</summary>
internal sealed class ConnectionOptions
{
    public const string Section = "Connection";

    /// <summary>Time between two Pings of the server. Default 10 s, as the exchange does.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00", ErrorMessage = "Connection:PingInterval must be between 10 ms and 1 h.")]
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Live frames that may wait for a client; one more ends the subscription with error 25. Default 10,000.</summary>
    [Range(1, 10_000_000, ErrorMessage = "Connection:StreamBuffer must be between 1 and 10,000,000 frames.")]
    public int StreamBuffer { get; set; } = 10_000;

    /// <summary>The longest message accepted from a client, bytes. Default 64 MiB, as the exchange accepts.</summary>
    [Range(1024, 1 << 30, ErrorMessage = "Connection:MaxMessageBytes must be between 1,024 and 1,073,741,824.")]
    public int MaxMessageBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>A client that takes nothing for so long is disconnected. Default 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00", ErrorMessage = "Connection:StallTimeout must be between 100 ms and 1 h.")]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long the closing handshake may take. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00", ErrorMessage = "Connection:CloseTimeout must be between 100 ms and 1 min.")]
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(5);
}
