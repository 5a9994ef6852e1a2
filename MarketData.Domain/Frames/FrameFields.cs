using System.Text.Json;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Numbers;

namespace MarketData.Domain.Frames;

/// <summary>
/// What one pass over a frame collects. Keys come in any order, so values are collected by key name, and the newer form of a
/// value wins over its older twin whatever their order.
/// </summary>
internal struct FrameFields
{
    public ByteRange Type, Ticker, MarketId, TradeId, Body;
    public long Id, Sid;
    public long? Seq;
    public SnapshotLevels Levels;
    public bool HasPrivateFields, HasStatus;

    private ByteRange _channel, _rootTicker, _dollars, _fixedDelta, _sideName;
    private long? _cents, _contracts, _milliseconds, _seconds;

    /// <summary>Unix milliseconds; the older field has whole seconds, or text on some types.</summary>
    public readonly long? Timestamp => _milliseconds ?? (_seconds is >= 0 and < long.MaxValue / 1000 ? _seconds * 1000 : null);

    public void ReadObject(ref Utf8JsonReader reader, bool isRoot)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            // Keys are compared as bytes, so another spelling of a key must not pass: it could hide a private field.
            if (reader.ValueIsEscaped) throw new JsonException("a frame's keys are written without escapes");
            var key = reader.ValueSpan;
            if (!(isRoot ? ReadHeader(key, ref reader) || ReadBody(key, ref reader) : ReadBody(key, ref reader)))
            {
                reader.Read();
                reader.Skip();
            }
        }

        if (!isRoot) return;
        if (Type.IsEmpty) Type = _channel;
        if (Ticker.IsEmpty) Ticker = _rootTicker;
    }

    public readonly BookDelta? Delta(ReadOnlySpan<byte> bytes)
    {
        var sideName = _sideName.Of(bytes);
        bool yes = sideName.SequenceEqual("yes"u8);
        if (!yes && !sideName.SequenceEqual("no"u8)) return null;

        int price;
        if (!_dollars.IsEmpty)
        {
            if (!FixedPoint.TryParsePrice(_dollars.Of(bytes), out price)) return null;
        }
        else if (_cents is >= 0 and <= 100)
        {
            price = (int)_cents * (FixedPoint.PriceScale / 100);
        }
        else
        {
            return null;
        }

        long change;
        if (!_fixedDelta.IsEmpty)
        {
            if (!FixedPoint.TryParseCount(_fixedDelta.Of(bytes), out change)) return null;
        }
        else if (_contracts is >= -FixedPoint.MaxContracts and <= FixedPoint.MaxContracts)
        {
            change = _contracts.Value * FixedPoint.CountScale;
        }
        else
        {
            return null;
        }

        return new BookDelta(yes ? Side.Yes : Side.No, price, change);
    }

    private bool ReadHeader(ReadOnlySpan<byte> key, ref Utf8JsonReader reader)
    {
        switch (key.Length)
        {
            case 2 when key.SequenceEqual("id"u8):
                Id = Integer(ref reader) ?? 0;
                return true;
            case 3 when key.SequenceEqual("sid"u8):
                Sid = Integer(ref reader) ?? 0;
                return true;
            case 3 when key.SequenceEqual("seq"u8):
                Seq = Integer(ref reader);
                return true;
            case 3 when key.SequenceEqual("msg"u8):
            case 4 when key.SequenceEqual("data"u8):
                reader.Read();
                int start = (int)reader.TokenStartIndex;
                if (reader.TokenType == JsonTokenType.StartObject) ReadObject(ref reader, isRoot: false);
                else reader.Skip();
                Body = new ByteRange(start, (int)reader.BytesConsumed - start);
                return true;
            case 4 when key.SequenceEqual("type"u8):
                Type = PlainText(ref reader, "type");
                return true;
            case 6 when key.SequenceEqual("status"u8):
                HasStatus = true;
                return false;
            case 7 when key.SequenceEqual("channel"u8):
                _channel = PlainText(ref reader, "channel");
                return true;
            case 13 when key.SequenceEqual("market_ticker"u8):
                _rootTicker = PlainText(ref reader, "market ticker");
                return true;
            default:
                return false;
        }
    }

    private bool ReadBody(ReadOnlySpan<byte> key, ref Utf8JsonReader reader)
    {
        switch (key.Length)
        {
            case 2 when key.SequenceEqual("ts"u8):
                _seconds = Integer(ref reader);
                return true;
            case 2 when key.SequenceEqual("no"u8):
                Levels = Levels with { No = Newest(Levels.No, Levels.NoForm, LevelForm.Cents, ref reader, out var form), NoForm = form };
                return true;
            case 3 when key.SequenceEqual("yes"u8):
                Levels = Levels with { Yes = Newest(Levels.Yes, Levels.YesForm, LevelForm.Cents, ref reader, out form), YesForm = form };
                return true;
            case 4 when key.SequenceEqual("side"u8):
                _sideName = Text(ref reader);
                return true;
            case 5 when key.SequenceEqual("ts_ms"u8):
                _milliseconds = Integer(ref reader);
                return true;
            case 5 when key.SequenceEqual("price"u8):
                _cents = Integer(ref reader);
                return true;
            case 5 when key.SequenceEqual("delta"u8):
                _contracts = Integer(ref reader);
                return true;
            case 8 when key.SequenceEqual("trade_id"u8):
                TradeId = Text(ref reader);
                return true;
            case 8 when key.SequenceEqual("delta_fp"u8):
                _fixedDelta = Text(ref reader);
                return true;
            case 9 when key.SequenceEqual("market_id"u8):
                MarketId = Text(ref reader);
                return true;
            case 10 when key.SequenceEqual("no_dollars"u8):
                Levels = Levels with
                {
                    No = Newest(Levels.No, Levels.NoForm, LevelForm.DollarsWithIntegerCounts, ref reader, out form),
                    NoForm = form,
                };
                return true;
            case 10 when key.SequenceEqual("subaccount"u8):
            case 15 when key.SequenceEqual("client_order_id"u8):
                HasPrivateFields = true;
                return false;
            case 11 when key.SequenceEqual("yes_dollars"u8):
                Levels = Levels with
                {
                    Yes = Newest(Levels.Yes, Levels.YesForm, LevelForm.DollarsWithIntegerCounts, ref reader, out form),
                    YesForm = form,
                };
                return true;
            case 12 when key.SequenceEqual("marketTicker"u8):
            case 13 when key.SequenceEqual("market_ticker"u8):
                Ticker = PlainText(ref reader, "market ticker");
                return true;
            case 13 when key.SequenceEqual("price_dollars"u8):
                _dollars = Text(ref reader);
                return true;
            case 13 when key.SequenceEqual("no_dollars_fp"u8):
                Levels = Levels with { No = Newest(Levels.No, Levels.NoForm, LevelForm.FixedPoint, ref reader, out form), NoForm = form };
                return true;
            case 14 when key.SequenceEqual("yes_dollars_fp"u8):
                Levels = Levels with { Yes = Newest(Levels.Yes, Levels.YesForm, LevelForm.FixedPoint, ref reader, out form), YesForm = form };
                return true;
            default:
                return false;
        }
    }

    private static ByteRange Newest(ByteRange known, LevelForm knownForm, LevelForm form, ref Utf8JsonReader reader, out LevelForm result)
    {
        reader.Read();
        int start = (int)reader.TokenStartIndex;
        // An empty side is null in some answers of the cents era. Anything else that is no array is kept too, for the snapshot reader to
        // refuse: a side that cannot be read is not an empty side.
        bool take = reader.TokenType != JsonTokenType.Null && form >= knownForm;
        reader.Skip();
        result = take ? form : knownForm;
        return take ? new ByteRange(start, (int)reader.BytesConsumed - start) : known;
    }

    private static long? Integer(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long value)) return value;
        reader.Skip();
        return null;
    }

    private static ByteRange Text(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String) return new ByteRange((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length);
        reader.Skip();
        return default;
    }

    // Types, channels and tickers become parts of channel names and keys, so they are taken as they stand or not at all.
    private static ByteRange PlainText(ref Utf8JsonReader reader, string what)
    {
        var range = Text(ref reader);
        if (reader.TokenType == JsonTokenType.String && !PlainName.IsValid(reader.ValueSpan)) throw new JsonException($"a {what} {PlainName.Rule}");
        return range;
    }
}
