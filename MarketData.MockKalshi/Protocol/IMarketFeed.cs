namespace MarketData.MockKalshi.Protocol;

/// <summary>
/// Where a session's data frames come from: the simulated exchange or a recording. Called by the session, in the loop that serves it.
/// </summary>
internal interface IMarketFeed
{
    /// <summary>Data for these markets begins; on the book channel each begins with its snapshot.</summary>
    /// <param name="subscription">Already acknowledged.</param>
    /// <param name="tickers">Markets new to the subscription, known to the exchange or not; null for every market.</param>
    /// <param name="initialTickers">One ticker frame for each market at once.</param>
    void Start(Subscription subscription, IReadOnlyList<string>? tickers, bool initialTickers);

    /// <summary>No more data for these markets; null for every market.</summary>
    void Stop(Subscription subscription, IReadOnlyList<string>? tickers);

    /// <summary>Sends the market's book as it stands at this point of the subscription's stream.</summary>
    void SendSnapshot(Subscription subscription, string ticker, long? commandId);

    /// <summary>The ticker of a market id; null when no market has it.</summary>
    string? FindTicker(Guid marketId);
}
