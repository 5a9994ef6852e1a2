using MarketData.MockKalshi.Exchange.Truth;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Replay;

/// <summary>One market's book as one subscription gets it: how many of its frames had gone out with which <c>seq</c>.</summary>
internal sealed class BookStream
{
    public BookStream(Subscription subscription)
    {
        Subscription = subscription;
        Trail.Add(subscription.LastSeq, 0);
    }

    /// <summary>
    /// Held while a frame of the stream takes its number and is noted: whoever holds it and sees the subscription at a number finds
    /// every frame up to that number noted.
    /// </summary>
    public Lock Gate { get; } = new();

    public Subscription Subscription { get; }

    /// <summary>From <c>seq</c> to the frames of the market's track that were sent.</summary>
    public SeqTrail Trail { get; } = new();
}
