using System.Text.Json;
using System.Text.Unicode;
using MarketData.Domain.Books;

namespace MarketData.Domain.Frames;

/// <summary>
/// One frame of the exchange, read in a single pass without allocation: header, market, and for order-book frames the change or
/// the place of the levels. Accepts the fixed-point form, the cents form (integer cents and contracts, decided by key name) and
/// the flat forms that put <c>channel</c> for <c>type</c>, <c>data</c> for <c>msg</c>, or the fields at the top level.
/// </summary>
public readonly struct ExchangeFrame
{
    public FrameType Type { get; private init; }

    /// <summary>
    /// The type's own text, plain (see <see cref="Channels.PlainName"/>); empty only for an acknowledgement that has a status for a type.
    /// </summary>
    public ByteRange TypeName { get; private init; }

    /// <summary>The JSON value itself: the frame without white space around it (some real frames end with a newline).</summary>
    public ByteRange Json { get; private init; }

    /// <summary>The market; empty when the frame belongs to none.</summary>
    public ByteRange Ticker { get; private init; }

    public ByteRange MarketId { get; private init; }

    /// <summary>The id that tells a <c>trade</c> from every other; empty when absent.</summary>
    public ByteRange TradeId { get; private init; }

    /// <summary>The exchange's own time, Unix milliseconds; null when the frame carries none.</summary>
    public long? Timestamp { get; private init; }

    /// <summary>The <c>msg</c> (or <c>data</c>) value; empty when absent.</summary>
    public ByteRange Body { get; private init; }

    /// <summary>The id of the command that this frame answers; 0 when absent.</summary>
    public long Id { get; private init; }

    /// <summary>
    /// The subscription id, which counts from 1 on each connection; 0 when absent at the top level, as in <c>subscribed</c>, which has
    /// it in the body.
    /// </summary>
    public long Sid { get; private init; }

    /// <summary>The sequence number, which counts from 1 for each subscription over all its markets; null when absent.</summary>
    public long? Seq { get; private init; }

    /// <summary>The change that an <c>orderbook_delta</c> makes; null for other types and when a part is missing or unreadable.</summary>
    public BookDelta? Delta { get; private init; }

    /// <summary>The level arrays of an <c>orderbook_snapshot</c>.</summary>
    public SnapshotLevels Levels { get; private init; }

    /// <summary>A public frame that also names the connected account's order: those fields must be cut out before it is passed on.</summary>
    public bool HasPrivateFields { get; private init; }

    /// <summary>
    /// Reads a frame. False when it is not one JSON object in UTF-8, when it does not say what it is, or when its type or market ticker
    /// is not plain text; <paramref name="error"/> then says why.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out ExchangeFrame frame, out string? error)
    {
        try
        {
            // The JSON reader does not look, and clients must drop a connection that brings them text which is not UTF-8.
            if (!Utf8.IsValid(bytes)) throw new JsonException("a frame is UTF-8 text");
            var reader = new Utf8JsonReader(bytes);
            var fields = default(FrameFields);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new JsonException("a frame is a JSON object");
            int start = (int)reader.TokenStartIndex;
            fields.ReadObject(ref reader, isRoot: true);
            int end = (int)reader.BytesConsumed;
            if (reader.Read()) throw new JsonException("a frame is one JSON object");
            if (fields.Type.IsEmpty && !fields.HasStatus) throw new JsonException("a frame has a type, a channel or a status");
            var type = fields.Type.IsEmpty ? FrameType.Ok : FrameTypes.Parse(fields.Type.Of(bytes));
            frame = new ExchangeFrame
            {
                Type = type,
                TypeName = fields.Type,
                Json = new ByteRange(start, end - start),
                Ticker = fields.Ticker,
                MarketId = fields.MarketId,
                TradeId = fields.TradeId,
                Timestamp = fields.Timestamp,
                Body = fields.Body,
                Id = fields.Id,
                Sid = fields.Sid,
                Seq = fields.Seq,
                Delta = type == FrameType.OrderbookDelta ? fields.Delta(bytes) : null,
                Levels = fields.Levels,
                HasPrivateFields = fields.HasPrivateFields,
            };
            error = null;
            return true;
        }
        catch (JsonException exception)
        {
            frame = default;
            error = exception.Message;
            return false;
        }
    }
}

/// <summary>A signed change of one level.</summary>
/// <param name="Side">The ladder.</param>
/// <param name="Price">1/10,000 dollar.</param>
/// <param name="Change">1/100 contract.</param>
public readonly record struct BookDelta(Side Side, int Price, long Change);

/// <summary>How the numbers of a level array are written.</summary>
public enum LevelForm : byte
{
    /// <summary>The key is absent: no level on that side.</summary>
    Absent,

    /// <summary><c>[[cents, contracts], …]</c>, integers.</summary>
    Cents,

    /// <summary><c>[["0.45", contracts], …]</c>.</summary>
    DollarsWithIntegerCounts,

    /// <summary><c>[["0.4500", "31.54"], …]</c>.</summary>
    FixedPoint,
}

/// <summary>Where a snapshot keeps its levels, in the newest form that it carries.</summary>
public readonly record struct SnapshotLevels(LevelForm YesForm, ByteRange Yes, LevelForm NoForm, ByteRange No);
