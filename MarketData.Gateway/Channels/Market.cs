namespace MarketData.Gateway.Channels;

/// <summary>A market's identity, one object for as long as the gateway follows it, so that tables compare references.</summary>
/// <param name="ticker">Plain text; <c>all-markets</c> for frames of no market.</param>
public sealed class Market(string ticker)
{
    public string Ticker { get; } = ticker;

    public override string ToString() => Ticker;
}
