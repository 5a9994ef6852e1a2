using MarketData.Domain.Channels;
using MarketData.Gateway.Fanout;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>Many clients, sent to many at once or one by one.</summary>
public sealed class SendingTests
{
    // More than one batch for each of two workers.
    private const int Clients = 5 * SendBatch.Capacity / 2;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_client_gets_every_message_while_some_stall_and_some_are_cut(bool usesIoUring)
    {
        await using var host = await GatewayHost.StartAsync("--Gateway:Workers=2", $"--Gateway:IoUring={usesIoUring}");
        await using var redis = await host.ConnectRedisAsync();
        var market = new MarketSource(redis, "MANY");
        var (clients, published) = (new List<GatewayConnection>(), new List<byte[]>());
        try
        {
            for (int i = 0; i < Clients; i++)
            {
                clients.Add(await host.ConnectAsync());
                await clients[i].SubscribeAsync(i % 2 == 0 ? "all" : "MANY:trade");
            }

            await market.AllSubscribedAsync();
            await market.SubscribedAsync("trade");
            using var probe = new SendBatch(usesIoUring);
            Assert.Equal(probe.IsOneCall, (await host.GetAsync("/stats")).GetProperty("ioUring").GetBoolean());
            var (stalled, cut) = (clients[^4..], clients[^8..^4]);
            foreach (var client in stalled) client.Stall();

            for (int round = 0; round < 20; round++)
            {
                byte[][] trades = [.. Enumerable.Range(0, 10).Select(number => market.Other(MarketChannel.Trade, padding: 1000 * (number % 3)))];
                await market.PublishAsync(trades);
                if (round == 5)
                {
                    foreach (var client in cut) client.Socket.Abort();
                }

                if (round == 15)
                {
                    foreach (var client in stalled) client.Resume();
                }

                foreach (var client in clients.Except(cut).Except(stalled))
                {
                    foreach (var trade in trades) Assert.Equal(trade, await client.NextBytesAsync());
                }

                published.AddRange(trades);
            }

            foreach (var client in stalled)
            {
                foreach (var trade in published) Assert.Equal(trade, await client.NextBytesAsync());
            }

            await Eventually.TrueAsync(async () => (await host.GetAsync("/stats")).GetProperty("clients").GetInt32() == Clients - cut.Count, () => "those who were cut are gone");
        }
        finally
        {
            foreach (var client in clients) await client.DisposeAsync();
        }
    }
}
