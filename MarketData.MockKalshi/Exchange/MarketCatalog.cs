using System.Globalization;

namespace MarketData.MockKalshi.Exchange;

/// <summary>A series of events, each with markets at so many strikes.</summary>
internal sealed record MarketSeries(string Ticker, string Subject, decimal FirstStrike, decimal StrikeStep, int Strikes, PriceStructure Prices);

/// <summary>A market's place in the programme of the exchange.</summary>
/// <param name="Series">Which series.</param>
/// <param name="Number">Of a daily event the strike's index; else a running number.</param>
/// <param name="Closes">When it was first said to close.</param>
internal sealed record MarketListing(MarketSeries Series, int Number, DateTimeOffset Closes)
{
    /// <summary>Alone in its event, open for a while and not for days; the strike is set when it opens.</summary>
    public bool IsShortLived => Series.Strikes == 1;
}

/// <summary>Invents markets with the exchange's naming: SERIES-EVENT-STRIKE. Not thread-safe.</summary>
/// <param name="random">Ids and strikes.</param>
/// <param name="start">The day before the first daily events close.</param>
/// <param name="dailyMarkets">Markets of daily events that are open at any time.</param>
/// <param name="wholeUnits">Markets tick in cents and trade whole contracts.</param>
internal sealed class MarketCatalog(Random random, DateTimeOffset start, int dailyMarkets, bool wholeUnits)
{
    private static readonly MarketSeries[] Daily =
    [
        new("KXBTCD", "Bitcoin price", 60_499.99m, 500, 12, PriceStructure.LinearCent),
        new("KXHIGHNY", "Highest temperature in NYC", 38, 2, 6, PriceStructure.LinearCent),
        new("KXFED", "Upper bound of the federal funds rate", 2.75m, 0.25m, 8, PriceStructure.TaperedDeciCent),
        new("KXINXU", "S&P 500 close", 6_899.9999m, 25, 10, PriceStructure.LinearCent),
        new("KXGOLDD", "Gold price", 4_349.99m, 20, 8, PriceStructure.DeciCent),
        new("KXETHD", "Ethereum price", 1_999.99m, 40, 6, PriceStructure.CenterDeciEdgeCentiCent),
    ];

    private static readonly MarketSeries[] ShortLived =
    [
        new("KXBTC15M", "Bitcoin price up", 60_750.25m, 13.5m, 1, PriceStructure.TaperedDeciCent),
        new("KXGOLD15M", "Gold price up", 4_394.94m, 1.75m, 1, PriceStructure.LinearCent),
    ];

    private static readonly int MarketsADay = Daily.Sum(series => series.Strikes);

    private int _daily, _shortLived;

    /// <summary>The days for which daily events are open at a time.</summary>
    private int Days => Math.Max(1, (dailyMarkets + MarketsADay - 1) / MarketsADay);

    /// <summary>The next market of a daily event: all strikes of one event of each series in turn, then the events of the day after.</summary>
    public MarketListing NextDaily()
    {
        int day = 1 + _daily / MarketsADay, position = _daily++ % MarketsADay, index = 0;
        while (position >= Daily[index].Strikes) position -= Daily[index++].Strikes;
        return new MarketListing(Daily[index], position, new DateTimeOffset(start.UtcDateTime.Date.AddDays(day).AddHours(21), TimeSpan.Zero));
    }

    public MarketListing NextShortLived(DateTimeOffset closes)
    {
        // The number keeps tickers apart when several close within one minute.
        int number = _shortLived++;
        return new MarketListing(ShortLived[number % ShortLived.Length], number, closes);
    }

    /// <summary>The market that follows another in its series.</summary>
    public MarketListing After(MarketListing listing, DateTimeOffset closes) => listing.IsShortLived
        ? listing with { Number = _shortLived++, Closes = closes }
        : listing with { Closes = listing.Closes.AddDays(Days) };

    public static string EventTickerOf(MarketListing listing) =>
        $"{listing.Series.Ticker}-{Stamp(listing.Closes, listing.IsShortLived ? "yyMMMddHHmm" : "yyMMMdd")}";

    /// <param name="listing">Its place.</param>
    /// <param name="created">Exchange time.</param>
    /// <param name="opens">When trading begins.</param>
    public MarketDefinition Define(MarketListing listing, DateTimeOffset created, DateTimeOffset opens)
    {
        var (series, number, closes) = listing;
        string eventTicker = EventTickerOf(listing);
        decimal strike = series.FirstStrike + number * series.StrikeStep;
        var definition = new MarketDefinition
        {
            Ticker = listing.IsShortLived ? Invariant($"{eventTicker}-{number:00}") : Invariant($"{eventTicker}-T{strike}"),
            EventTicker = eventTicker,
            SeriesTicker = series.Ticker,
            MarketId = RandomUuid.Next(random),
            Title = Invariant($"{series.Subject} on {closes:MMM d, yyyy}?"),
            YesSubTitle = "Target price: TBD",
            NoSubTitle = "Target price: TBD",
            RulesPrimary = Invariant(
                $"If, for {series.Subject}, the value is at least the strike at {closes:yyyy-MM-dd HH:mm:ss} UTC, the market resolves to Yes."),
            CreatedTime = created,
            OpenTime = opens,
            CloseTime = closes,
            Prices = wholeUnits ? PriceStructure.LinearCent : series.Prices,
            WholeUnits = wholeUnits,
        };
        return listing.IsShortLived ? definition : WithStrike(definition, strike);
    }

    /// <summary>The terms of a short-lived market once its strike is known: near the underlying's value when it opens.</summary>
    public MarketDefinition SetStrike(MarketListing listing, MarketDefinition definition) =>
        WithStrike(definition, listing.Series.FirstStrike + random.Next(-20, 21) * listing.Series.StrikeStep);

    private static MarketDefinition WithStrike(MarketDefinition definition, decimal strike) => definition with
    {
        FloorStrike = strike,
        YesSubTitle = Invariant($"{strike} or above"),
        NoSubTitle = Invariant($"below {strike}"),
    };

    private static string Stamp(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture).ToUpperInvariant();

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
