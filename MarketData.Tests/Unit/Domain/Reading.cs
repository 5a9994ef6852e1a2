using System.Globalization;
using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Envelopes;
using MarketData.Domain.Frames;

namespace MarketData.Tests.Unit.Domain;

/// <summary>A parsed frame with the bytes that its ranges point into.</summary>
internal sealed record ParsedFrame(byte[] Bytes, ExchangeFrame Frame)
{
    public string TypeName => Of(Frame.TypeName);

    public string Ticker => Of(Frame.Ticker);

    public string MarketId => Of(Frame.MarketId);

    public string Body => Of(Frame.Body);

    public string Json => Of(Frame.Json);

    private string Of(ByteRange range) => Encoding.UTF8.GetString(range.Of(Bytes));
}

/// <summary>Reads text as the services do, and shows books as text that an assertion can compare.</summary>
internal static class Reading
{
    public static ParsedFrame Frame(string json) => Frame(Encoding.UTF8.GetBytes(json));

    public static ParsedFrame Frame(byte[] json)
    {
        Assert.True(ExchangeFrame.TryParse(json, out var frame, out string? error), error);
        Assert.Null(error);
        return new ParsedFrame(json, frame);
    }

    /// <summary>The error of a frame that is refused.</summary>
    public static string Refusal(string json) => Refusal(Encoding.UTF8.GetBytes(json));

    public static string Refusal(byte[] json)
    {
        Assert.False(ExchangeFrame.TryParse(json, out _, out string? error));
        return Assert.IsType<string>(error);
    }

    /// <summary>The book that a snapshot frame sets.</summary>
    public static OrderBook Book(string json)
    {
        var book = new OrderBook();
        var parsed = Frame(json);
        Assert.True(SnapshotReader.TryRead(parsed.Bytes, parsed.Frame.Levels, book));
        return book;
    }

    public static Envelope Envelope(ReadOnlySpan<byte> bytes)
    {
        Assert.True(MarketData.Domain.Envelopes.Envelope.TryParse(bytes, out var envelope, out string? error), error);
        return envelope;
    }

    /// <summary>"yes 4700:100 4800:3154 no 5200:2000" in price and count units.</summary>
    public static string Text(OrderBook book)
    {
        var text = new StringBuilder();
        foreach (var side in new[] { Side.Yes, Side.No })
        {
            text.Append(side == Side.Yes ? "yes" : " no");
            foreach (var level in book.Levels(side)) text.Append(CultureInfo.InvariantCulture, $" {level.Price}:{level.Count}");
        }

        return text.ToString();
    }
}
