using MarketData.Ingest.Upstream;

namespace MarketData.Tests.Unit.Ingest;

public sealed class SequenceTrackerTests
{
    private readonly SequenceTracker _tracker = new();

    [Fact]
    public void Each_subscription_counts_for_itself()
    {
        _tracker.Take(1, 1);
        _tracker.Take(2, 1);
        _tracker.Take(1, 2);
        _tracker.Take(2, 2);
    }

    [Fact]
    public void The_first_number_seen_is_the_base()
    {
        _tracker.Take(1, 17);
        _tracker.Take(1, 18);
    }

    [Fact]
    public void The_first_number_must_be_one_after_an_unreadable_frame()
    {
        _tracker.SkipUnreadable();
        _tracker.Take(1, 1);
        Assert.Throws<SequenceException>(() => _tracker.Take(2, 2));
    }

    [Theory]
    [InlineData(6, "Subscription 3 went from sequence number 4 to 6: 1 frames are missing.")]
    [InlineData(4, "Subscription 3 went back from sequence number 4 to 4.")]
    [InlineData(1, "Subscription 3 went back from sequence number 4 to 1.")]
    public void A_number_that_does_not_follow_is_a_fault(long seq, string message)
    {
        _tracker.Take(3, 4);
        Assert.Equal(message, Assert.Throws<SequenceException>(() => _tracker.Take(3, seq)).Message);
    }
}
