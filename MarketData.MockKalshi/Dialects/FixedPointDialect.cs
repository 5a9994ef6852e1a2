using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Dialects;

/// <summary>What the exchange speaks since 2026 (protocol reference, section 1): the form in which this server composes everything.</summary>
internal sealed class FixedPointDialect : Dialect
{
    public const string Name = "fixed-point";

    public override bool WholeUnits => false;

    public override Session Open(SessionContext context) => new(context);
}
