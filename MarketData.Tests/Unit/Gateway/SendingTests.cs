using System.Net.Sockets;
using MarketData.Domain.Channels;
using MarketData.Gateway.Fanout;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>Clients that are sent to together, and one by one where io_uring is not used.</summary>
public sealed class SendingTests
{
    // Of each of two workers more than a batch of either kind.
    private const int Clients = 4 * SendBatch.Capacity + 40;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_client_gets_every_message_while_others_are_cut(bool usesIoUring)
    {
        await using var host = await GatewayHost.StartAsync("--Gateway:Workers=2", "--Gateway:PingSeconds=600", $"--Gateway:IoUring={usesIoUring}");
        await using var redis = await host.ConnectRedisAsync();
        using var probe = new SendBatch(usesIoUring);
        Assert.Equal(probe.HasIoUring, (await host.GetAsync("/stats")).GetProperty("ioUring").GetBoolean());
        var market = new MarketSource(redis, "MANY");
        var clients = new List<GatewayConnection>();
        try
        {
            for (int i = 0; i < Clients; i++)
            {
                clients.Add(await host.ConnectAsync());
                // Each worker takes every second client.
                await clients[i].SubscribeAsync(i / 2 % 2 == 0 ? "all" : "MANY:trade");
            }

            await market.AllSubscribedAsync();
            await market.SubscribedAsync("trade");
            for (int round = 0; round < 30; round++)
            {
                // One that leaves makes place for the last, wherever it was.
                GatewayConnection[] cut = [.. new[] { 1, 2, clients.Count / 2, clients.Count - 3 }.Select(place => clients[place])];
                var trade = market.Other(MarketChannel.Trade, padding: 100 * round);
                var publishing = market.PublishAsync(trade);
                foreach (var client in cut)
                {
                    clients.Remove(client);
                    await client.DisposeAsync();
                }

                await publishing;
                foreach (var client in clients) Assert.Equal(trade, await client.NextBytesAsync());
            }

            await Eventually.TrueAsync(async () => (await host.GetAsync("/stats")).GetProperty("clients").GetInt32() == clients.Count, () => "those who were cut are gone");
        }
        finally
        {
            foreach (var client in clients) await client.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_full_connection_did_not_take_comes_when_its_client_reads_again(bool usesIoUring)
    {
        await using var host = await GatewayHost.StartAsync(
            "--Gateway:ClientQueueBytes=67108864", "--Gateway:StallSeconds=600", "--Gateway:PingSeconds=600", $"--Gateway:IoUring={usesIoUring}");
        await using var redis = await host.ConnectRedisAsync();
        using var handler = new SocketsHttpHandler { ConnectCallback = ConnectWithLittleRoomAsync };
        using var invoker = new HttpMessageInvoker(handler);
        var market = new MarketSource(redis, "FULL");
        await using var quick = await host.ConnectAsync();
        await using var ofAll = await GatewayConnection.OpenAsync(host.Endpoint, invoker: invoker);
        await using var ofMarket = await GatewayConnection.OpenAsync(host.Endpoint, invoker: invoker);
        await quick.SubscribeAsync("FULL:trade");
        await ofAll.SubscribeAsync("all");
        await ofMarket.SubscribeAsync("FULL:trade");
        await market.AllSubscribedAsync();
        await market.SubscribedAsync("trade");

        ofAll.Stall();
        ofMarket.Stall();
        var published = new List<byte[]>();
        // The system's send buffer grows to some megabytes; one message at a time, so that each is a small send.
        for (int i = 0; i < 4000; i++)
        {
            published.Add(market.Other(MarketChannel.Trade, padding: 3000));
            await market.PublishAsync(published[i]);
            Assert.Equal(published[i], await quick.NextBytesAsync());
        }

        Assert.True(await host.StatAsync("messagesSent") < 3 * published.Count, "No connection ever became full.");
        ofAll.Resume();
        ofMarket.Resume();
        foreach (var client in new[] { ofAll, ofMarket })
        {
            foreach (var trade in published) Assert.Equal(trade, await client.NextBytesAsync());
            await client.PingAsync();
        }
    }

    private static async ValueTask<Stream> ConnectWithLittleRoomAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 8192, NoDelay = true };
        await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
