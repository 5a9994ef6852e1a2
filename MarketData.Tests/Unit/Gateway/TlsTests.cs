using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MarketData.Domain.Channels;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>The gateway on https and wss, by the server's own configuration.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly X509Certificate2 _certificate = SelfSigned();

    public void Dispose()
    {
        _certificate.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_client_follows_a_book_and_trades_over_TLS()
    {
        await using var gateway = await GatewayHost.StartAsync(Settings());
        Assert.Equal("wss", gateway.Endpoint.Scheme);
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "TLS");
        market.Snapshot();
        await market.WriteKeyAsync();
        await using var client = await GatewayConnection.OpenAsync(gateway.Endpoint, options => options.RemoteCertificateValidationCallback = (_, presented, _, _) => IsOurs(presented));
        await client.SubscribeAsync("TLS:orderbook_delta", "TLS:trade");
        await market.SubscribedAsync("orderbook_delta");
        await market.SubscribedAsync("trade");
        var book = new ClientBook();

        for (int i = 0; i < 50; i++) await market.PublishAsync(market.Delta());
        await book.FollowAsync(client, market);
        var trade = market.Other(MarketChannel.Trade, padding: 100_000);
        await market.PublishAsync(trade);

        byte[] last;
        do last = await client.NextBytesAsync();
        while (last.Length < trade.Length);
        Assert.Equal(trade, last);
        await client.CloseAsync();
        Assert.Equal(1000, (await client.ClosedAsync()).Code);
    }

    [Fact]
    public async Task A_client_may_come_over_HTTP_2()
    {
        await using var gateway = await GatewayHost.StartAsync(Settings());
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "HTTP-2");
        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, presented, _, _) => IsOurs(presented) } };
        using var invoker = new HttpMessageInvoker(handler);
        await using var client = await GatewayConnection.OpenAsync(
            gateway.Endpoint,
            options => (options.HttpVersion, options.HttpVersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact),
            invoker);
        await client.SubscribeAsync("HTTP-2:trade");
        await market.SubscribedAsync("trade");
        var trade = market.Other(MarketChannel.Trade, padding: 100_000);
        await market.PublishAsync(trade);

        Assert.Equal(trade, await client.NextBytesAsync());
        await client.CloseAsync();
        Assert.Equal(1000, (await client.ClosedAsync()).Code);
    }

    [Fact]
    public async Task The_api_answers_over_TLS_and_does_not_without()
    {
        await using var gateway = await GatewayHost.StartAsync(Settings());
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, presented, _, _) => IsOurs(presented) };
        using var secure = new HttpClient(handler) { BaseAddress = gateway.Http.BaseAddress };
        using var plain = new HttpClient();

        using var answer = await secure.GetAsync("/stats", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => plain.GetAsync($"http://{gateway.Endpoint.Authority}/stats", TestContext.Current.CancellationToken));
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private bool IsOurs(X509Certificate? presented) => presented?.GetCertHashString() == _certificate.GetCertHashString();

    // As docs/gateway.md shows it.
    private string[] Settings()
    {
        string certificate = Path.Combine(_folder.Path, "gateway.crt"), key = Path.Combine(_folder.Path, "gateway.key");
        File.WriteAllText(certificate, _certificate.ExportCertificatePem());
        File.WriteAllText(key, _certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return ["--Kestrel:Endpoints:Https:Url=https://127.0.0.1:0", $"--Kestrel:Endpoints:Https:Certificate:Path={certificate}", $"--Kestrel:Endpoints:Https:Certificate:KeyPath={key}"];
    }
}
