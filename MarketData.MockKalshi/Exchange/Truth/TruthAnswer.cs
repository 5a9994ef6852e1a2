namespace MarketData.MockKalshi.Exchange.Truth;

/// <summary>Why the exchange cannot say what a book was.</summary>
internal enum TruthGap
{
    UnknownMarket,

    /// <summary>A <c>seq</c> was named and no connection subscribes to the market's book.</summary>
    NotSubscribed,

    /// <summary>The subscription has not come so far yet.</summary>
    SeqNotReached,

    /// <summary>The subscription's frame, or the market's changes since, are further back than the exchange remembers.</summary>
    NoLongerHeld,
}

/// <summary>The exchange's own book, or why there is none.</summary>
/// <param name="Book">Null when <paramref name="Gap"/> is set.</param>
/// <param name="Change">
/// The last change in it: of the simulation the number of the exchange's change, of a recording how many of the market's frames.
/// </param>
/// <param name="Gap">Null when there is a book.</param>
internal readonly record struct TruthAnswer(BookView? Book, long Change, TruthGap? Gap)
{
    public static TruthAnswer Missing(TruthGap gap) => new(null, 0, gap);
}
