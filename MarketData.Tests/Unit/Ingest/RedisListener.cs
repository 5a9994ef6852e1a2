using System.Collections.Concurrent;
using System.Text;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.ServiceDefaults.Redis;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>Subscribes to everything that the relay publishes, and keeps it in the order of arrival.</summary>
internal sealed class RedisListener : IAsyncDisposable
{
    private const string AllChannel = "market-data:all";
    private readonly RespConnection _connection;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _reading;

    private RedisListener(RespConnection connection, ConcurrentQueue<(string Channel, string Value)> messages)
    {
        _connection = connection;
        Messages = messages;
        _reading = ReadAsync();
    }

    public ConcurrentQueue<(string Channel, string Value)> Messages { get; }

    /// <param name="server">Where to listen.</param>
    /// <param name="messages">Goes on with what an earlier listener heard, before the server was restarted.</param>
    public static async Task<RedisListener> StartAsync(RedisServer server, ConcurrentQueue<(string Channel, string Value)>? messages = null)
    {
        var connection = await server.ConnectAsync();
        connection.Write("PSUBSCRIBE"u8, "market-data:*"u8);
        await connection.FlushAsync(TestContext.Current.CancellationToken);
        await connection.ReadAsync(TestContext.Current.CancellationToken);
        return new RedisListener(connection, messages ?? new());
    }

    /// <summary>Waits until every envelope of the feed has come over the channel of all and over its own.</summary>
    public Task HasAllOfAsync(EnvelopeFeed feed) => Eventually.TrueAsync(
        () => Missing(feed).Count == 0,
        TimeSpan.FromSeconds(60),
        () => $"everything is published; missing {Missing(feed).Count} of {feed.Count}, among them {Missing(feed).FirstOrDefault()}");

    /// <summary>Each market's envelopes in order, duplicates dropped as a consumer drops them.</summary>
    public void AssertInOrder(EnvelopeFeed feed)
    {
        foreach (bool all in (bool[])[true, false])
        {
            var last = new Dictionary<string, StreamPosition>();
            var heard = new Dictionary<string, List<string>>();
            foreach (var (channel, value) in Messages.Where(message => message.Channel == AllChannel == all))
            {
                var bytes = Encoding.UTF8.GetBytes(value);
                Assert.True(Envelope.TryParse(bytes, out var envelope, out _));
                string ticker = Encoding.UTF8.GetString(envelope.Ticker.Of(bytes)), stream = $"{ticker} {envelope.Channel.Stream()}";
                if (!all) Assert.Equal($"market-data:{ticker}:{Encoding.UTF8.GetString(envelope.ChannelName.Of(bytes))}", channel);
                if (last.TryGetValue(stream, out var known) && envelope.Position <= known) continue;
                last[stream] = envelope.Position;
                if (!heard.TryGetValue(ticker, out var list)) heard[ticker] = list = [];
                list.Add(value);
            }

            foreach (var (ticker, sent) in feed.Sent) Assert.Equal(sent, heard[ticker]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _connection.DisposeAsync();
        _ending.Dispose();
    }

    private List<string> Missing(EnvelopeFeed feed)
    {
        var byChannel = Messages.ToLookup(message => message.Channel == AllChannel, message => message.Value);
        HashSet<string> all = [.. byChannel[true]], own = [.. byChannel[false]];
        return [.. feed.Sent.Values.SelectMany(sent => sent).Where(value => !all.Contains(value) || !own.Contains(value))];
    }

    private async Task ReadAsync()
    {
        while (true)
        {
            var message = (await _connection.ReadAsync(_ending.Token)).Items;
            Messages.Enqueue((Encoding.UTF8.GetString(message.Span[2].Data.Span), Encoding.UTF8.GetString(message.Span[3].Data.Span)));
        }
    }
}
