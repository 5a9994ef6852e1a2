using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Tests.Unit.Domain;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>A market's book as a client rebuilds it: a snapshot resets it, everything else must be the next delta.</summary>
internal sealed class ClientBook
{
    private SequencedBook? _book;

    /// <summary>Snapshots so far.</summary>
    public int Snapshots { get; private set; }

    public StreamPosition Position => _book?.Position ?? default;

    public string Text => Reading.Text(_book!.Book);

    public void Take(byte[] message)
    {
        var envelope = Reading.Envelope(message);
        if (envelope.Channel == MarketChannel.OrderbookSnapshot)
        {
            _book = new SequencedBook();
            Snapshots++;
        }

        Assert.True(_book != null, "The first frame of a book channel is a snapshot.");
        var before = _book.Position;
        var outcome = _book.Apply(message, envelope);
        Assert.True(outcome == BookOutcome.Applied, $"{outcome}: {envelope.Channel} {envelope.Position} after {before}");
    }

    /// <summary>Reads book frames until the book is where the source is, and compares.</summary>
    public async Task FollowAsync(GatewayConnection client, MarketSource source)
    {
        while (Position != source.Book.Position) Take(await client.NextBytesAsync());
        Assert.Equal(source.BookText, Text);
    }
}
