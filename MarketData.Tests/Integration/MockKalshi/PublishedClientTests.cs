using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using MarketData.Tests.Unit.MockKalshi;

namespace MarketData.Tests.Integration.MockKalshi;

/// <summary>kalshi-typescript, Kalshi's own client for Node, against the exchange with signatures on.</summary>
public sealed class PublishedClientTests : IDisposable
{
    private const string KeyId = "4f7f3f3e-0000-4000-8000-00000000c11e";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mock-kalshi-client-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Kalshi_typescript_lists_markets_reads_books_places_an_order_and_cancels_it()
    {
        string keys = Path.Combine(_folder.FullName, "keys"), privateKey = Path.Combine(_folder.FullName, "private.pem");
        Directory.CreateDirectory(keys);
        using (var rsa = RSA.Create(2048))
        {
            await File.WriteAllTextAsync(privateKey, rsa.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(keys, $"{KeyId}.pem"), rsa.ExportSubjectPublicKeyInfoPem(), TestContext.Current.CancellationToken);
        }

        await using var exchange = await MockExchange.StartStillAsync("--keys", keys);
        string[] tickers = await exchange.TickersAsync();

        var seen = await NodeProgram.RunAsync(SourceFolder(), "kalshi-typescript-client.js", new Uri(exchange.Address, "/trade-api/v2").ToString(), KeyId, privateKey);

        Assert.Equal(tickers, Texts(seen["tickers"]));
        Assert.Equal(tickers[0], (string)seen["market"]!);
        Assert.Equal(tickers, Texts(seen["books"]));
        Assert.Contains(tickers[0], Texts(seen["eventMarkets"]));
        Assert.True((bool)seen["tradingActive"]!);
        Assert.Equal("""{"status":201,"fill":"0.00","remaining":"12.50"}""", seen["placed"]!.ToJsonString());
        Assert.Equal(decimal.Parse((string)seen["sizeBefore"]!, Invariant) + 12.5m, decimal.Parse((string)seen["sizeWhileResting"]!, Invariant));
        Assert.Equal((KeyId, "resting"), ((string)seen["order"]!["user_id"]!, (string)seen["order"]!["status"]!));
        Assert.Equal(["first"], Texts(seen["resting"]));
        Assert.Equal("""{"status":409,"code":"order_already_exists"}""", seen["duplicate"]!.ToJsonString());
        Assert.Equal("""{"status":200,"reduced":"12.50"}""", seen["canceled"]!.ToJsonString());
        Assert.Equal((string)seen["sizeBefore"]!, (string)seen["sizeAfter"]!);
        Assert.Equal("""{"status":401,"code":"authentication_error"}""", seen["unsigned"]!.ToJsonString());
    }

    private static IFormatProvider Invariant => System.Globalization.CultureInfo.InvariantCulture;

    private static IEnumerable<string> Texts(JsonNode? array) => array!.AsArray().Select(text => (string)text!);

    private static string SourceFolder([CallerFilePath] string thisFile = "") => Path.GetDirectoryName(thisFile)!;
}
