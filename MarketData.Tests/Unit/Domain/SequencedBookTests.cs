using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Envelopes;

namespace MarketData.Tests.Unit.Domain;

public class SequencedBookTests
{
    private const string Base = """{"type":"orderbook_snapshot","msg":{"market_ticker":"M","market_id":"id-1","yes_dollars_fp":[["0.4800","10.00"]]}}""";
    private const string Plus = """{"type":"orderbook_delta","msg":{"market_ticker":"M","price_dollars":"0.4800","delta_fp":"1.00","side":"yes"}}""";
    private const string BelowZero = """{"type":"orderbook_delta","msg":{"market_ticker":"M","price_dollars":"0.4800","delta_fp":"-99.00","side":"yes"}}""";
    private const string Empty = """{"type":"orderbook_snapshot","msg":{"market_ticker":"M","market_id":""}}""";

    private readonly SequencedBook _book = new();

    [Fact]
    public void A_snapshot_sets_the_book_and_the_next_delta_changes_it()
    {
        Assert.Equal(BookOutcome.Applied, Apply(Base, 7, sequence: 100));
        Assert.Equal("yes 4800:1000 no", Reading.Text(_book.Book));
        Assert.Equal(BookOutcome.Applied, Apply(Plus, 8, sequence: 105));
        Assert.Equal("yes 4800:1100 no", Reading.Text(_book.Book));
        Assert.True(_book.HasBase);
        Assert.Equal(new StreamPosition(1, 8), _book.Position);
        Assert.Equal(105, _book.Sequence);
        Assert.Equal(1_008, _book.ReceivedTimestamp);
        Assert.Equal("id-1", Encoding.UTF8.GetString(_book.MarketId));
    }

    [Fact]
    public void A_delta_before_the_first_snapshot_is_a_gap()
    {
        Assert.Equal(BookOutcome.Gap, Apply(Plus, 1));
        Assert.False(_book.HasBase);
        Assert.True(_book.Book.IsEmpty);
    }

    [Theory]
    [InlineData(Plus, 7)]
    [InlineData(Plus, 6)]
    [InlineData(Empty, 7)]
    [InlineData(Empty, 1)]
    [InlineData("not even a frame", 7)]
    public void What_is_at_or_before_the_position_is_a_duplicate_and_changes_nothing(string payload, long number)
    {
        Apply(Base, 7);
        Assert.Equal(BookOutcome.Duplicate, Apply(payload, number));
        Assert.Equal("yes 4800:1000 no", Reading.Text(_book.Book));
        Assert.Equal(new StreamPosition(1, 7), _book.Position);
    }

    [Fact]
    public void A_skipped_number_is_a_gap_until_a_snapshot_or_the_missing_delta_comes()
    {
        Apply(Base, 7);
        Assert.Equal(BookOutcome.Gap, Apply(Plus, 9));
        Assert.Equal(BookOutcome.Gap, Apply(Plus, 10));
        Assert.Equal("yes 4800:1000 no", Reading.Text(_book.Book));
        Assert.Equal(BookOutcome.Applied, Apply(Plus, 8));
        Assert.Equal(BookOutcome.Applied, Apply(Plus, 9));
        Assert.Equal(BookOutcome.Applied, Apply(Base, 20));
        Assert.Equal(BookOutcome.Applied, Apply(Plus, 21));
        Assert.Equal("yes 4800:1100 no", Reading.Text(_book.Book));
    }

    [Fact]
    public void A_later_epoch_begins_with_its_snapshot_and_an_earlier_one_is_past()
    {
        Apply(Base, 7, epoch: 5);
        Assert.Equal(BookOutcome.Gap, Apply(Plus, 8, epoch: 6));
        Assert.Equal(BookOutcome.Duplicate, Apply(Empty, 900, epoch: 4));
        Assert.Equal(BookOutcome.Applied, Apply(Empty, 1, epoch: 6));
        Assert.True(_book.Book.IsEmpty);
        Assert.Equal(BookOutcome.Applied, Apply(Plus, 2, epoch: 6));
        Assert.Equal(BookOutcome.Duplicate, Apply(Plus, 8, epoch: 5));
        Assert.Equal(new StreamPosition(6, 2), _book.Position);
    }

    [Theory]
    [InlineData(BelowZero, "orderbook_delta")]
    [InlineData("""{"type":"orderbook_delta","msg":{"market_ticker":"M","side":"yes"}}""", "orderbook_delta")]
    [InlineData("null", "orderbook_delta")]
    [InlineData(Base, "orderbook_delta")]
    [InlineData(Plus, "orderbook_snapshot")]
    [InlineData("""{"type":"trade","msg":{"market_ticker":"M"}}""", "orderbook_snapshot")]
    [InlineData("""{"type":"orderbook_snapshot","msg":{"yes":[[48,1],[48,1]]}}""", "orderbook_snapshot")]
    [InlineData("[]", "orderbook_snapshot")]
    public void What_does_not_fit_takes_the_base_away_until_the_next_snapshot(string payload, string channel)
    {
        Apply(Base, 7);
        Assert.Equal(BookOutcome.Invalid, Apply(payload, 8, channel: channel));
        Assert.False(_book.HasBase);
        Assert.Equal(BookOutcome.Gap, Apply(Plus, 8));
        Assert.Equal(BookOutcome.Gap, Apply(Plus, 9));
        Assert.Equal(BookOutcome.Applied, Apply(Base, 10));
        Assert.Equal(BookOutcome.Applied, Apply(Plus, 11));
        Assert.Equal("yes 4800:1100 no", Reading.Text(_book.Book));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void An_envelope_without_a_number_is_invalid_rather_than_taken_for_a_duplicate(long number)
    {
        Assert.Equal(BookOutcome.Invalid, Apply(Base, number));
        Apply(Base, 7);
        Assert.Equal(BookOutcome.Invalid, Apply(Plus, number));
        Assert.False(_book.HasBase);
    }

    [Fact]
    public void A_snapshot_always_resets_even_across_a_hole()
    {
        Apply(Base, 7);
        Assert.Equal(BookOutcome.Applied, Apply(Empty, 1_000));
        Assert.True(_book.Book.IsEmpty);
        Assert.Equal("id-1", Encoding.UTF8.GetString(_book.MarketId));
    }

    private BookOutcome Apply(string payload, long number, long epoch = 1, long? sequence = null, string? channel = null)
    {
        channel ??= payload.Contains("orderbook_snapshot", StringComparison.Ordinal) ? "orderbook_snapshot" : "orderbook_delta";
        // An envelope's payload is not looked into before the book reads it; text that is no JSON stands for a foreign writer.
        var json = Encoding.UTF8.GetBytes(payload.StartsWith("not", StringComparison.Ordinal) ? "\"" + payload + "\"" : payload);
        var bytes = new EnvelopeWriter().Write(
            json, Encoding.UTF8.GetBytes(channel), "M"u8, sequence, new StreamPosition(epoch, number), 1_000 + number, 2_000).Span;
        return _book.Apply(bytes, Reading.Envelope(bytes));
    }
}
