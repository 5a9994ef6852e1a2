using System.ComponentModel.DataAnnotations;

namespace MarketData.Gateway;

/// <summary>Limits towards clients; configuration section <c>Gateway</c>.</summary>
public sealed class GatewayOptions
{
    public const string Section = "Gateway";

    /// <summary>Channels that one client may subscribe. Default 10,000.</summary>
    [Range(1, 1_000_000, ErrorMessage = "Gateway:MaxSubscriptions must be 1 to 1000000 channels.")]
    public int MaxSubscriptions { get; set; } = 10_000;

    /// <summary>Largest message from a client, in bytes; a larger one closes the connection with 1009. Default 4096.</summary>
    [Range(256, 1 << 20, ErrorMessage = "Gateway:MaxRequestBytes must be 256 to 1048576 bytes.")]
    public int MaxRequestBytes { get; set; } = 4096;

    /// <summary>
    /// Messages that one client may send in a second in the long run, and ten times as many at once after a pause. More are answered with
    /// errors, and in the end the connection closes with 1008. Default 100.
    /// </summary>
    [Range(1, 1_000_000, ErrorMessage = "Gateway:MessagesPerSecond must be 1 to 1000000 messages.")]
    public int MessagesPerSecond { get; set; } = 100;

    /// <summary>
    /// Bytes that may wait for one client. Beyond it, order books and tickers are conflated to the latest state, and a client that
    /// would lose a trade is closed with 1013. The bytes are shared among clients. Default 1 MiB.
    /// </summary>
    [Range(64 << 10, 1 << 30, ErrorMessage = "Gateway:ClientQueueBytes must be 65536 to 1073741824 bytes.")]
    public int ClientQueueBytes { get; set; } = 1 << 20;

    /// <summary>Seconds between pings to a client; one that does not answer within the same time again is closed. Default 20.</summary>
    [Range(1, 3600, ErrorMessage = "Gateway:PingSeconds must be 1 to 3600 seconds.")]
    public int PingSeconds { get; set; } = 20;

    /// <summary>Seconds after which a client that takes nothing off its connection is closed. Default 30.</summary>
    [Range(1, 3600, ErrorMessage = "Gateway:StallSeconds must be 1 to 3600 seconds.")]
    public int StallSeconds { get; set; } = 30;

    /// <summary>Seconds after which a client that subscribes nothing and asks nothing is closed; 0, the default, for never.</summary>
    [Range(0, 86_400, ErrorMessage = "Gateway:IdleSeconds must be 0 (never) to 86400 seconds.")]
    public int IdleSeconds { get; set; }

    /// <summary>Threads that send to clients. Default: as many as processors, at most 4.</summary>
    [Range(1, 64, ErrorMessage = "Gateway:Workers must be 1 to 64 threads.")]
    public int Workers { get; set; } = Math.Clamp(Environment.ProcessorCount, 1, 4);

    /// <summary>
    /// Whether to send by Linux' io_uring, many sends in one system call, where the kernel allows it; else each send is a call. Default true.
    /// </summary>
    public bool IoUring { get; set; } = true;

    /// <summary>Memory for messages on their way to clients, in MiB, shared by all; rounded up to a power of two. Default 64.</summary>
    [Range(8, 1024, ErrorMessage = "Gateway:LogMegabytes must be 8 to 1024 MiB.")]
    public int LogMegabytes { get; set; } = 64;

    /// <summary>
    /// Seconds for which a channel that nobody subscribes any more is still received from Redis, so that a client that comes back finds what it
    /// has missed. Default 60.
    /// </summary>
    [Range(0, 3600, ErrorMessage = "Gateway:LingerSeconds must be 0 to 3600 seconds.")]
    public int LingerSeconds { get; set; } = 60;
}
