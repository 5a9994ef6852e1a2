using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using MarketData.Tests.Unit.ServiceDefaults;

namespace MarketData.Tests.Unit.Gateway;

public sealed partial class ApiKeyTests
{
    private const string Key = "mdk_acme-secret-key", OtherKey = "mdk_other-secret-key";

    [Fact]
    public async Task A_key_opens_the_WebSocket_as_header_as_bearer_and_in_the_query()
    {
        await using var gateway = await StartAsync();

        await using var header = await gateway.ConnectAsync(("X-API-Key", Key));
        await using var bearer = await gateway.ConnectAsync(("Authorization", $"Bearer {Key}"));
        await using var query = await GatewayConnection.OpenAsync(new Uri($"{gateway.Endpoint}?api_key={Key}"));

        foreach (var client in new[] { header, bearer, query }) await client.PingAsync();
    }

    [Fact]
    public async Task Without_a_key_the_answer_says_how_to_send_one()
    {
        await using var gateway = await StartAsync();

        var refusal = await gateway.RefusalAsync();

        Assert.Equal((HttpStatusCode.Unauthorized, "Bearer"), (refusal.Status, refusal.Challenge));
        Assert.Equal(
            "A credential is required: send it as header 'X-API-Key: KEY', as 'Authorization: Bearer KEY', or as query parameter api_key=KEY.", refusal.Error);
    }

    [Theory]
    [InlineData("X-API-Key", "mdk_wrong")]
    [InlineData("X-API-Key", "MDK_ACME-SECRET-KEY")]
    [InlineData("Authorization", "Bearer mdk_wrong")]
    [InlineData("Authorization", "Basic YWNtZTptZGtfYWNtZS1zZWNyZXQta2V5")]
    [InlineData("Authorization", "Bearer a.b.c")]
    public async Task A_wrong_key_is_refused_and_not_repeated(string header, string value)
    {
        await using var gateway = await StartAsync();

        var refusal = await gateway.RefusalAsync((header, value));

        Assert.Equal(HttpStatusCode.Unauthorized, refusal.Status);
        Assert.DoesNotContain("mdk_", refusal.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task The_hash_of_a_key_is_no_key()
    {
        await using var gateway = await StartAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, (await gateway.RefusalAsync(("X-API-Key", HashOf(Key)))).Status);
    }

    [Theory]
    [InlineData("/stats")]
    [InlineData("/api/markets")]
    [InlineData("/api/markets?limit=0")]
    [InlineData("/api/markets/ANY/book")]
    public async Task Stats_and_api_want_a_key_too_and_the_probes_do_not(string path)
    {
        await using var gateway = await StartAsync();

        var refusal = await HttpRefusal.ReadAsync(await gateway.Http.GetAsync(path, TestContext.Current.CancellationToken));
        using var alive = await gateway.Http.GetAsync("/alive", TestContext.Current.CancellationToken);
        gateway.Http.DefaultRequestHeaders.Add("X-API-Key", Key);
        using var answer = await gateway.Http.GetAsync(path, TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (refusal.Status, alive.StatusCode));
        Assert.NotEqual(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(1, (await gateway.GetAsync("/stats")).GetProperty("refused").GetProperty("credential").GetInt64());
    }

    [Fact]
    public async Task A_key_has_limits_of_its_own_and_takes_nothing_from_other_keys()
    {
        await using var gateway = await StartAsync(
            "--Authentication:ApiKeys:acme:MaxConnections=1", "--Authentication:ApiKeys:acme:MaxSubscriptions=1", "--Authentication:ApiKeys:acme:MessagesPerSecond=1");
        await using var acme = await gateway.ConnectAsync(("X-API-Key", Key));
        await using var other = await gateway.ConnectAsync(("X-API-Key", OtherKey));
        await using var another = await gateway.ConnectAsync(("X-API-Key", OtherKey));

        var refusal = await gateway.RefusalAsync(("X-API-Key", Key));
        await acme.SubscribeAsync("ONE:trade");
        var tooMany = await acme.ErrorOfAsync("""{"action":"subscribe","channel":"TWO:trade"}""");
        await other.SubscribeAsync("ONE:trade", "TWO:trade");
        for (int i = 0; i < 8; i++) await acme.PingAsync();
        var tooFast = await acme.ErrorOfAsync("""{"action":"ping"}""");
        for (int i = 0; i < 20; i++) await other.PingAsync();

        Assert.Equal((HttpStatusCode.TooManyRequests, "The connections of this credential are limited to 1: close one first."), (refusal.Status, refusal.Error));
        Assert.Equal("Not subscribed to 'TWO:trade': a client may subscribe at most 1 channels.", tooMany);
        Assert.StartsWith("Too many messages: at most 1 a second", tooFast, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_created_key_opens_the_gateway_that_was_told_its_hash()
    {
        var (exitCode, output, error) = await GatewayProcess.RunAsync([], "create-api-key", "acme");
        Assert.Equal((0, ""), (exitCode, error));
        string key = CreatedKey().Match(output).Value;
        string[] settings = [.. CreatedSetting().Matches(output).Select(setting => "--" + setting.Value.Replace("__", ":", StringComparison.Ordinal))];

        await using var gateway = await GatewayHost.StartAsync(settings);
        await using var client = await gateway.ConnectAsync(("X-API-Key", key));

        await client.PingAsync();
        Assert.DoesNotContain(settings, setting => setting.Contains(key, StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Unauthorized, (await gateway.RefusalAsync()).Status);
    }

    [Theory]
    [InlineData]
    [InlineData("two", "names")]
    [InlineData("a:b")]
    [InlineData("a__b")]
    public async Task A_name_that_no_setting_can_have_is_refused_in_one_line(params string[] names)
    {
        var (exitCode, output, error) = await GatewayProcess.RunAsync([], ["create-api-key", .. names]);

        Assert.Equal((1, ""), (exitCode, output));
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task No_key_gets_into_the_log_whatever_its_level()
    {
        using ClosedPort redis = new(), kafka = new();
        using var process = GatewayProcess.Start(
            new Dictionary<string, string>
            {
                ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
                ["ConnectionStrings__redis"] = redis.Address,
                ["ConnectionStrings__kafka"] = kafka.Address,
                ["Authentication__Enabled"] = "true",
                ["Authentication__ApiKeys__acme__Sha256"] = HashOf(Key),
                ["Logging__LogLevel__Default"] = "Trace",
                ["Logging__LogLevel__Microsoft.AspNetCore"] = "Trace",
            });
        var lines = new List<string>();
        try
        {
            string endpoint = await AddressAsync(process.StandardOutput, lines);
            await using (var client = await GatewayConnection.OpenAsync(new Uri($"ws{endpoint[4..]}/ws/market-data?api_key={Key}"))) await client.PingAsync();
            using var http = new HttpClient { BaseAddress = new Uri(endpoint) };
            using var stats = await http.GetAsync($"/stats?api_key={Key}", TestContext.Current.CancellationToken);
            using var wrong = await http.GetAsync("/stats?api_key=mdk_wrong", TestContext.Current.CancellationToken);
            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (stats.StatusCode, wrong.StatusCode));
            // The last that is logged; what is logged is written a little later.
            while (!lines.Exists(line => line.Contains("Refused /stats", StringComparison.Ordinal)))
                lines.Add(await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) ?? throw new InvalidOperationException("The refusal was not logged."));
        }
        finally
        {
            process.Kill();
        }

        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line) lines.Add(line);

        Assert.DoesNotContain(lines, line => line.Contains("mdk_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task No_key_gets_into_a_trace()
    {
        const string traced = "mdk_traced-secret-key";
        var seen = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => seen.Enqueue($"{activity.DisplayName} {string.Join(' ', activity.TagObjects)}"),
        };
        ActivitySource.AddActivityListener(listener);
        await using var gateway = await StartAsync($"--Authentication:ApiKeys:traced:Sha256={HashOf(traced)}");

        using var stats = await gateway.Http.GetAsync($"/stats?api_key={traced}", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, stats.StatusCode);
        await Eventually.TrueAsync(() => seen.Any(activity => activity.Contains("api_key", StringComparison.Ordinal)), () => "the request's trace: " + string.Join('\n', seen));
        Assert.DoesNotContain(seen, activity => activity.Contains(traced, StringComparison.Ordinal));
    }

    private static string HashOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private static Task<GatewayHost> StartAsync(params string[] settings) => GatewayHost.StartAsync(
        ["--Authentication:Enabled=true", $"--Authentication:ApiKeys:acme:Sha256={HashOf(Key)}", $"--Authentication:ApiKeys:other:Sha256={HashOf(OtherKey).ToUpperInvariant()}", .. settings]);

    // Reads the log up to the line that tells where the gateway listens.
    private static async Task<string> AddressAsync(StreamReader output, List<string> lines)
    {
        while (await output.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(60)) is { } line)
        {
            lines.Add(line);
            if (ListeningOn().Match(line) is { Success: true } listening) return listening.Groups["address"].Value;
        }

        throw new InvalidOperationException("The gateway ended: " + string.Join('\n', lines));
    }

    [GeneratedRegex(@"mdk_[\w-]{43}")]
    private static partial Regex CreatedKey();

    [GeneratedRegex(@"Authentication__\S+")]
    private static partial Regex CreatedSetting();

    [GeneratedRegex(@"Now listening on: (?<address>http://\S+)")]
    private static partial Regex ListeningOn();
}
