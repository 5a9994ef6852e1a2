using MarketData.MockKalshi.Dialects.Cents;
using MarketData.MockKalshi.Dialects.Seed;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Dialects;

/// <summary>
/// A form of the WebSocket protocol: how commands are read, what a session makes of them, and how its frames look. One object serves
/// every connection of an exchange. What stands behind it, the exchange's own feed, is the same for all.
/// </summary>
internal abstract class Dialect
{
    private static readonly Dictionary<string, Func<Dialect>> ByName = new(StringComparer.Ordinal)
    {
        [FixedPointDialect.Name] = () => new FixedPointDialect(),
        [CentsDialect.Name] = () => new CentsDialect(),
        [SeedDialect.TypedName] = () => new SeedDialect(new TypedForm()),
        [SeedDialect.FlatName] = () => new SeedDialect(new FlatForm()),
    };

    public static IReadOnlyCollection<string> Names => ByName.Keys;

    /// <summary>The server sends Pings.</summary>
    public virtual bool Pings => true;

    /// <summary>Its numbers are whole cents and whole contracts, so the exchange trades nothing finer.</summary>
    public virtual bool WholeUnits => true;

    /// <summary>Recordings of this dialect can be played.</summary>
    public virtual bool Plays => true;

    /// <param name="name">One of <see cref="Names"/>.</param>
    public static Dialect Create(string name) => ByName[name]();

    /// <summary>Never throws: what cannot be read comes back as malformed.</summary>
    public virtual Command Parse(ReadOnlyMemory<byte> text) => Command.Parse(text);

    /// <summary>The session of a new connection.</summary>
    public abstract Session Open(SessionContext context);
}
