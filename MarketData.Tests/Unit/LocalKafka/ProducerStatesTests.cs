using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;
using MarketData.Tests.Integration.LocalKafka;

namespace MarketData.Tests.Unit.LocalKafka;

/// <summary>What only long histories show of idempotence.</summary>
public sealed class ProducerStatesTests
{
    [Fact]
    public void Sequences_wrap_from_the_greatest_to_zero()
    {
        var states = new ProducerStates();
        states.Record(Header(int.MaxValue - 1, 3), 0); // …646, …647, 0

        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, states.Check(Header(0, 1), out _));
        Assert.Equal(ErrorCode.None, states.Check(Header(1, 1), out var repeated));
        Assert.Null(repeated);
        Assert.Equal(ErrorCode.None, states.Check(Header(int.MaxValue - 1, 3), out repeated));
        Assert.Equal(0, repeated?.BaseOffset);
    }

    [Fact]
    public void A_producer_silent_for_more_than_a_day_is_forgotten()
    {
        var states = new ProducerStates();
        states.Record(Header(0, 1), 0);
        states.Expire(24 * 3600 * 1000);
        Assert.Equal(ErrorCode.None, states.Check(Header(1, 1), out _));
        states.Expire(24 * 3600 * 1000 + 1);
        Assert.Equal(ErrorCode.UnknownProducerId, states.Check(Header(1, 1), out _));
    }

    [Fact]
    public void Saved_states_are_read_back_and_damaged_ones_are_not()
    {
        var path = Path.GetTempFileName();
        try
        {
            var states = new ProducerStates();
            for (var i = 0; i < 7; i++) states.Record(Header(i, 1), 5);
            var saved = states.Serialize(nextOffset: 7);
            File.WriteAllBytes(path, saved);

            var restored = new ProducerStates();
            Assert.Equal(7, restored.Load(path));
            Assert.Equal(ErrorCode.None, restored.Check(Header(7, 1), out _));
            Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, restored.Check(Header(1, 1), out _));

            for (var at = 0; at < saved.Length; at++)
            {
                var damaged = (byte[])saved.Clone();
                damaged[at] ^= 0x10;
                File.WriteAllBytes(path, damaged);
                Assert.Null(new ProducerStates().Load(path));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static RecordBatch Header(int sequence, int count)
    {
        Assert.True(RecordBatch.TryRead(new BatchBuilder { ProducerId = 9, ProducerEpoch = 0, BaseSequence = sequence }.AddMany(count).Build(), out var header));
        return header;
    }
}
