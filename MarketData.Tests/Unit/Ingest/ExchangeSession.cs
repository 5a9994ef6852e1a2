using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>The exchange's side of one connection. Every frame that is sent is kept, so that a test can look for it downstream.</summary>
internal sealed class ExchangeSession(WebSocket socket) : IAsyncDisposable
{
    public const int TickerSid = 1, TradeSid = 2, LifecycleSid = 3, BookSid = 4;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<int, long> _seq = [];

    /// <summary>Data frames sent so far, in order.</summary>
    public List<string> Sent { get; } = [];

    public Task EndOfConnection => _end.Task;

    /// <summary>The next command of the service; fails when it closes or is silent.</summary>
    public async Task<JsonElement> ReceiveAsync()
    {
        using var timeout = new CancellationTokenSource(Timeout);
        var buffer = new byte[1 << 20];
        int length = 0;
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(length), timeout.Token);
            Assert.NotEqual(WebSocketMessageType.Close, received.MessageType);
            length += received.Count;
            if (received.EndOfMessage) return JsonDocument.Parse(buffer.AsMemory(0, length)).RootElement;
        }
    }

    /// <summary>Answers commands until the channels of all markets and this many order books are subscribed, each with its snapshot.</summary>
    public Task ServeSubscriptionsAsync(int books, int contracts = 10) => ServeSubscriptionsAsync(books, _ => contracts);

    /// <param name="books">Order books to serve.</param>
    /// <param name="contracts">What each market's snapshot has at 0.40.</param>
    /// <param name="allMarketChannels">Channels of all markets to serve.</param>
    /// <param name="received">The first command, if it was received already.</param>
    public async Task ServeSubscriptionsAsync(int books, Func<string, int> contracts, int allMarketChannels = 3, JsonElement? received = null)
    {
        for (int channels = 0, served = 0; channels < allMarketChannels || served < books; received = null)
        {
            var command = received ?? await ReceiveAsync();
            var parameters = command.GetProperty("params");
            string channel = parameters.GetProperty("channels")[0].GetString()!;
            if (channel == "orderbook_delta")
            {
                var tickers = parameters.GetProperty("market_tickers").EnumerateArray().Select(ticker => ticker.GetString()!).ToList();
                await AcknowledgeBooksAsync(command, isFirst: served == 0);
                foreach (string ticker in tickers) await SnapshotAsync(ticker, contracts(ticker));
                served += tickers.Count;
            }
            else
            {
                channels++;
                int sid = channel switch { "ticker" => TickerSid, "trade" => TradeSid, _ => LifecycleSid };
                await SendControlAsync($$$"""{"type":"subscribed","id":{{{command.GetProperty("id")}}},"msg":{"channel":"{{{channel}}}","sid":{{{sid}}}}}""");
            }
        }
    }

    public Task AcknowledgeBooksAsync(JsonElement command, bool isFirst) => SendControlAsync(isFirst
        ? $$$"""{"type":"subscribed","id":{{{command.GetProperty("id")}}},"msg":{"channel":"orderbook_delta","sid":{{{BookSid}}}}}"""
        : $$$"""{"type":"ok","id":{{{command.GetProperty("id")}}},"sid":{{{BookSid}}},"seq":{{{NextSeq(BookSid)}}},"msg":{}}""");

    /// <summary>Ten contracts bid at 0.40, or as many as given.</summary>
    public Task SnapshotAsync(string ticker, int contracts = 10, long? id = null) => SendAsync(
        $$$"""{{{{(id == null ? "" : $"\"id\":{id},")}}}"type":"orderbook_snapshot","sid":{{{BookSid}}},"seq":{{{NextSeq(BookSid)}}},"msg":{"market_ticker":"{{{ticker}}}","market_id":"id-{{{ticker}}}","yes_dollars_fp":[["0.4000","{{{contracts}}}.00"]]}}""");

    /// <summary>Answers one <c>get_snapshot</c> and returns the markets that it asked for.</summary>
    public async Task<string[]> ServeSnapshotsAsync(int contracts = 10)
    {
        var command = await ReceiveAsync();
        Assert.Equal("update_subscription", command.GetProperty("cmd").GetString());
        var parameters = command.GetProperty("params");
        Assert.Equal("get_snapshot", parameters.GetProperty("action").GetString());
        Assert.Equal([BookSid], parameters.GetProperty("sids").EnumerateArray().Select(sid => sid.GetInt32()));
        var tickers = parameters.GetProperty("market_tickers").EnumerateArray().Select(ticker => ticker.GetString()!).ToArray();
        foreach (string ticker in tickers) await SnapshotAsync(ticker, contracts, command.GetProperty("id").GetInt64());
        return tickers;
    }

    /// <summary>Answers a command with an error.</summary>
    public Task RefuseAsync(JsonElement command, int code, string message) => SendControlAsync(
        $$$"""{"id":{{{command.GetProperty("id")}}},"type":"error","msg":{"code":{{{code}}},"msg":"{{{message}}}"}}""");

    /// <summary>One more contract bid at 0.40.</summary>
    public Task DeltaAsync(string ticker, string extraFields = "") => SendAsync(
        $$$"""{"type":"orderbook_delta","sid":{{{BookSid}}},"seq":{{{NextSeq(BookSid)}}},"msg":{"market_ticker":"{{{ticker}}}","price_dollars":"0.4000","delta_fp":"1.00","side":"yes"{{{extraFields}}}}}""");

    public Task TradeAsync(string ticker, string id) => SendAsync(
        $$$"""{"type":"trade","sid":{{{TradeSid}}},"seq":{{{NextSeq(TradeSid)}}},"msg":{"trade_id":"{{{id}}}","market_ticker":"{{{ticker}}}","yes_price_dollars":"0.4000","count_fp":"1.00"}}""");

    /// <summary>Takes the next number of a subscription; without sending a frame with it, that is a hole.</summary>
    public long NextSeq(int sid) => _seq[sid] = _seq.GetValueOrDefault(sid) + 1;

    /// <summary>Sends a data frame.</summary>
    public Task SendAsync(string frame)
    {
        Sent.Add(frame);
        return SendControlAsync(frame);
    }

    /// <summary>Sends a frame that is not for the market data's consumers.</summary>
    public async Task SendControlAsync(string frame)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        await socket.SendAsync(Encoding.UTF8.GetBytes(frame), WebSocketMessageType.Text, endOfMessage: true, timeout.Token);
    }

    /// <summary>Closes in order.</summary>
    public async Task CloseAsync(WebSocketCloseStatus status = WebSocketCloseStatus.EndpointUnavailable, string reason = "maintenance")
    {
        using var timeout = new CancellationTokenSource(Timeout);
        await socket.CloseAsync(status, reason, timeout.Token);
        _end.TrySetResult();
    }

    /// <summary>Drops the connection without a close.</summary>
    public void Cut()
    {
        socket.Abort();
        _end.TrySetResult();
    }

    public ValueTask DisposeAsync()
    {
        _end.TrySetResult();
        return ValueTask.CompletedTask;
    }
}
