using System.Runtime.CompilerServices;
using MarketData.Tests.Unit.Gateway;

namespace MarketData.Tests.Integration.Gateway;

/// <summary>ws, the client of most Node programs, against the gateway.</summary>
public sealed class WsClientTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    [Theory]
    [InlineData("plain", "")]
    [InlineData("deflate", "permessage-deflate")]
    public async Task Ws_subscribes_in_fragments_pings_and_gets_every_message(string mode, string extensions)
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, $"WS-{mode}");
        var running = NodeProgram.RunAsync(SourceFolder(), "ws-client.js", gateway.Endpoint.ToString(), $"WS-{mode}:orderbook_delta", "20", mode);
        await market.SubscribedAsync("orderbook_delta");
        await market.PublishAsync([market.Snapshot(), .. Enumerable.Range(0, 19).Select(_ => market.Delta())]);

        var seen = await running;
        Assert.Equal(extensions, (string)seen["extensions"]!);
        Assert.Equal(["connected", "subscribed"], seen["replies"]!.AsArray().Select(reply => (string)reply!));
        Assert.Equal(Enumerable.Range(1, 20).Select(number => (long)number), seen["messages"]!.AsArray().Select(number => (long)number!));
        Assert.Equal("are you there", (string)seen["pong"]!);
        Assert.Equal(4000, (int)seen["close"]!);
    }

    private static string SourceFolder([CallerFilePath] string thisFile = "") => Path.GetDirectoryName(thisFile)!;
}
