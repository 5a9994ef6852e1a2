using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MarketData.Domain.Numbers;

namespace MarketData.MockKalshi.Protocol;

/// <summary>JSON text under composition, in a buffer that is used again for the next frame. Not thread-safe.</summary>
internal sealed class FrameText
{
    private byte[] _bytes = new byte[1024];
    private int _length;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    public FrameText Clear()
    {
        _length = 0;
        return this;
    }

    public FrameText Raw(ReadOnlySpan<byte> text)
    {
        text.CopyTo(Reserve(text.Length));
        _length += text.Length;
        return this;
    }

    public FrameText Raw(byte character)
    {
        Reserve(1)[0] = character;
        _length++;
        return this;
    }

    public FrameText Number(long value)
    {
        Utf8Formatter.TryFormat(value, Reserve(20), out int written);
        _length += written;
        return this;
    }

    /// <summary>A JSON string, escaped where JSON asks for it.</summary>
    public FrameText String(string value)
    {
        var encoded = JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes;
        return Raw((byte)'"').Raw(encoded).Raw((byte)'"');
    }

    /// <summary>A price as a JSON string with four decimals.</summary>
    public FrameText Price(int price)
    {
        Raw((byte)'"');
        _length += FixedPoint.FormatPrice(price, Reserve(FixedPoint.MaxFormattedLength));
        return Raw((byte)'"');
    }

    /// <summary>A count as a JSON string with two decimals.</summary>
    public FrameText Count(long count)
    {
        Raw((byte)'"');
        _length += FixedPoint.FormatCount(count, Reserve(FixedPoint.MaxFormattedLength));
        return Raw((byte)'"');
    }

    /// <summary>
    /// Hundredths as a JSON number: an integer when they make whole units, else with two decimals, since a reader that expects whole
    /// numbers must not be given another one.
    /// </summary>
    public FrameText Hundredths(long value)
    {
        if (value % FixedPoint.CountScale == 0) return Number(value / FixedPoint.CountScale);
        _length += FixedPoint.FormatCount(value, Reserve(FixedPoint.MaxFormattedLength));
        return this;
    }

    /// <summary>A time as a JSON string, RFC 3339 UTC with microseconds.</summary>
    public FrameText Time(DateTimeOffset time)
    {
        Raw((byte)'"');
        time.UtcDateTime.TryFormat(Reserve(32), out int written, "yyyy-MM-ddTHH:mm:ss.ffffffZ");
        _length += written;
        return Raw((byte)'"');
    }

    public FrameText Uuid(Guid value)
    {
        Raw((byte)'"');
        value.TryFormat(Reserve(36), out int written);
        _length += written;
        return Raw((byte)'"');
    }

    public override string ToString() => Encoding.UTF8.GetString(Written);

    private Span<byte> Reserve(int count)
    {
        if (_bytes.Length - _length < count) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        return _bytes.AsSpan(_length);
    }
}
