namespace MarketData.MockKalshi.Exchange;

/// <summary>An interval of Unix seconds, both ends included; null is open.</summary>
internal readonly record struct TimeInterval(long? From, long? To)
{
    public bool IsOpen => From is null && To is null;

    public bool Contains(DateTimeOffset? time) =>
        IsOpen || (time is { } value && value.ToUnixTimeSeconds() >= (From ?? long.MinValue) && value.ToUnixTimeSeconds() <= (To ?? long.MaxValue));
}

/// <summary>Which markets a listing asks for; null members do not restrict.</summary>
internal sealed record MarketFilter
{
    public IReadOnlySet<string>? Tickers { get; init; }
    public string? EventTicker { get; init; }
    public string? SeriesTicker { get; init; }
    public IReadOnlySet<MarketStatus>? Statuses { get; init; }
    public bool? Multivariate { get; init; }
    public TimeInterval Created { get; init; }
    public TimeInterval Close { get; init; }
    public TimeInterval Settled { get; init; }
    public long? MinUpdated { get; init; }

    public bool Matches(MarketView market) =>
        Tickers?.Contains(market.Definition.Ticker) != false
        && (EventTicker is null || EventTicker == market.Definition.EventTicker)
        && (SeriesTicker is null || SeriesTicker == market.Definition.SeriesTicker)
        && Statuses?.Contains(market.Status) != false
        && (Multivariate is null || Multivariate == market.Definition.IsMultivariate)
        && Created.Contains(market.Definition.CreatedTime)
        && Close.Contains(market.Definition.CloseTime)
        && Settled.Contains(market.SettlementTime)
        && (MinUpdated is null || market.UpdatedTime.ToUnixTimeSeconds() >= MinUpdated);
}
