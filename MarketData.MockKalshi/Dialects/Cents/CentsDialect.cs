using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Dialects.Cents;

/// <summary>What the exchange spoke until early 2026 (protocol reference, section 2.1): the same commands and envelope, other numbers.</summary>
internal sealed class CentsDialect : Dialect
{
    public const string Name = "cents";

    public override Session Open(SessionContext context) => new(context, new CentsFrames());
}
