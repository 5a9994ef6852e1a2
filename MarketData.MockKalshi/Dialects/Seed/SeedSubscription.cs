namespace MarketData.MockKalshi.Dialects.Seed;

/// <summary>One channel of one command.</summary>
/// <param name="Number">Counts over all sessions; the sid is a text with it.</param>
/// <param name="Channel">Any name; some have data.</param>
internal sealed record SeedSubscription(int Number, string Channel)
{
    public required IReadOnlyList<string> Tickers { get; set; }
}
