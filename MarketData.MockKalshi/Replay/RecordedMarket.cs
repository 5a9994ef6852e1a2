using System.Security.Cryptography;
using System.Text;
using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Replay;

/// <summary>Invents what a recording does not say about a market, so that REST can list it.</summary>
internal static class RecordedMarket
{
    /// <param name="ticker">As it is played.</param>
    /// <param name="recorded">The ticker as recorded.</param>
    /// <param name="trace">What its frames say.</param>
    /// <param name="now">A recorded market is open now and closes a day later.</param>
    public static MarketDefinition Define(string ticker, string recorded, MarketTrace trace, DateTimeOffset now)
    {
        int lastDash = recorded.LastIndexOf('-'), firstDash = recorded.IndexOf('-');
        bool knowsTime = trace.FirstTimeMs > 0 && trace.FirstTimeMs < now.ToUnixTimeMilliseconds();
        var opened = knowsTime ? DateTimeOffset.FromUnixTimeMilliseconds(trace.FirstTimeMs) : now;
        return new MarketDefinition
        {
            Ticker = ticker,
            EventTicker = lastDash > 0 ? recorded[..lastDash] : recorded,
            SeriesTicker = firstDash > 0 ? recorded[..firstDash] : recorded,
            MarketId = trace.MarketId ?? IdOf(ticker),
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
