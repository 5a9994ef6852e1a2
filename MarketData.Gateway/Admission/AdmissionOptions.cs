using System.ComponentModel.DataAnnotations;

namespace MarketData.Gateway.Admission;

/// <summary>Who may connect, and how the gateway stops; configuration section <c>Gateway</c>.</summary>
public sealed class AdmissionOptions
{
    /// <summary>WebSocket connections in total; more are refused with 503. Default 20,000.</summary>
    [Range(1, 1_000_000, ErrorMessage = "Gateway:MaxConnections must be 1 to 1000000.")]
    public int MaxConnections { get; set; } = 20_000;

    /// <summary>
    /// WebSocket connections of one address (an IPv4 address, the /64 network of an IPv6 address); more are refused with 429. Default
    /// 20,000, so that it says nothing until it is lowered: behind a proxy that is not trusted, all clients have one address.
    /// </summary>
    [Range(1, 1_000_000, ErrorMessage = "Gateway:MaxConnectionsPerAddress must be 1 to 1000000.")]
    public int MaxConnectionsPerAddress { get; set; } = 20_000;

    /// <summary>Seconds that a new connection may take until its first request is complete; a slower one is cut off. Default 10.</summary>
    [Range(1, 600, ErrorMessage = "Gateway:HandshakeSeconds must be 1 to 600 seconds.")]
    public int HandshakeSeconds { get; set; } = 10;

    /// <summary>
    /// Origins of web pages that may connect, separated by commas, such as <c>https://example.com,https://example.com:8443</c>; others
    /// are refused with 403. Default empty: any. Programs that are no browser send no origin and are not concerned.
    /// </summary>
    public string AllowedOrigins { get; set; } = "";

    /// <summary>
    /// Addresses and networks of proxies whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are believed, separated by commas, such
    /// as <c>10.0.0.0/8,192.168.1.7</c>. Default empty: none, the headers say nothing.
    /// </summary>
    public string TrustedProxies { get; set; } = "";

    /// <summary>
    /// Seconds over which the clients of a stopping gateway are told to go, so that they do not all connect elsewhere in one instant.
    /// Default 3.
    /// </summary>
    [Range(0, 60, ErrorMessage = "Gateway:DrainSeconds must be 0 to 60 seconds.")]
    public int DrainSeconds { get; set; } = 3;
}
