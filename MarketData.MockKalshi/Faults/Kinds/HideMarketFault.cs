namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary>
/// <c>hide-market</c>: a market disappears: no listing has it, asking for it answers as for an unknown market, and so does a new
/// subscription. It appears when the fault is removed. Subscriptions from before go on.
/// </summary>
internal sealed class HideMarketFault : Fault
{
    public HideMarketFault(FaultFields fields)
        : base(fields) => Market = fields.Text("market") ?? throw new BadFaultException("field market: is missing");

    public string Market { get; }
}
