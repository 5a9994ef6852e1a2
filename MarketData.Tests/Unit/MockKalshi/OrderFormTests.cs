using System.Net;
using System.Text.Json.Nodes;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>Orders that are wrong in form: refused before any market is asked, each by the name of its field.</summary>
public class OrderFormTests
{
    private const string Outcome = "portfolio/orders", BookSide = "portfolio/events/orders";

    // In single quotes for legibility. A market that does not exist: what is right in form gets as far as its 404.
    private const string Order = "'ticker':'KXNOSUCH','side':'yes','action':'buy','count':1,'yes_price':50";
    private const string Bid = "'ticker':'KXNOSUCH','side':'bid','count':'1','price':'0.50','time_in_force':'good_till_canceled','self_trade_prevention_type':'maker'";

    [Theory]
    [InlineData("", "side")]
    [InlineData("'ticker':null,'side':'yes','action':'buy','count':1,'yes_price':50", "ticker")]
    [InlineData("'ticker':'','side':'yes','action':'buy','count':1,'yes_price':50", "ticker")]
    [InlineData("'ticker':'KXA','action':'buy','count':1,'yes_price':50", "side")]
    [InlineData("'ticker':'KXA','side':'yes','count':1,'yes_price':50", "action")]
    [InlineData("'ticker':'KXA','side':'yes','action':'buy','yes_price':50", "count")]
    [InlineData("'ticker':'KXA','side':'yes','action':'buy','count':1", "yes_price")]
    [InlineData("'ticker':'KXA','side':'yes','action':'buy','count':1,'type':'limit'", "no_price_dollars")]
    public async Task A_missing_field_is_named(string fields, string named)
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var answer = await exchange.PostAsync(Outcome, Json($"{{{fields}}}"));

        Assert.Equal((HttpStatusCode.BadRequest, "missing_parameters"), (answer.Status, answer.Code));
        Assert.Contains(named, answer.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ticker")]
    [InlineData("side")]
    [InlineData("count")]
    [InlineData("price")]
    [InlineData("time_in_force")]
    [InlineData("self_trade_prevention_type")]
    public async Task The_later_form_requires_each_of_its_fields(string field)
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var body = JsonNode.Parse(Json($"{{{Bid}}}"))!.AsObject();
        body.Remove(field);

        var answer = await exchange.PostAsync(BookSide, body.ToJsonString());

        Assert.Equal((HttpStatusCode.BadRequest, "missing_parameters"), (answer.Status, answer.Code));
        Assert.Equal($"{field} is required", answer.Message);
    }

    [Theory]
    [InlineData("'side':'maybe'", "side")]
    [InlineData("'side':7", "side")]
    [InlineData("'action':'hold'", "action")]
    [InlineData("'type':'stop'", "type")]
    [InlineData("'ticker':['KXA']", "ticker")]
    [InlineData("'ticker':'\\ud800'", "ticker")]
    [InlineData("'count':0", "count")]
    [InlineData("'count':-1", "count")]
    [InlineData("'count':1.5", "count")]
    [InlineData("'count':'1'", "count")]
    [InlineData("'count':10000001", "count")]
    [InlineData("'count':99999999999999999999", "count")]
    [InlineData("'count_fp':'0.00'", "count_fp")]
    [InlineData("'count_fp':'-1.00'", "count_fp")]
    [InlineData("'count_fp':'1.005'", "count_fp")]
    [InlineData("'count_fp':'2.00'", "count and count_fp")]
    [InlineData("'yes_price':0", "yes_price")]
    [InlineData("'yes_price':100", "yes_price")]
    [InlineData("'yes_price':50.5", "yes_price")]
    [InlineData("'yes_price_dollars':'0.00'", "yes_price_dollars")]
    [InlineData("'yes_price_dollars':'1.00'", "yes_price_dollars")]
    [InlineData("'yes_price_dollars':'0.50001'", "yes_price_dollars")]
    [InlineData("'yes_price_dollars':0.5", "yes_price_dollars")]
    [InlineData("'yes_price_dollars':'0.51'", "yes_price and yes_price_dollars")]
    [InlineData("'no_price':50", "yes_price and no_price")]
    [InlineData("'no_price_dollars':'0.50'", "yes_price and no_price")]
    [InlineData("'time_in_force':'GTT'", "time_in_force")]
    [InlineData("'type':'market','time_in_force':'good_till_canceled'", "time_in_force")]
    [InlineData("'type':'market','post_only':true", "post_only")]
    [InlineData("'post_only':'yes'", "post_only")]
    [InlineData("'post_only':true,'time_in_force':'fill_or_kill'", "post_only")]
    [InlineData("'expiration_ts':0", "expiration_ts")]
    [InlineData("'expiration_ts':9999999999999", "expiration_ts")]
    [InlineData("'expiration_ts':'soon'", "expiration_ts")]
    [InlineData("'expiration_ts':4102444800,'time_in_force':'immediate_or_cancel'", "expiration_ts")]
    [InlineData("'client_order_id':5", "client_order_id")]
    [InlineData("'buy_max_cost':100", "buy_max_cost")]
    [InlineData("'sell_position_floor':0", "sell_position_floor")]
    [InlineData("'reduce_only':true", "reduce_only")]
    [InlineData("'order_group_id':'g'", "order_group_id")]
    [InlineData("'subaccount':1", "subaccount")]
    [InlineData("'exchange_index':1", "exchange_index")]
    [InlineData("'self_trade_prevention_type':'both'", "self_trade_prevention_type")]
    [InlineData("'cancel_order_on_pause':1", "cancel_order_on_pause")]
    public async Task A_wrong_or_contradictory_field_is_named(string fields, string named)
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var answer = await exchange.PostAsync(Outcome, With(Order, fields));

        Assert.Equal((HttpStatusCode.BadRequest, "bad_request"), (answer.Status, answer.Code));
        Assert.Contains(named, answer.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'side':'yes'", "side")]
    [InlineData("'count':1", "count")]
    [InlineData("'count':'0'", "count")]
    [InlineData("'count':'10000000.01'", "count")]
    [InlineData("'price':'1.0'", "price")]
    [InlineData("'price':50", "price")]
    [InlineData("'expiration_time':1.5", "expiration_time")]
    [InlineData("'expiration_time':4102444800,'time_in_force':'fill_or_kill'", "expiration_time")]
    [InlineData("'reduce_only':true", "reduce_only")]
    public async Task A_wrong_field_of_the_later_form_is_named(string fields, string named)
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var answer = await exchange.PostAsync(BookSide, With(Bid, fields));

        Assert.Equal((HttpStatusCode.BadRequest, "bad_request"), (answer.Status, answer.Code));
        Assert.Contains(named, answer.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("'order'")]
    [InlineData("{'ticker':")]
    [InlineData("{} {}")]
    [InlineData("{'\\ud800':1}")]
    [InlineData("{'\\ud800xx':1,'side':'yes'}")]
    [InlineData("{'ticker':'KXA','ticker':'KXB'}")]
    public async Task A_body_that_is_not_one_object_is_refused(string body)
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var answer = await exchange.PostAsync(Outcome, Json(body));

        Assert.Equal((HttpStatusCode.BadRequest, "bad_request"), (answer.Status, answer.Code));
        Assert.Contains("the body must be a JSON object", answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_is_too_long_is_a_413()
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var answer = await exchange.PostAsync(Outcome, With(Order, $"'client_order_id':'{new string('x', 70_000)}'"));

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "bad_request"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_long_client_order_id_is_refused()
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var answer = await exchange.PostAsync(Outcome, With(Order, $"'client_order_id':'{new string('x', 129)}'"));

        Assert.Equal("client_order_id must have at most 128 characters, not 129", answer.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("'type':'limit','time_in_force':'good_till_canceled','post_only':true,'expiration_ts':4102444800,'client_order_id':'a'")]
    [InlineData("'count_fp':'1.00','yes_price_dollars':'0.5000'")]
    [InlineData("'time_in_force':'fill_or_kill','post_only':false")]
    [InlineData("'type':'market'")]
    [InlineData("'subaccount':0,'exchange_index':-1,'reduce_only':false,'cancel_order_on_pause':true,'self_trade_prevention_type':'maker'")]
    [InlineData("'a_field_of_tomorrow':{'x':[1]}")]
    public async Task What_is_right_in_form_gets_as_far_as_its_market(string fields)
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var answer = await exchange.PostAsync(Outcome, With(Order, fields));

        Assert.Equal((HttpStatusCode.NotFound, "market not found: KXNOSUCH"), (answer.Status, answer.Message));
    }

    [Theory]
    [InlineData("portfolio/orders/nothing")]
    [InlineData("portfolio/orders/00000000-0000-4000-8000-000000000000")]
    public async Task An_order_that_does_not_exist_is_a_404_that_names_it(string path)
    {
        await using var exchange = await MockExchange.StartStillAsync();

        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Delete })
        {
            var answer = await exchange.SendAsync(method, path);
            Assert.Equal((HttpStatusCode.NotFound, "not_found"), (answer.Status, answer.Code));
            Assert.Equal($"order not found: {path["portfolio/orders/".Length..]}", answer.Message);
        }
    }

    [Fact]
    public async Task A_recording_takes_no_orders_and_says_so()
    {
        string file = Recordings.Require(Recordings.FixedPointSession);
        await using var exchange = await MockExchange.ReplayAsync(file);
        string ticker = (await exchange.TickersAsync())[0];

        var answer = await exchange.PostAsync(Outcome, With(Order, $"'ticker':'{ticker}'"));

        Assert.Equal((HttpStatusCode.Conflict, "order_entry_unavailable"), (answer.Status, answer.Code));
        Assert.Empty((await exchange.GetAsync(Outcome))["orders"]!.AsArray());
    }

    /// <summary>An order with some fields in the place of its own or beside them, as JSON.</summary>
    private static string With(string order, string fields)
    {
        var kept = order.Split(',').Where(entry => !fields.Contains(entry[..(entry.IndexOf(':', StringComparison.Ordinal) + 1)], StringComparison.Ordinal));
        return Json($"{{{string.Join(',', kept.Append(fields).Where(text => text.Length > 0))}}}");
    }

    private static string Json(string text) => text.Replace('\'', '"');
}
