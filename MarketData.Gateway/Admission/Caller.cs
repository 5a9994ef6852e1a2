namespace MarketData.Gateway.Admission;

/// <summary>Who a connection or a request belongs to.</summary>
/// <param name="Name">One name for each caller whose limits are counted together; shown in logs.</param>
/// <param name="Limits">Its own limits.</param>
public sealed record Caller(string Name, CallerLimits Limits)
{
    /// <summary>Everybody, where no credentials are asked for.</summary>
    public static Caller Anonymous { get; } = new("anonymous", new CallerLimits());

    /// <summary>When its token expires; null for never.</summary>
    public DateTimeOffset? ValidUntil { get; init; }
}
