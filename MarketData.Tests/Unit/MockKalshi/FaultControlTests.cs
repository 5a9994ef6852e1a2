using System.Net;
using MarketData.MockKalshi;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>The control API of faults and their form on the command line.</summary>
public sealed class FaultControlTests
{
    [Theory]
    [InlineData("", "field kind")]
    [InlineData("explode", "must be one of delay-ack, drop, duplicate, error, handshake-status")]
    [InlineData("{\"count\":3}", "field kind: is missing")]
    [InlineData("{\"kind\":\"skip\"", "no JSON object")]
    [InlineData("{\"kind\":[1]}", "field kind: must be a string or a number")]
    [InlineData("{\"kind\":\"skip\",\"count\":1,\"count\":2}", "field count: is given twice")]
    [InlineData("{\"kind\":\"\\ud800\"}", "no JSON object")]
    [InlineData("skip:count", "count: a field is name=value")]
    [InlineData("skip:count=-1", "field count: must be a whole number from 0 to 2,147,483,647, but is -1")]
    [InlineData("skip:count=many", "field count: must be a whole number")]
    [InlineData("skip:count=1,count=2", "field count: is given twice")]
    [InlineData("skip:after=x", "field after")]
    [InlineData("skip:connection=0", "field connection: must be a whole number from 1")]
    [InlineData("skip:channel=books", "field channel: must be a channel such as orderbook_delta")]
    [InlineData("skip:market=", "field market: must have 1 to 200 characters")]
    [InlineData("skip:chanel=trade", "field chanel: skip takes after, channel, connection, count, market, type")]
    [InlineData("drop:how=gently", "field how: must be one of close, abort")]
    [InlineData("drop:code=1005", "close code 1005 may not be on the wire")]
    [InlineData("drop:code=999", "field code")]
    [InlineData("huge:bytes=16777217", "field bytes")]
    [InlineData("huge:count=17", "field count: must be a whole number from 1 to 16")]
    [InlineData("huge:count=0", "field count: must be a whole number from 1 to 16")]
    [InlineData("split:fragments=1", "field fragments")]
    [InlineData("reorder:milliseconds=0", "field milliseconds")]
    [InlineData("delay-ack:milliseconds=600001", "field milliseconds")]
    [InlineData("stop-reading:milliseconds=0", "field milliseconds")]
    [InlineData("stop-pinging:channel=trade", "field channel: stop-pinging takes after, connection, count")]
    [InlineData("error:code=8", "field code: must be one of 25, 10, 26, 27")]
    [InlineData("error:code=26,channel=trade", "field channel: error takes after, code, connection, count")]
    [InlineData("handshake-status:status=500", "field status: must be one of 503, 429, 401")]
    [InlineData("handshake-status:path=/trade-api/v2", "field path")]
    [InlineData("rest-status:path=/mock", "field path: must be /trade-api/v2 or a path below it")]
    [InlineData("hide-market", "field market: is missing")]
    [InlineData("hide-market:market=KXA,count=2", "field count: hide-market takes market")]
    public async Task A_wrong_description_is_answered_by_what_is_wrong_and_changes_nothing(string description, string named)
    {
        await using var exchange = await MockExchange.StartStillAsync();

        using var answer = await exchange.PostFaultAsync(description);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(named, (string)(await FaultControl.ReadAsync(answer))["error"]!["message"]!, StringComparison.Ordinal);
        Assert.Empty(await exchange.FaultsAsync());
    }

    [Fact]
    public async Task A_description_that_is_too_long_is_refused()
    {
        await using var exchange = await MockExchange.StartStillAsync();

        using var answer = await exchange.PostFaultAsync($"skip:market={new string('x', 20_000)}");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task The_listing_has_active_spent_and_removed_faults_with_what_was_asked()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await exchange.AddFaultAsync("newline:type=ok");
        await exchange.AddFaultAsync("""{"kind":"skip","channel":"trade","count":3}""");
        int removed = await exchange.AddFaultAsync("drop");
        await exchange.RemoveFaultAsync(removed);
        await using var client = await exchange.ConnectAsync();
        await client.AskAsync("""{"id":1,"cmd":"list_subscriptions"}""");

        var listing = await exchange.GetAsync("/mock/faults");

        Assert.Equal(
            """{"last_connection":1,"faults":[{"id":1,"kind":"newline","state":"spent","seen":1,"fired":1,"fields":{"type":"ok"}},{"id":2,"kind":"skip","state":"active","seen":0,"fired":0,"fields":{"channel":"trade","count":"3"}},{"id":3,"kind":"drop","state":"removed","seen":0,"fired":0,"fields":{}}]}""",
            listing.ToJsonString());
    }

    [Fact]
    public async Task Removing_all_ends_every_fault()
    {
        await using var exchange = await MockExchange.StartStillAsync("--fault", "newline:count=0", "--fault", "rest-status:count=0");

        Assert.Equal("""{"removed":2}""", (await exchange.RemoveAllFaultsAsync()).ToJsonString());

        await using var client = await exchange.ConnectAsync();
        Assert.False((await client.AskAsync("""{"id":1,"cmd":"list_subscriptions"}""")).Text.EndsWith('\n'));
        Assert.NotEmpty(await exchange.TickersAsync());
        Assert.Equal("""{"removed":0}""", (await exchange.RemoveAllFaultsAsync()).ToJsonString());
    }

    [Fact]
    public async Task A_fault_that_does_not_exist_cannot_be_removed()
    {
        await using var exchange = await MockExchange.StartStillAsync();

        using var answer = await exchange.Http.DeleteAsync("/mock/faults/5", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("fault not found: 5", (string)(await FaultControl.ReadAsync(answer))["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Not_more_than_a_thousand_faults_wait_at_once()
    {
        string[] faults = [.. Enumerable.Repeat((string[])["--fault", "skip:channel=trade"], 1000).SelectMany(argument => argument)];
        await using var exchange = await MockExchange.StartStillAsync(faults);

        using var answer = await exchange.PostFaultAsync("skip");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        await exchange.RemoveFaultAsync(1);
        await exchange.AddFaultAsync("skip");
    }

    [Fact]
    public async Task Past_faults_are_forgotten_beyond_two_hundred_oldest_first()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        for (int i = 0; i < 205; i++)
        {
            await exchange.AddFaultAsync("skip");
            await exchange.RemoveAllFaultsAsync();
        }

        var faults = await exchange.FaultsAsync();

        Assert.Equal((200, 6), (faults.Count, (int)faults[0]!["id"]!));
    }

    [Fact]
    public async Task Peers_on_other_machines_are_refused()
    {
        await using var exchange = await MockExchange.StartBehindAsync(IPAddress.Parse("203.0.113.7"), "--rate", "0");

        using var listing = await exchange.Http.GetAsync("/mock/faults", TestContext.Current.CancellationToken);
        using var added = await exchange.PostFaultAsync("drop");
        using var removed = await exchange.Http.DeleteAsync("/mock/faults", TestContext.Current.CancellationToken);

        Assert.Equal([HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden], [listing.StatusCode, added.StatusCode, removed.StatusCode]);
        Assert.NotEmpty(await exchange.TickersAsync());
    }

    [Fact]
    public async Task Loopback_peers_are_known_in_their_IPv6_form_too()
    {
        await using var exchange = await MockExchange.StartBehindAsync(IPAddress.Parse("::ffff:127.0.0.5"), "--rate", "0");

        Assert.Empty(await exchange.FaultsAsync());
    }

    [Theory]
    [InlineData("--fault", "skip:count=x", "Faults:0 (--fault 'skip:count=x'): field count")]
    [InlineData("--fault", "drop", "--fault=explode", "Faults:1 (--fault 'explode'): field kind")]
    [InlineData("--fault", "--fault needs a value")]
    [InlineData("--Faults:0", "explode", "Faults:0")]
    public void A_wrong_fault_on_the_command_line_ends_the_start_with_its_name(params string[] argumentsAndMessage)
    {
        var failure = Assert.Throws<StartupException>(() => MockKalshiApplication.Build(argumentsAndMessage[..^1]));

        Assert.Contains(argumentsAndMessage[^1], failure.Message, StringComparison.Ordinal);
    }
}
