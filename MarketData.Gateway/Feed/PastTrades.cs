using System.Threading.Channels;
using MarketData.Domain.Channels;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Clients;
using StackExchange.Redis;
using StreamPosition = MarketData.Domain.Envelopes.StreamPosition;

namespace MarketData.Gateway.Feed;

/// <summary>A client's trade channel that begins with past trades.</summary>
/// <param name="Client">The client.</param>
/// <param name="Channel">What it asked for.</param>
public sealed record PastTradesRequest(GatewayClient Client, RequestedChannel Channel)
{
    public string Ticker => Channel.Name.Ticker!;
}

/// <summary>A trade of the relay's list.</summary>
public readonly record struct PastTrade(StreamPosition Position, byte[] Envelope)
{
    /// <summary>The trades of a list, in order and once each.</summary>
    public static IReadOnlyList<PastTrade> Of(IReadOnlyList<byte[]> list)
    {
        var trades = new SortedDictionary<StreamPosition, byte[]>();
        foreach (var value in list)
        {
            if (Domain.Envelopes.Envelope.TryParse(value, out var envelope, out _) && envelope.Channel == MarketChannel.Trade)
                trades[envelope.Position] = PrivateContent.Remove(value, envelope);
        }

        return [.. trades.Select(trade => new PastTrade(trade.Key, trade.Value))];
    }
}

/// <summary>Reads the relay's lists of trades for the feed, and posts the answers; every request that is taken is answered.</summary>
public sealed partial class PastTrades(IServiceProvider services, FeedInbox inbox, ILogger<PastTrades> logger) : BackgroundService
{
    private const int Capacity = 4096, MaxBatch = 64;
    private readonly Channel<PastTradesRequest> _requests = Channel.CreateBounded<PastTradesRequest>(new BoundedChannelOptions(Capacity) { SingleReader = true });

    /// <summary>Asks for a market's trades; false when so many requests wait that it must be tried again.</summary>
    public bool TryRequest(PastTradesRequest request) => _requests.Writer.TryWrite(request);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<PastTradesRequest>();
        while (await _requests.Reader.WaitToReadAsync(stoppingToken))
        {
            batch.Clear();
            while (batch.Count < MaxBatch && _requests.Reader.TryRead(out var request)) batch.Add(request);
            await Task.WhenAll(batch.Select(request => AnswerAsync(request, stoppingToken)));
        }
    }

    private async Task AnswerAsync(PastTradesRequest request, CancellationToken stoppingToken)
    {
        RedisValue[] values = [];
        try
        {
            // Resolved at the first use, not when the host starts: the first connect blocks while Redis is down.
            values = await services.GetRequiredService<IConnectionMultiplexer>().GetDatabase().ListRangeAsync(RedisNames.TradesKey(request.Ticker));
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            LogUnreadable(request.Ticker, exception.Message);
        }

        await inbox.PostAsync(new PastTradesRead(request, [.. values.Select(value => (byte[])value!)]), stoppingToken);
    }

    [LoggerMessage(22, LogLevel.Warning, "The past trades of {Ticker} could not be read, and its client gets those that the gateway has: {Reason}")]
    private partial void LogUnreadable(string ticker, string reason);
}
