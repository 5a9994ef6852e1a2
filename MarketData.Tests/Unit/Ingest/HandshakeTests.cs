using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MarketData.Tests.Integration.LocalKafka;
using MarketData.Tests.Unit.ServiceDefaults;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>The handshake is signed as the exchange wants it.</summary>
public sealed class HandshakeTests : IAsyncLifetime
{
    private readonly RSA _key = RSA.Create(2048);
    private BrokerProcess _kafka = null!;
    private ScriptedExchange _exchange = null!;

    public async ValueTask InitializeAsync()
    {
        _kafka = await BrokerProcess.StartAsync();
        _exchange = await ScriptedExchange.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _key.Dispose();
        await _exchange.DisposeAsync();
        await _kafka.DisposeAsync();
    }

    [Theory]
    [InlineData("PKCS#8", false)]
    [InlineData("PKCS#1", false)]
    [InlineData("PKCS#8", true)]
    public async Task Time_method_and_path_are_signed_with_the_private_key(string form, bool inFile)
    {
        using var folder = new TemporaryFolder();
        string pem = form == "PKCS#1" ? _key.ExportRSAPrivateKeyPem() : _key.ExportPkcs8PrivateKeyPem();
        string file = Path.Combine(folder.Path, "key.pem");
        await File.WriteAllTextAsync(file, pem, TestContext.Current.CancellationToken);
        _exchange.Handshake = request => IsSigned(request) ? StatusCodes.Status200OK : StatusCodes.Status401Unauthorized;

        await using var ingest = await StartAsync(
            ("Upstream:KeyId", "a-key-id"), inFile ? ("Upstream:PrivateKeyFile", file) : ("Upstream:PrivateKey", pem));

        await _exchange.AcceptSubscribedAsync();
        await ingest.WaitForAsync("exchange", "Healthy");
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task A_refusal_says_what_to_check(int status)
    {
        _exchange.Handshake = _ => status;
        await using (var unsigned = await StartAsync())
            await WaitForReasonAsync(unsigned, $"refused the connection with {status}: it wants a signed handshake; set Upstream:KeyId and Upstream:PrivateKeyFile.");

        await using var signed = await StartAsync(("Upstream:KeyId", "a-key-id"), ("Upstream:PrivateKey", _key.ExportPkcs8PrivateKeyPem()));
        await WaitForReasonAsync(signed, $"refused the key with {status}: check Upstream:KeyId, its private key and this machine's clock.");
    }

    [Fact]
    public async Task A_key_that_cannot_be_used_ends_the_start_without_showing_it()
    {
        string broken = _key.ExportPkcs8PrivateKeyPem().Replace("A", "", StringComparison.Ordinal);
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(("Upstream:KeyId", "a-key-id"), ("Upstream:PrivateKey", broken)));
        Assert.Contains("Upstream:PrivateKey cannot be used: it must be a private RSA key in PEM", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(broken.Split('\n')[1], exception.ToString(), StringComparison.Ordinal);

        exception = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(("Upstream:KeyId", "a-key-id"), ("Upstream:PrivateKeyFile", "absent.pem")));
        Assert.Contains("Upstream:PrivateKeyFile (absent.pem) cannot be used", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_public_key_is_no_private_key()
    {
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(
            () => StartAsync(("Upstream:KeyId", "a-key-id"), ("Upstream:PrivateKey", _key.ExportSubjectPublicKeyInfoPem())));
        Assert.Contains("must be a private RSA key", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_listing_asks_for_the_markets_that_the_options_name()
    {
        var asked = new List<string>();
        _exchange.Listing = context =>
        {
            lock (asked) asked.Add(context.Request.QueryString.Value!);
            return ScriptedExchange.Page("", $"MKT-{context.Request.Query["series_ticker"]}")(context);
        };

        await using var ingest = await StartAsync(
            ("Upstream:MarketStatus", "paused"), ("Upstream:MveFilter", ""), ("Upstream:Series", "KXA,KXB"), ("Upstream:PageSize", "7"));

        var session = await _exchange.AcceptSubscribedAsync();
        Assert.Equal(["?status=paused&series_ticker=KXA&limit=7", "?status=paused&series_ticker=KXB&limit=7"], asked);
        Assert.Contains("MKT-KXA", session.Sent[0], StringComparison.Ordinal);
        Assert.Contains("MKT-KXB", session.Sent[1], StringComparison.Ordinal);
    }

    private Task<ServiceHost> StartAsync(params (string Key, string Value)[] more) => IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap, more);

    private static async Task WaitForReasonAsync(ServiceHost ingest, string reason)
    {
        string? seen = null;
        await Eventually.TrueAsync(
            async () =>
            {
                seen = (await ingest.GetAsync("/health")).Reason("exchange");
                return seen?.Contains(reason, StringComparison.Ordinal) == true;
            },
            TimeSpan.FromSeconds(60),
            () => $"the exchange check says '{reason}'; it says '{seen}'");
    }

    private bool IsSigned(HttpRequest request)
    {
        string timestamp = request.Headers["KALSHI-ACCESS-TIMESTAMP"].ToString(), signature = request.Headers["KALSHI-ACCESS-SIGNATURE"].ToString();
        long age = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - long.Parse(timestamp, CultureInfo.InvariantCulture);
        return request.Headers["KALSHI-ACCESS-KEY"] == "a-key-id"
            && age is >= 0 and < 60_000
            && _key.VerifyData(
                Encoding.UTF8.GetBytes($"{timestamp}GET/trade-api/ws/v2"), Convert.FromBase64String(signature), HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
    }
}
