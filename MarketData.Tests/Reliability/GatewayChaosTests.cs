using System.Diagnostics;
using MarketData.Tests.Unit.Gateway;
using MarketData.Tests.Unit.ServiceDefaults;

namespace MarketData.Tests.Reliability;

/// <summary>
/// Many clients that do what they like, while the exchange is busy, Redis is killed twice and one of two gateways dies: at every look each
/// book is the exchange's, and nothing was lost without a word.
/// </summary>
public sealed class GatewayChaosTests
{
    private const int Looks = 3;
    private static readonly bool IsSoak = Environment.GetEnvironmentVariable("MARKETDATA_SOAK") == "1";
    private static readonly int Clients = IsSoak ? 200 : 20;

    // Orders placed between two looks: about a minute when soaking.
    private static readonly int Acts = IsSoak ? 12_000 : 800;

    [Fact]
    public async Task Clients_that_do_what_they_like_have_the_exchanges_books_whatever_fails()
    {
        await using var topology = await ReliabilityTopology.StartAsync();
        await topology.RunIngestAsync();
        await topology.BooksEqualTruthAsync();
        string[] markets = await topology.Exchange.TickersAsync();
        var gateways = new List<(Process Process, Uri Endpoint)>();
        var clients = new List<ChaosClient>();
        try
        {
            for (int i = 0; i < 2; i++) gateways.Add(await StartGatewayAsync(topology));
            var endpoints = gateways.ConvertAll(gateway => gateway.Endpoint);
            for (int i = 0; i < Clients; i++) clients.Add(new ChaosClient(() => endpoints, markets, seed: i));

            for (int look = 0; look < Looks; look++)
            {
                clients.ForEach(client => client.GoWild());
                await using (var session = new BusySession(topology.Exchange))
                {
                    await session.GoOnAsync(Acts / 2);
                    if (look < 2)
                    {
                        await topology.Redis.KillAsync();
                        topology.Redis.Restart();
                    }
                    else
                    {
                        gateways[0].Process.Kill();
                        endpoints = [gateways[1].Endpoint];
                    }

                    await session.GoOnAsync(Acts / 2);
                }

                clients.ForEach(client => client.BeQuiet());
                await topology.BooksEqualTruthAsync();
                await BooksAreRightAsync(topology, clients);
                Assert.Empty(clients.SelectMany(client => client.TakeFaults()));
                Assert.True(clients.Sum(client => client.Books().Count) > Clients / 2, "the clients follow books");
            }

            // They have been through something.
            Assert.True(clients.Sum(client => client.Seen.Connections) > 2 * Clients);
            Assert.True(clients.Sum(client => client.Seen.Changes) > 10 * Clients);
            Assert.True(clients.Sum(client => client.Seen.Trades) > 10 * Clients);
        }
        finally
        {
            foreach (var client in clients) await client.DisposeAsync();
            foreach (var (process, _) in gateways)
            {
                if (!process.HasExited) process.Kill();
                process.Dispose();
            }
        }
    }

    private static async Task BooksAreRightAsync(ReliabilityTopology topology, List<ChaosClient> clients)
    {
        List<string> differences = [];
        await Eventually.TrueAsync(
            async () =>
            {
                differences.Clear();
                foreach (var (ticker, book) in clients.SelectMany(client => client.Books()))
                {
                    string truth = await topology.TruthAsync(ticker);
                    if (book != truth) differences.Add($"{ticker}: {book}\n instead of {truth}");
                }

                return differences.Count == 0;
            },
            TimeSpan.FromMinutes(2),
            () => $"every client's books are the exchange's; {differences.Count} are not:\n{string.Join('\n', differences.Take(6))}");
    }

    private static async Task<(Process Process, Uri Endpoint)> StartGatewayAsync(ReliabilityTopology topology)
    {
        using var kafka = new ClosedPort();
        var process = GatewayProcess.Start(
            [], "--urls=http://127.0.0.1:0", "--Logging:LogLevel:Default=Warning", "--Logging:LogLevel:Microsoft.Hosting.Lifetime=Information",
            $"--ConnectionStrings:redis={topology.Redis.ConnectionString}", $"--ConnectionStrings:kafka={kafka.Address}");
        var listening = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data?.IndexOf("http://127.0.0.1:", StringComparison.Ordinal) is >= 0 and var at) listening.TrySetResult(new Uri($"ws{line.Data[(at + 4)..].Trim()}/ws/market-data"));
        };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return (process, await listening.Task.WaitAsync(TimeSpan.FromMinutes(1)));
    }
}
