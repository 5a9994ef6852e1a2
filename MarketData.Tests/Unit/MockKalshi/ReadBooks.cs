using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Frames;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>Books as a client builds them with the system's own parser, which reads every dialect.</summary>
internal sealed class ReadBooks
{
    private readonly Dictionary<string, OrderBook> _books = [];

    public OrderBook this[string ticker] => _books[ticker];

    public bool Knows(string ticker) => _books.ContainsKey(ticker);

    /// <summary>Applies a book frame; others are left alone. A level below zero fails the test.</summary>
    public void Apply(Frame frame)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(frame.Text);
        Assert.True(ExchangeFrame.TryParse(bytes, out var parsed, out string? error), error);
        string ticker = Encoding.UTF8.GetString(parsed.Ticker.Of(bytes));
        if (parsed.Type == FrameType.OrderbookSnapshot)
        {
            _books[ticker] = Read(bytes, parsed);
        }
        else if (parsed.Type == FrameType.OrderbookDelta)
        {
            var delta = Assert.NotNull(parsed.Delta);
            Assert.True(_books[ticker].TryApply(delta.Side, delta.Price, delta.Change), $"below zero: {frame.Text}");
        }
    }

    /// <summary>A snapshot must hold the book that the frames before it made.</summary>
    public void AssertEqual(Frame snapshot)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(snapshot.Text);
        Assert.True(ExchangeFrame.TryParse(bytes, out var parsed, out string? error), error);
        string ticker = Encoding.UTF8.GetString(parsed.Ticker.Of(bytes));
        Assert.True(_books[ticker].ContentEquals(Read(bytes, parsed)), $"the book differs from {snapshot.Text}");
    }

    private static OrderBook Read(byte[] bytes, ExchangeFrame parsed)
    {
        var book = new OrderBook();
        Assert.True(SnapshotReader.TryRead(bytes, parsed.Levels, book));
        return book;
    }
}
