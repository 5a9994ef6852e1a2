using System.Text;
using MarketData.Domain.Channels;
using MarketData.Domain.Frames;

namespace MarketData.Tests.Unit.Domain;

public class NamesTests
{
    [Theory]
    [InlineData("orderbook_snapshot", MarketChannel.OrderbookSnapshot, StreamKind.OrderBook)]
    [InlineData("orderbook_delta", MarketChannel.OrderbookDelta, StreamKind.OrderBook)]
    [InlineData("ticker_v2", MarketChannel.TickerV2, StreamKind.Ticker)]
    [InlineData("trade", MarketChannel.Trade, StreamKind.Trade)]
    [InlineData("market_lifecycle_v2", MarketChannel.MarketLifecycleV2, StreamKind.Lifecycle)]
    public void A_channel_has_one_name_and_one_stream(string name, MarketChannel channel, StreamKind stream)
    {
        Assert.Equal(channel, MarketChannels.Parse(Encoding.UTF8.GetBytes(name)));
        Assert.Equal(name, Encoding.UTF8.GetString(channel.Utf8Name()));
        Assert.Equal(stream, channel.Stream());
    }

    [Fact]
    public void Ticker_is_another_name_of_ticker_v2() => Assert.Equal(MarketChannel.TickerV2, MarketChannels.Parse("ticker"u8));

    [Theory]
    [InlineData("")]
    [InlineData("Trade")]
    [InlineData("trade ")]
    [InlineData("fill")]
    public void Any_other_name_is_of_no_known_channel(string name)
    {
        Assert.Equal(MarketChannel.Other, MarketChannels.Parse(Encoding.UTF8.GetBytes(name)));
        Assert.True(MarketChannel.Other.Utf8Name().IsEmpty);
        Assert.Equal(StreamKind.Other, MarketChannel.Other.Stream());
    }

    [Theory]
    [InlineData(FrameType.OrderbookSnapshot, MarketChannel.OrderbookSnapshot)]
    [InlineData(FrameType.OrderbookDelta, MarketChannel.OrderbookDelta)]
    [InlineData(FrameType.Ticker, MarketChannel.TickerV2)]
    [InlineData(FrameType.Trade, MarketChannel.Trade)]
    [InlineData(FrameType.Lifecycle, MarketChannel.MarketLifecycleV2)]
    [InlineData(FrameType.Private, MarketChannel.Other)]
    [InlineData(FrameType.Subscribed, MarketChannel.Other)]
    [InlineData(FrameType.Unsubscribed, MarketChannel.Other)]
    [InlineData(FrameType.Ok, MarketChannel.Other)]
    [InlineData(FrameType.Error, MarketChannel.Other)]
    [InlineData(FrameType.Unknown, MarketChannel.Other)]
    public void Only_market_data_has_a_public_channel(FrameType type, MarketChannel channel) => Assert.Equal(channel, type.Channel());

    [Fact]
    public void Names_in_Kafka_and_Redis_are_those_of_the_contract()
    {
        Assert.Equal("market-data-all", KafkaNames.Topic);
        Assert.Equal("market-data-redis-publisher", KafkaNames.RelayGroup);
        Assert.Equal("all-markets", Encoding.UTF8.GetString(KafkaNames.NoMarketKey));
        Assert.Equal("market-data:all", RedisNames.AllChannel);
        Assert.Equal("market-data:TRUMP-2024:orderbook_delta", RedisNames.Channel("TRUMP-2024", "orderbook_delta"));
        Assert.Equal("market-data:snapshot:TRUMP-2024", RedisNames.SnapshotKey("TRUMP-2024"));
        Assert.Equal("market-data:snapshot:*", RedisNames.SnapshotKeyPattern);
        Assert.Equal("TRUMP-2024", RedisNames.TickerOfSnapshotKey(RedisNames.SnapshotKey("TRUMP-2024")));
        Assert.Equal("market-data:last:TRUMP-2024:ticker_v2", RedisNames.LastTickerKey("TRUMP-2024"));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("KXBTCD-26JUL0317-T60499.99", true)]
    [InlineData("DUMMY_TEST", true)]
    [InlineData("a:b", false)]
    [InlineData("*", false)]
    [InlineData("a b", false)]
    [InlineData("a\"", false)]
    [InlineData("a\\", false)]
    [InlineData("a\n", false)]
    [InlineData("ä", false)]
    public void A_plain_name_needs_no_quoting_anywhere(string name, bool isPlain) =>
        Assert.Equal(isPlain, PlainName.IsValid(Encoding.UTF8.GetBytes(name)));

    [Fact]
    public void A_plain_name_has_a_bounded_length()
    {
        Assert.True(PlainName.IsValid(Encoding.UTF8.GetBytes(new string('A', PlainName.MaxLength))));
        Assert.False(PlainName.IsValid(Encoding.UTF8.GetBytes(new string('A', PlainName.MaxLength + 1))));
        Assert.Contains(PlainName.MaxLength.ToString(System.Globalization.CultureInfo.InvariantCulture), PlainName.Rule, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dictionary_of_names_is_asked_with_a_part_of_a_buffer()
    {
        var markets = new Dictionary<byte[], int>(Utf8TextComparer.Instance) { ["M-1"u8.ToArray()] = 1, ["M-2"u8.ToArray()] = 2 };
        var bySpan = markets.GetAlternateLookup<ReadOnlySpan<byte>>();
        var buffer = "xxM-2xx"u8;
        Assert.True(bySpan.TryGetValue(buffer[2..5], out int found));
        Assert.Equal(2, found);
        Assert.False(bySpan.ContainsKey(buffer));
        bySpan["M-3"u8] = 3;
        Assert.Equal(3, markets["M-3"u8.ToArray()]);
    }
}
