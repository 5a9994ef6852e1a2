using System.Security.Cryptography;
using System.Text;
using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Replay;

/// <summary>Invents what a recording does not say about a market, so that REST can list it.</summary>
internal static class RecordedMarket
{
    /// <param name="ticker">As recorded.</param>
    /// <param name="marketId">As recorded; null when no frame carries it.</param>
    /// <param name="firstTimeMs">The first frame's time, Unix milliseconds; 0 when unknown.</param>
    /// <param name="now">A recorded market is open now and closes a day later.</param>
    public static MarketDefinition Define(string ticker, Guid? marketId, long firstTimeMs, DateTimeOffset now)
    {
        int lastDash = ticker.LastIndexOf('-'), firstDash = ticker.IndexOf('-');
        var opened = firstTimeMs > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(firstTimeMs) : now;
        if (opened > now) opened = now;
        return new MarketDefinition
        {
            Ticker = ticker,
            EventTicker = lastDash > 0 ? ticker[..lastDash] : ticker,
            SeriesTicker = firstDash > 0 ? ticker[..firstDash] : ticker,
            MarketId = marketId ?? IdOf(ticker),
            Title = $"Recorded market {ticker}",
            YesSubTitle = "Yes",
            NoSubTitle = "No",
            RulesPrimary = "Recorded market: it is played, not settled.",
            CreatedTime = opened.AddDays(-1),
            OpenTime = opened,
            CloseTime = now.AddDays(1),
            Prices = PriceStructure.DeciCent,
        };
    }

    /// <summary>The same id for the same ticker in every run.</summary>
    private static Guid IdOf(string ticker) => new(SHA256.HashData(Encoding.UTF8.GetBytes(ticker)).AsSpan(0, 16), bigEndian: true);
}
