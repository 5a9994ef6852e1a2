using System.Net;
using System.Net.WebSockets;
using System.Text;
using MarketData.Domain.Channels;

namespace MarketData.Tests.Unit.Gateway;

public sealed class MalformedRequestTests(MalformedRequestTests.SmallHost gateway) : IClassFixture<MalformedRequestTests.SmallHost>
{
    [Theory]
    [InlineData("", "Invalid JSON")]
    [InlineData("{", "Invalid JSON")]
    [InlineData("hello", "Invalid JSON")]
    [InlineData("""{"action":"ping"} {}""", "Invalid JSON")]
    [InlineData("""{"action":"\ud800","channel":"all"}""", "Invalid JSON")]
    [InlineData("""{"action":"subscribe","channel":"\udc00:trade"}""", "Invalid JSON")]
    [InlineData("""{"action":"subscribe","channels":["all","\ud800\ud800"]}""", "Invalid JSON")]
    [InlineData("""{"\ud800":1,"action":"subscribe"}""", "Missing channel")]
    [InlineData("""{"action":"subscribe","channel":[[[[[[[[[[1]]]]]]]]]]}""", "Invalid JSON")]
    [InlineData("[]", "Missing action")]
    [InlineData("null", "Missing action")]
    [InlineData("7", "Missing action")]
    [InlineData("\"subscribe\"", "Missing action")]
    [InlineData("{}", "Missing action")]
    [InlineData("""{"action":null}""", "Missing action")]
    [InlineData("""{"action":{"ping":1}}""", "Missing action")]
    [InlineData("""{"action":"explode"}""", "Unknown action 'explode'")]
    [InlineData("""{"action":"SUBSCRIBE","channel":"all"}""", "Unknown action 'SUBSCRIBE'")]
    [InlineData("""{"action":"subscribe"}""", "Missing channel")]
    [InlineData("""{"action":"unsubscribe"}""", "Missing channel")]
    [InlineData("""{"action":"subscribe","channel":7}""", "Missing channel")]
    [InlineData("""{"action":"subscribe","channels":[]}""", "Missing channel")]
    [InlineData("""{"action":"subscribe","channels":"all"}""", "Missing channel")]
    [InlineData("""{"action":"subscribe","channels":[7]}""", "Unknown channel '7'")]
    [InlineData("""{"action":"subscribe","channel":""}""", "Unknown channel ''")]
    [InlineData("""{"action":"subscribe","channel":"ALL"}""", "Unknown channel 'ALL'")]
    [InlineData("""{"action":"subscribe","channel":":trade"}""", "Unknown channel ':trade'")]
    [InlineData("""{"action":"subscribe","channel":"M:"}""", "Unknown channel 'M:'")]
    [InlineData("""{"action":"subscribe","channel":"M:fill"}""", "Unknown channel 'M:fill'")]
    [InlineData("""{"action":"subscribe","channel":"M*:trade"}""", "Unknown channel 'M*:trade'")]
    [InlineData("""{"action":"subscribe","channel":"A:B:trade"}""", "Unknown channel 'A:B:trade'")]
    [InlineData("""{"action":"subscribe","channel":"M\r\nPUBLISH:trade"}""", "Unknown channel")]
    [InlineData("""{"action":"subscribe","channel":"Ü:trade"}""", "Unknown channel 'Ü:trade'")]
    public async Task A_request_that_is_none_is_told_what_is_wrong_and_harms_nobody(string request, string error)
    {
        await using var other = await gateway.ConnectAsync();
        await using var client = await gateway.ConnectAsync();

        Assert.StartsWith(error, await client.ErrorOfAsync(request), StringComparison.Ordinal);

        await client.PingAsync();
        await other.PingAsync();
    }

    [Fact]
    public async Task A_ticker_of_any_length_that_is_too_long_is_refused()
    {
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync($"{new string('M', 256)}:trade");

        Assert.StartsWith("Unknown channel", await client.ErrorOfAsync($$"""{"action":"subscribe","channel":"{{new string('M', 257)}}:trade"}"""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_binary_frame_is_answered_with_an_error()
    {
        await using var client = await gateway.ConnectAsync();

        await client.SendAsync([1, 2, 3, 0xff], WebSocketMessageType.Binary);

        Assert.StartsWith("Binary frames", (await client.AnswerAsync("error")).GetProperty("error").GetString(), StringComparison.Ordinal);
        await client.PingAsync();
    }

    [Fact]
    public async Task A_frame_of_1_MiB_closes_with_1009_and_leaves_others_alone()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "BIG");
        await using var other = await gateway.ConnectAsync();
        await other.SubscribeAsync("BIG:trade");
        await market.SubscribedAsync("trade");
        await using var client = await gateway.ConnectAsync();

        await client.SendAsync(new string(' ', 1 << 20));
        var closed = await client.ClosedAsync();
        var trade = market.Other(MarketChannel.Trade);
        await market.PublishAsync(trade);

        Assert.Equal((1009, "A request holds at most 4096 bytes."), closed);
        Assert.Equal(trade, await other.NextBytesAsync());
    }

    [Fact]
    public async Task A_request_in_many_fragments_is_read_up_to_the_limit()
    {
        await using var client = await gateway.ConnectAsync();
        var request = Encoding.UTF8.GetBytes("""{"action":"ping"}""".PadRight(4096));

        for (int i = 0; i < request.Length; i += 64)
            await client.Socket.SendAsync(request.AsMemory(i, 64), WebSocketMessageType.Text, i + 64 == request.Length, TestContext.Current.CancellationToken);

        await client.AnswerAsync("pong");
    }

    [Fact]
    public async Task Text_that_is_no_UTF_8_closes_with_1007()
    {
        await using var client = await gateway.ConnectAsync();

        await client.SendAsync([(byte)'"', 0xff, 0xfe, (byte)'"'], WebSocketMessageType.Text);

        Assert.Equal(1007, (await client.ClosedAsync()).Code);
    }

    [Fact]
    public async Task More_subscriptions_than_allowed_are_refused_one_by_one()
    {
        await using var client = await gateway.ConnectAsync();
        await client.AskAsync("subscribe", "L1:trade", "L2:trade", "L3:trade", "L4:trade");

        for (int i = 0; i < 3; i++) await client.AnswerAsync("subscribed");
        var refused = (await client.AnswerAsync("error")).GetProperty("error").GetString();
        await client.AskAsync("unsubscribe", "L1:trade");
        await client.AnswerAsync("unsubscribed");

        Assert.Equal("Not subscribed to 'L4:trade': a client may subscribe at most 3 channels.", refused);
        await client.SubscribeAsync("L4:trade");
    }

    [Fact]
    public async Task A_plain_GET_on_the_endpoint_is_told_to_upgrade()
    {
        using var response = await gateway.Http.GetAsync("/ws/market-data", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.UpgradeRequired, response.StatusCode);
        Assert.Equal("websocket", response.Headers.Upgrade.Single().Name);
        Assert.Contains("ws://", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    /// <summary>Three subscriptions at most.</summary>
    public sealed class SmallHost() : GatewayHost("--Gateway:MaxSubscriptions=3");
}
