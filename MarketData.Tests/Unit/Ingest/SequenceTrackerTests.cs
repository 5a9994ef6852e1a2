using MarketData.Ingest.Upstream;

namespace MarketData.Tests.Unit.Ingest;

public sealed class SequenceTrackerTests
{
    private readonly SequenceTracker _tracker = new();

    [Fact]
    public void Each_subscription_counts_for_itself()
    {
        Assert.Equal(SequenceStep.InOrder, _tracker.Take(1, 1));
        Assert.Equal(SequenceStep.InOrder, _tracker.Take(2, 1));
        Assert.Equal(SequenceStep.InOrder, _tracker.Take(1, 2));
        Assert.Equal(SequenceStep.InOrder, _tracker.Take(2, 2));
    }

    [Fact]
    public void A_subscription_that_does_not_begin_with_1_has_lost_its_beginning()
    {
        Assert.Equal(SequenceStep.Gap, _tracker.Take(1, 17));
        Assert.Equal(SequenceStep.InOrder, _tracker.Take(1, 18));
    }

    [Fact]
    public void After_a_hole_the_count_goes_on_from_the_frame_behind_it()
    {
        _tracker.Take(3, 4);
        Assert.Equal(SequenceStep.Gap, _tracker.Take(3, 6));
        Assert.Equal(SequenceStep.InOrder, _tracker.Take(3, 7));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(1)]
    public void A_number_that_came_before_does_not_set_the_count_back(long seq)
    {
        _tracker.Take(3, 4);
        Assert.Equal(SequenceStep.Repeated, _tracker.Take(3, seq));
        Assert.Equal(SequenceStep.InOrder, _tracker.Take(3, 5));
    }
}
