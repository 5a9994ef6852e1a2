using System.Buffers.Text;
using System.Security.Cryptography;

namespace MarketData.Ingest.Pipeline;

/// <summary>
/// The ids of the latest trades that the log has, so that none is published twice whichever way it comes. Belongs to whoever feeds the
/// pipeline; the time of the last trade may be read by anybody.
/// </summary>
public sealed class SeenTrades
{
    /// <summary>Trades remembered, about 10 MB; many times what a filling brings again.</summary>
    private const int Capacity = 200_000;

    private readonly HashSet<Guid> _ids = [];
    private readonly Queue<Guid> _order = [];
    private long _lastTimestamp;

    /// <summary>The latest trade's time at the exchange, Unix milliseconds; 0 before the first.</summary>
    public long LastTimestamp => Volatile.Read(ref _lastTimestamp);

    /// <summary>Whether this trade was added before.</summary>
    public bool Contains(ReadOnlySpan<byte> id) => _ids.Contains(Key(id));

    /// <summary>False when this trade was added before.</summary>
    /// <param name="id">The <c>trade_id</c>; a UUID at the exchange.</param>
    /// <param name="timestamp">The trade's time at the exchange, Unix milliseconds; null when unknown.</param>
    public bool TryAdd(ReadOnlySpan<byte> id, long? timestamp) => TryAdd(Key(id), timestamp ?? 0);

    /// <summary>Adds the trades of another.</summary>
    public void Add(SeenTrades other)
    {
        foreach (var id in other._order) TryAdd(id, other.LastTimestamp);
    }

    private bool TryAdd(Guid id, long timestamp)
    {
        if (!_ids.Add(id)) return false;
        _order.Enqueue(id);
        if (_order.Count > Capacity) _ids.Remove(_order.Dequeue());
        if (timestamp > _lastTimestamp) Volatile.Write(ref _lastTimestamp, timestamp);
        return true;
    }

    private static Guid Key(ReadOnlySpan<byte> id)
    {
        if (id.Length == 36 && Utf8Parser.TryParse(id, out Guid uuid, out int read) && read == id.Length) return uuid;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(id, hash);
        return new Guid(hash[..16]);
    }
}
