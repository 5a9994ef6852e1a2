using System.Globalization;

namespace MarketData.MockKalshi.Exchange;

/// <summary>Invents markets with the exchange's naming: SERIES-EVENT-STRIKE. Not thread-safe.</summary>
internal sealed class MarketCatalog(Random random, bool wholeCents)
{
    private sealed record Series(string Ticker, string Subject, decimal FirstStrike, decimal StrikeStep, int Strikes, PriceStructure Prices);

    private static readonly Series[] LongLived =
    [
        new("KXBTCD", "Bitcoin price", 60_499.99m, 500, 12, PriceStructure.LinearCent),
        new("KXHIGHNY", "Highest temperature in NYC", 38, 2, 6, PriceStructure.LinearCent),
        new("KXFED", "Upper bound of the federal funds rate", 2.75m, 0.25m, 8, PriceStructure.TaperedDeciCent),
        new("KXINXU", "S&P 500 close", 6_899.9999m, 25, 10, PriceStructure.LinearCent),
        new("KXGOLDD", "Gold price", 4_349.99m, 20, 8, PriceStructure.DeciCent),
    ];

    private static readonly Series[] ShortLived =
    [
        new("KXBTC15M", "Bitcoin price up", 60_750.25m, 13.5m, 1, PriceStructure.TaperedDeciCent),
        new("KXGOLD15M", "Gold price up", 4_394.94m, 1.75m, 1, PriceStructure.LinearCent),
    ];

    private int _longLived, _shortLived;

    /// <summary>One market of an event that closes days from now.</summary>
    public MarketDefinition NextLongLived(DateTimeOffset now)
    {
        // All strikes of one event of each series in turn, then the events of the day after.
        int index = _longLived++, cycle = LongLived.Sum(series => series.Strikes);
        int day = 1 + index / cycle, position = index % cycle, seriesIndex = 0;
        while (position >= LongLived[seriesIndex].Strikes) position -= LongLived[seriesIndex++].Strikes;

        var series = LongLived[seriesIndex];
        var closes = new DateTimeOffset(now.UtcDateTime.Date.AddDays(day).AddHours(21), TimeSpan.Zero);
        decimal strike = series.FirstStrike + position * series.StrikeStep;
        string eventTicker = Invariant($"{series.Ticker}-{Stamp(closes, "yyMMMdd")}");
        return Define(series, eventTicker, Invariant($"T{strike}"), strike, now.AddDays(-1), closes);
    }

    /// <summary>A market alone in its event that closes at the given time.</summary>
    public MarketDefinition NextShortLived(DateTimeOffset now, DateTimeOffset closes) =>
        DefineShortLived(ShortLived[_shortLived % ShortLived.Length], now, closes);

    /// <summary>The market that follows a short-lived one in its series.</summary>
    public MarketDefinition Successor(MarketDefinition closed, DateTimeOffset now, DateTimeOffset closes) =>
        DefineShortLived(Array.Find(ShortLived, series => series.Ticker == closed.SeriesTicker)!, now, closes);

    private MarketDefinition DefineShortLived(Series series, DateTimeOffset now, DateTimeOffset closes)
    {
        // The number keeps tickers apart when several close within one minute.
        int number = _shortLived++;
        decimal strike = series.FirstStrike + random.Next(-20, 21) * series.StrikeStep;
        string eventTicker = Invariant($"{series.Ticker}-{Stamp(closes, "yyMMMddHHmm")}");
        return Define(series, eventTicker, Invariant($"{number:00}"), strike, now, closes);
    }

    private MarketDefinition Define(
        Series series, string eventTicker, string suffix, decimal strike, DateTimeOffset opens, DateTimeOffset closes) => new()
        {
            Ticker = $"{eventTicker}-{suffix}",
            EventTicker = eventTicker,
            SeriesTicker = series.Ticker,
            MarketId = RandomUuid.Next(random),
            Title = Invariant($"{series.Subject} on {closes:MMM d, yyyy}?"),
            YesSubTitle = Invariant($"{strike} or above"),
            NoSubTitle = Invariant($"below {strike}"),
            RulesPrimary = Invariant($"If, for {series.Subject}, the value is at least {strike} at {closes:yyyy-MM-dd HH:mm:ss} UTC, the market resolves to Yes."),
            CreatedTime = opens,
            OpenTime = opens,
            CloseTime = closes,
            Prices = wholeCents ? PriceStructure.LinearCent : series.Prices,
            FloorStrike = strike,
        };

    private static string Stamp(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture).ToUpperInvariant();

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
