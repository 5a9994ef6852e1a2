namespace MarketData.MockKalshi.Dialects;

/// <summary>Which form of the WebSocket protocol this exchange speaks, section <c>Protocol</c>.</summary>
internal sealed class DialectOptions
{
    public const string Section = "Protocol";

    /// <summary>One of <see cref="Dialects.Dialect.Names"/>. Default <c>fixed-point</c>, what the exchange speaks in 2026.</summary>
    public string Dialect { get; set; } = FixedPointDialect.Name;
}
