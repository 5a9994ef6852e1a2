using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>A received text frame, as text and as JSON.</summary>
internal sealed record Frame(string Text)
{
    public JsonNode Json { get; } = JsonNode.Parse(Text)!;

    public string Type => (string)Json["type"]!;
    public int? Id => (int?)Json["id"];
    public int? Sid => (int?)Json["sid"];
    public long? Seq => (long?)Json["seq"];
    public JsonNode Message => Json["msg"]!;
    public string? Ticker => (string?)Message["market_ticker"];
    public int Code => (int)Message["code"]!;
    public string[] Tickers => Message["market_tickers"]!.AsArray().Select(ticker => (string)ticker!).ToArray();
}

/// <summary>A client of the exchange on the framework's own WebSocket. Every wait ends after 20 s.</summary>
internal sealed class ExchangeClient(ClientWebSocket socket) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private byte[] _buffer = new byte[64 * 1024];

    public ClientWebSocket Socket { get; } = socket;

    public static async Task<ExchangeClient> ConnectAsync(Uri address, params IEnumerable<(string Name, string Value)> headers)
    {
        var socket = new ClientWebSocket();
        foreach (var (name, value) in headers) socket.Options.SetRequestHeader(name, value);
        using var timeout = Timeout();
        await socket.ConnectAsync(address, timeout.Token);
        return new ExchangeClient(socket);
    }

    public async Task SendAsync(string text, WebSocketMessageType type = WebSocketMessageType.Text)
    {
        using var timeout = Timeout();
        await Socket.SendAsync(Encoding.UTF8.GetBytes(text), type, endOfMessage: true, timeout.Token);
    }

    /// <summary>Sends a command and gives the next frame.</summary>
    public async Task<Frame> AskAsync(string command)
    {
        await SendAsync(command);
        return await ReceiveAsync();
    }

    /// <summary>Sends a command and gives the frame that answers it, past the data frames before it.</summary>
    public async Task<Frame> AskUntilAsync(string command, int id)
    {
        await SendAsync(command);
        return (await ReceiveUntilAsync(frame => frame.Id == id))[^1];
    }

    public async Task<Frame> ReceiveAsync() => new(Encoding.UTF8.GetString((await ReceiveBytesAsync()).Span));

    /// <summary>The next text frame's bytes, valid until the next call; the end of the connection fails the test.</summary>
    public async Task<ReadOnlyMemory<byte>> ReceiveBytesAsync()
    {
        using var timeout = Timeout();
        int length = 0;
        while (true)
        {
            if (length == _buffer.Length) Array.Resize(ref _buffer, length * 2);
            var received = await Socket.ReceiveAsync(_buffer.AsMemory(length), timeout.Token);
            Assert.Equal(WebSocketMessageType.Text, received.MessageType);
            length += received.Count;
            if (received.EndOfMessage) return _buffer.AsMemory(0, length);
        }
    }

    public async Task<List<Frame>> ReceiveAsync(int count)
    {
        var frames = new List<Frame>(count);
        while (frames.Count < count) frames.Add(await ReceiveAsync());
        return frames;
    }

    /// <summary>Every frame up to and with the first that matches.</summary>
    public async Task<List<Frame>> ReceiveUntilAsync(Func<Frame, bool> match)
    {
        var frames = new List<Frame>();
        do frames.Add(await ReceiveAsync());
        while (!match(frames[^1]));
        return frames;
    }

    /// <summary>Everything that was under way before this call, found by the answer to a command of no effect.</summary>
    public async Task<List<Frame>> ReceiveAllSoFarAsync()
    {
        const int marker = 987_654;
        await SendAsync($$"""{"id":{{marker}},"cmd":"list_subscriptions"}""");
        var frames = await ReceiveUntilAsync(frame => frame.Id == marker);
        frames.RemoveAt(frames.Count - 1);
        return frames;
    }

    public async ValueTask DisposeAsync()
    {
        if (Socket.State == WebSocketState.Open)
        {
            using var timeout = Timeout();
            await Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, timeout.Token);
        }

        Socket.Dispose();
    }

    private static CancellationTokenSource Timeout()
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(Patience);
        return source;
    }
}
