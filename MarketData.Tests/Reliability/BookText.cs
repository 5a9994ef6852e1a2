using System.Globalization;
using MarketData.Domain.Books;
using MarketData.MockKalshi.Exchange;

namespace MarketData.Tests.Reliability;

/// <summary>Books as text, so that a difference can be read.</summary>
internal static class BookText
{
    public static string Of(BookView book) => Of(book.Yes, book.No);

    /// <summary>With a word before it when it is not known to be right.</summary>
    public static string Of(SequencedBook? book) =>
        book is not { HasBase: true } ? "no book"
        : (book.IsStale ? "stale " : "") + Of(book.Book.Levels(Side.Yes), book.Book.Levels(Side.No));

    private static string Of(ReadOnlySpan<Level> yes, ReadOnlySpan<Level> no) => $"yes {Ladder(yes)} no {Ladder(no)}";

    private static string Ladder(ReadOnlySpan<Level> levels)
    {
        var texts = new List<string>(levels.Length);
        foreach (var level in levels) texts.Add(string.Create(CultureInfo.InvariantCulture, $"{level.Price}:{level.Count}"));
        return string.Join(' ', texts);
    }
}
