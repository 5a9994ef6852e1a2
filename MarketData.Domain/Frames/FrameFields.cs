using System.Text.Json;
using MarketData.Domain.Books;
using MarketData.Domain.Numbers;

namespace MarketData.Domain.Frames;

/// <summary>
/// What one pass over a frame collects. Keys come in any order, so values are collected by key name, and the newer form of a
/// value wins over its older twin whatever their order.
/// </summary>
internal struct FrameFields
{
    public ByteRange Type, Ticker, MarketId, Body;
    public long Id, Sid;
    public long? Seq;
    public SnapshotLevels Levels;
    public bool HasPrivateFields;

    private ByteRange _channel, _rootTicker, _dollars, _fixedDelta, _sideName;
    private long? _cents, _contracts;

    public void ReadObject(ref Utf8JsonReader reader, bool isRoot)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
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
        else if (_contracts is > -MaxContracts and < MaxContracts)
        {
            change = _contracts.Value * FixedPoint.CountScale;
        }
        else
        {
            return null;
        }

        return new BookDelta(yes ? Side.Yes : Side.No, price, change);
    }

    // Far above any real size, far below an overflow of the scaled count.
    private const long MaxContracts = 1_000_000_000_000_000;

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
                Type = Text(ref reader);
                return true;
            case 7 when key.SequenceEqual("channel"u8):
                _channel = Text(ref reader);
                return true;
            case 13 when key.SequenceEqual("market_ticker"u8):
                _rootTicker = PlainText(ref reader);
                return true;
            default:
                return false;
        }
    }

    private bool ReadBody(ReadOnlySpan<byte> key, ref Utf8JsonReader reader)
    {
        switch (key.Length)
        {
            case 2 when key.SequenceEqual("no"u8):
                Levels = Levels with { No = Newest(Levels.No, Levels.NoForm, LevelForm.Cents, ref reader, out var form), NoForm = form };
                return true;
            case 3 when key.SequenceEqual("yes"u8):
                Levels = Levels with { Yes = Newest(Levels.Yes, Levels.YesForm, LevelForm.Cents, ref reader, out form), YesForm = form };
                return true;
            case 4 when key.SequenceEqual("side"u8):
                _sideName = Text(ref reader);
                return true;
            case 5 when key.SequenceEqual("price"u8):
                _cents = Integer(ref reader);
                return true;
            case 5 when key.SequenceEqual("delta"u8):
                _contracts = Integer(ref reader);
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
                Ticker = PlainText(ref reader);
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
        bool isArray = reader.TokenType == JsonTokenType.StartArray;
        reader.Skip();
        // An empty side is null in some answers of the cents era.
        bool take = isArray && form > knownForm;
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

    // A ticker becomes part of channel names and keys, so it is taken as it stands or not at all.
    private static ByteRange PlainText(ref Utf8JsonReader reader)
    {
        var range = Text(ref reader);
        if (reader.TokenType == JsonTokenType.String && !IsPlain(reader.ValueSpan))
            throw new JsonException("a market ticker holds letters, digits and . _ - only");
        return range;
    }

    private static bool IsPlain(ReadOnlySpan<byte> text) =>
        text.IndexOfAnyExcept(TickerBytes) < 0;

    private static readonly System.Buffers.SearchValues<byte> TickerBytes =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"u8);
}
