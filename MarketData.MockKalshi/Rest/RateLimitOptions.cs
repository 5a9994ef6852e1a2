namespace MarketData.MockKalshi.Rest;

/// <summary>How many REST calls a client may make, section <c>RateLimit</c>; one more is answered with 429.</summary>
internal sealed class RateLimitOptions
{
    public const string Section = "RateLimit";

    /// <summary>Reads (GET) a second of one key, or of all clients without a key together. Default 0: as many as they like.</summary>
    public int ReadPerSecond { get; set; }

    /// <summary>Writes (any other method) a second, likewise. Default 0: as many as they like.</summary>
    public int WritePerSecond { get; set; }
}
