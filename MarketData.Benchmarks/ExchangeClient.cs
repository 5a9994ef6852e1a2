using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace MarketData.Benchmarks;

/// <summary>A client of a mock exchange that takes every frame of every market on every public channel.</summary>
internal sealed class ExchangeClient : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60), Silence = TimeSpan.FromSeconds(5);
    private readonly ClientWebSocket _socket = new();
    private readonly CancellationTokenSource _silent = new(Timeout);
    private readonly byte[] _buffer = new byte[4 << 20];
    private long _received;

    private ExchangeClient()
    {
    }

    /// <summary>Connects and asks for everything; the answer is among the frames.</summary>
    /// <param name="exchange">Root of the mock exchange.</param>
    /// <param name="tickers">Markets whose books are asked for.</param>
    public static async Task<ExchangeClient> SubscribeAsync(Uri exchange, IReadOnlyCollection<string> tickers)
    {
        var client = new ExchangeClient();
        await client._socket.ConnectAsync(new Uri($"ws://{exchange.Authority}/trade-api/ws/v2"), client._silent.Token);
        var parameters = new { channels = new[] { "orderbook_delta", "ticker", "trade", "market_lifecycle_v2" }, market_tickers = tickers };
        var command = JsonSerializer.SerializeToUtf8Bytes(new { id = 1, cmd = "subscribe", @params = parameters });
        await client._socket.SendAsync(command, WebSocketMessageType.Text, endOfMessage: true, client._silent.Token);
        return client;
    }

    /// <summary>The tickers of every market that the exchange lists.</summary>
    public static async Task<IReadOnlyCollection<string>> ListMarketsAsync(Uri exchange)
    {
        using var http = new HttpClient { BaseAddress = exchange, Timeout = Timeout };
        var tickers = new List<string>();
        string cursor = "";
        do
        {
            using var page = JsonDocument.Parse(await http.GetStringAsync($"/trade-api/v2/markets?limit=1000&cursor={Uri.EscapeDataString(cursor)}"));
            tickers.AddRange(page.RootElement.GetProperty("markets").EnumerateArray().Select(market => market.GetProperty("ticker").GetString()!));
            cursor = page.RootElement.GetProperty("cursor").GetString()!;
        }
        while (cursor.Length > 0);
        return tickers;
    }

    /// <summary>The next frame, valid until the next call; null when nothing has come for 5 s.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync()
    {
        // Setting the alarm for each frame would be part of what is measured.
        if (_received++ % 1000 == 0) _silent.CancelAfter(Silence);
        int length = 0;
        try
        {
            while (true)
            {
                var part = await _socket.ReceiveAsync(_buffer.AsMemory(length), _silent.Token);
                if (part.MessageType == WebSocketMessageType.Close) throw new IOException($"The exchange closed the connection: {_socket.CloseStatusDescription}");
                length += part.Count;
                if (part.EndOfMessage) return _buffer.AsMemory(0, length);
                if (length == _buffer.Length) throw new InvalidDataException($"The exchange sent a frame of more than {_buffer.Length} bytes: {Encoding.UTF8.GetString(_buffer, 0, 100)}…");
            }
        }
        catch (OperationCanceledException)
        {
            // The connection stays open after the last frame of a recording: silence is the end.
            return null;
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _silent.Dispose();
    }
}
