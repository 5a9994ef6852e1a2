using System.Text;
using MarketData.Domain.Envelopes;
using MarketData.Ingest.Relay;
using Microsoft.Extensions.Options;

namespace MarketData.Tests.Unit.Ingest;

public sealed class RelayOffsetsTests
{
    private readonly ManualTime _time = new();
    private readonly RelayMarkets _markets;
    private readonly RelayOffsets _offsets;
    private readonly RelayMarket _market;

    public RelayOffsetsTests()
    {
        _markets = new RelayMarkets(_time);
        _offsets = new RelayOffsets(Options.Create(new RelayOptions()), _time);
        var value = Encoding.UTF8.GetBytes("""{"payload":{},"channel":"trade","marketTicker":"M"}""");
        Assert.True(Envelope.TryParse(value, out var envelope, out _));
        _market = _markets.Of(value, envelope, partition: 3);
    }

    [Fact]
    public void An_offset_is_given_out_when_the_keys_hold_every_change_before_it()
    {
        _markets.MarkDirty(_market);
        _offsets.Done(3, 9);
        Assert.Null(_offsets.TakeCommittable(_markets));

        _time.Advance(TimeSpan.FromSeconds(5));
        _offsets.Done(3, 20);
        _markets.TakeDirty(TimeSpan.Zero, 10, []);
        Assert.Equal([new PartitionOffset(3, 10)], _offsets.TakeCommittable(_markets));
    }

    [Fact]
    public void A_change_after_the_candidates_were_taken_does_not_hold_them_back()
    {
        _markets.MarkDirty(_market);
        _offsets.Done(3, 9);
        Assert.Null(_offsets.TakeCommittable(_markets));
        _markets.TakeDirty(TimeSpan.Zero, 10, []);
        _time.Advance(TimeSpan.FromTicks(1));
        _markets.MarkDirty(_market);
        Assert.Equal([new PartitionOffset(3, 10)], _offsets.TakeCommittable(_markets));
    }

    [Fact]
    public void A_lost_connection_takes_the_candidates_back_and_commits_everything_anew()
    {
        _offsets.Done(3, 9);
        var first = _offsets.TakeCommittable(_markets)!;
        _offsets.Commit(first);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Empty(_offsets.TakeCommittable(_markets)!);

        _offsets.Restart();
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(first, _offsets.TakeCommittable(_markets));
    }

    [Fact]
    public void Nothing_is_committed_of_a_partition_that_is_read_again_until_it_has_caught_up()
    {
        _offsets.Done(3, 9);
        _offsets.ReadAgain(3, until: 10);
        Assert.True(_offsets.IsReadAgain(3, 9));
        Assert.False(_offsets.IsReadAgain(3, 10));
        _offsets.Done(3, 4);
        Assert.Empty(_offsets.TakeCommittable(_markets)!);

        _offsets.Done(3, 9);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(_offsets.IsReadAgain(3, 9));
        Assert.Equal([new PartitionOffset(3, 10)], _offsets.TakeCommittable(_markets));
    }

    [Fact]
    public void A_log_that_begins_anew_is_followed()
    {
        _offsets.Done(3, 900);
        _offsets.Done(3, 0);
        Assert.Equal(1, _offsets.Next(3));
    }

    [Fact]
    public void A_partition_that_was_taken_away_is_forgotten()
    {
        _markets.MarkDirty(_market);
        _offsets.Done(3, 9);
        Assert.Null(_offsets.TakeCommittable(_markets));
        _markets.Forget(3);
        _offsets.Forget(3);
        Assert.Empty(_offsets.TakeCommittable(_markets)!);
        Assert.Null(_offsets.Next(3));
    }
}
