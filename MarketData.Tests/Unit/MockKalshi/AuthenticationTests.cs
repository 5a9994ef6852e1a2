using System.Net;
using System.Security.Cryptography;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>The signed handshake (protocol reference, section 1.2).</summary>
public sealed class AuthenticationTests : IDisposable
{
    private const string NotFound = """{"code":"authentication_error","details":"NOT_FOUND"}""";
    private const string Incorrect = """{"code":"authentication_error","details":"INCORRECT_API_KEY_SIGNATURE"}""";
    private const string Missing = """{"code":"authentication_error","details":"MISSING_HEADER"}""";
    private const string Expired = """{"code":"header_timestamp_expired"}""";
    private const string List = """{"id":1,"cmd":"list_subscriptions"}""";

    private readonly TemporaryFolder _keys = new();
    private readonly CustomerKey _key = CustomerKey.Create();

    public AuthenticationTests() => Publish(_key.Id, _key.Rsa.ExportSubjectPublicKeyInfoPem());

    public void Dispose()
    {
        _keys.Dispose();
        _key.Dispose();
    }

    [Fact]
    public async Task A_handshake_signed_by_a_known_key_is_accepted_whatever_its_query()
    {
        await using var exchange = await StartAsync();
        foreach (var address in new[] { exchange.WebSocketAddress, new Uri(exchange.WebSocketAddress + "?limit=1&x=%2F") })
        {
            await using var client = await ExchangeClient.ConnectAsync(address, _key.Sign());
            Assert.Equal("ok", (await client.AskAsync(List)).Type);
        }
    }

    [Fact]
    public async Task The_salt_has_the_length_of_the_hash()
    {
        await using var exchange = await StartAsync();
        await using var client = await ExchangeClient.ConnectAsync(exchange.WebSocketAddress, _key.SignWithSalt(32));

        Assert.Equal("ok", (await client.AskAsync(List)).Type);
    }

    [Fact]
    public async Task Without_a_keys_directory_nothing_needs_a_signature()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await ExchangeClient.ConnectAsync(exchange.WebSocketAddress, CustomerKey.Headers("nobody", "1", "x"));

        Assert.Equal("ok", (await client.AskAsync(List)).Type);
    }

    [Theory]
    [InlineData("no headers", Missing)]
    [InlineData("no signature", Missing)]
    [InlineData("unknown key", NotFound)]
    [InlineData("a path for a key", NotFound)]
    [InlineData("another key's signature", Incorrect)]
    [InlineData("signature is no base64", Incorrect)]
    [InlineData("PKCS#1 padding", Incorrect)]
    [InlineData("longest salt", Incorrect)]
    [InlineData("shorter salt", Incorrect)]
    [InlineData("query string signed", Incorrect)]
    [InlineData("other path signed", Incorrect)]
    [InlineData("lower case method signed", Incorrect)]
    [InlineData("other timestamp signed", Incorrect)]
    [InlineData("timestamp in seconds", Expired)]
    [InlineData("timestamp is no number", Expired)]
    [InlineData("an hour old", Expired)]
    [InlineData("an hour early", Expired)]
    public async Task A_handshake_that_is_not_signed_as_it_must_be_is_refused_with_401(string what, string body)
    {
        await using var exchange = await StartAsync();

        using var answer = await AskAsync(exchange, Wrong(what));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(body, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        await using var client = await ExchangeClient.ConnectAsync(exchange.WebSocketAddress, _key.Sign());
        Assert.Equal("ok", (await client.AskAsync(List)).Type);
    }

    [Fact]
    public async Task Who_is_not_known_is_not_told_what_else_is_wrong()
    {
        await using var exchange = await StartAsync();

        using var answer = await exchange.Http.GetAsync(CustomerKey.Path, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task The_clock_skew_that_is_allowed_is_a_setting()
    {
        await using var exchange = await StartAsync("--Authentication:ClockSkew", "02:00:00");
        await using var client = await ExchangeClient.ConnectAsync(exchange.WebSocketAddress, HourOff(-1));

        Assert.Equal("ok", (await client.AskAsync(List)).Type);
    }

    [Fact]
    public async Task A_key_counts_from_when_its_file_is_there_until_it_is_gone()
    {
        await using var exchange = await StartAsync();
        using var late = CustomerKey.Create();
        await RefusedAsync(exchange, late, NotFound);

        Publish(late.Id, late.Rsa.ExportSubjectPublicKeyInfoPem());
        await using (var client = await ExchangeClient.ConnectAsync(exchange.WebSocketAddress, late.Sign()))
            Assert.Equal("ok", (await client.AskAsync(List)).Type);

        File.Delete(Path.Combine(_keys.Path, late.Id + ".pem"));
        await RefusedAsync(exchange, late, NotFound);
    }

    [Theory]
    [InlineData("PKCS#1 public")]
    [InlineData("PKCS#1 private")]
    [InlineData("PKCS#8 private")]
    public async Task A_key_file_may_have_any_usual_form(string form)
    {
        Publish(_key.Id, form switch
        {
            "PKCS#1 public" => _key.Rsa.ExportRSAPublicKeyPem(),
            "PKCS#1 private" => _key.Rsa.ExportRSAPrivateKeyPem(),
            _ => _key.Rsa.ExportPkcs8PrivateKeyPem(),
        });
        await using var exchange = await StartAsync();
        await using var client = await ExchangeClient.ConnectAsync(exchange.WebSocketAddress, _key.Sign());

        Assert.Equal("ok", (await client.AskAsync(List)).Type);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no PEM at all")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")]
    public async Task A_broken_key_file_costs_its_own_key_only(string content)
    {
        await using var exchange = await StartAsync();
        using var broken = CustomerKey.Create();
        Publish(broken.Id, content);

        await RefusedAsync(exchange, broken, NotFound);
        await using var client = await ExchangeClient.ConnectAsync(exchange.WebSocketAddress, _key.Sign());
        Assert.Equal("ok", (await client.AskAsync(List)).Type);
    }

    [Fact]
    public async Task Whoever_comes_without_a_key_may_be_let_in_for_the_public_channels()
    {
        await using var exchange = await StartAsync("--Authentication:AllowAnonymous", "true");
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["trade","fill","user_orders"]}}""");
        var replies = await client.ReceiveAsync(3);

        Assert.Equal(["subscribed", "error", "error"], replies.Select(reply => reply.Type));
        Assert.Equal("""{"id":1,"type":"error","msg":{"code":9,"msg":"Authentication required"}}""", replies[1].Text);
        using var stranger = CustomerKey.Create();
        await RefusedAsync(exchange, stranger, NotFound);
    }

    [Fact]
    public async Task A_customer_with_a_key_may_subscribe_to_private_channels()
    {
        await using var exchange = await StartAsync("--Authentication:AllowAnonymous", "true");
        await using var client = await ExchangeClient.ConnectAsync(exchange.WebSocketAddress, _key.Sign());

        Assert.Equal("subscribed", (await client.AskAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["fill"]}}""")).Type);
    }

    private Task<MockExchange> StartAsync(params string[] arguments) => MockExchange.StartStillAsync(["--keys", _keys.Path, .. arguments]);

    private void Publish(string id, string pem) => File.WriteAllText(Path.Combine(_keys.Path, id + ".pem"), pem);

    private static async Task RefusedAsync(MockExchange exchange, CustomerKey key, string body)
    {
        using var answer = await AskAsync(exchange, key.Sign());
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(body, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>A handshake whose answer can be read whole, unlike that of the framework's WebSocket.</summary>
    private static async Task<HttpResponseMessage> AskAsync(MockExchange exchange, IEnumerable<(string Name, string Value)> headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, CustomerKey.Path);
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await exchange.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private IEnumerable<(string Name, string Value)> Wrong(string what)
    {
        using var other = CustomerKey.Create(_key.Id);
        var signed = _key.Sign().ToArray();
        return what switch
        {
            "no headers" => [],
            "no signature" => signed[..2],
            "unknown key" => [("KALSHI-ACCESS-KEY", Guid.NewGuid().ToString()), .. signed[1..]],
            "a path for a key" => [("KALSHI-ACCESS-KEY", $"../{Path.GetFileName(_keys.Path)}/{_key.Id}"), .. signed[1..]],
            "another key's signature" => other.Sign(),
            "signature is no base64" => [.. signed[..2], ("KALSHI-ACCESS-SIGNATURE", "%%%")],
            "PKCS#1 padding" => _key.Sign(padding: RSASignaturePadding.Pkcs1),
            "longest salt" => _key.SignWithSalt(CustomerKey.LongestSalt),
            "shorter salt" => _key.SignWithSalt(20),
            "query string signed" => _key.Sign(request: $"GET{CustomerKey.Path}?limit=1"),
            "other path signed" => _key.Sign(request: "GET/trade-api/v2/markets"),
            "lower case method signed" => _key.Sign(request: "get" + CustomerKey.Path),
            "other timestamp signed" => [.. signed[..2], .. _key.Sign(timestamp: "1").Skip(2)],
            "timestamp in seconds" => _key.Sign(timestamp: CustomerKey.Now()[..^3]),
            "timestamp is no number" => _key.Sign(timestamp: "now"),
            "an hour old" => HourOff(-1),
            "an hour early" => HourOff(1),
            _ => throw new ArgumentOutOfRangeException(nameof(what), what, "is no case"),
        };
    }

    private IEnumerable<(string Name, string Value)> HourOff(int hours) =>
        _key.Sign(timestamp: $"{DateTimeOffset.UtcNow.AddHours(hours).ToUnixTimeMilliseconds()}");
}
