using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Dialects.Seed;

/// <summary>
/// What the first mock exchange of this system spoke (protocol reference, section 2.2): form A as it was, or form B, which was only
/// documented.
/// </summary>
internal sealed class SeedDialect(SeedForm form) : Dialect
{
    public const string TypedName = "seed", FlatName = "seed-flat";

    // One for the exchange: its sequence numbers and its count of changes run over all sessions.
    private SeedHub? _hub;

    public override bool Pings => false;

    public override bool Plays => false;

    public override Command Parse(ReadOnlyMemory<byte> text) => SeedCommand.Read(text);

    public override Session Open(SessionContext context) =>
        new SeedSession(LazyInitializer.EnsureInitialized(ref _hub, () => new SeedHub(form, context)), context);
}
