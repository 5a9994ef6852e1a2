using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>A client of the gateway. Reads all the time unless told to stall.</summary>
internal sealed class GatewayConnection : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Channel<byte[]> _received = Channel.CreateUnbounded<byte[]>();
    private readonly Queue<byte[]> _passedOver = [];
    private readonly Task _reading;
    private volatile TaskCompletionSource? _stalled;
    private volatile bool _hasClosed;

    private GatewayConnection(ClientWebSocket socket)
    {
        Socket = socket;
        _reading = ReadAsync();
    }

    public ClientWebSocket Socket { get; }

    /// <summary>Connects and takes the greeting.</summary>
    public static async Task<GatewayConnection> OpenAsync(Uri endpoint, Action<ClientWebSocketOptions>? configure = null, HttpMessageInvoker? invoker = null)
    {
        var socket = new ClientWebSocket();
        configure?.Invoke(socket.Options);
        await socket.ConnectAsync(endpoint, invoker, TestContext.Current.CancellationToken);
        var connection = new GatewayConnection(socket);
        var greeting = await connection.NextAsync();
        Assert.Equal("connected", greeting.GetProperty("type").GetString());
        return connection;
    }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);

    public Task SendAsync(byte[] bytes, WebSocketMessageType type) => Socket.SendAsync(bytes, type, endOfMessage: true, TestContext.Current.CancellationToken);

    public Task AskAsync(string action, params string[] channels) => SendAsync(JsonSerializer.Serialize(new { action, channels }));

    /// <summary>Subscribes and takes the answers.</summary>
    public async Task SubscribeAsync(params string[] channels)
    {
        foreach (var channel in channels)
        {
            await AskAsync("subscribe", channel);
            await AnswerAsync("subscribed");
        }
    }

    /// <summary>The next message in raw bytes.</summary>
    public async Task<byte[]> NextBytesAsync() => _passedOver.TryDequeue(out var earlier) ? earlier : await ReceiveAsync();

    /// <summary>The next message.</summary>
    public async Task<JsonElement> NextAsync() => Parse(await NextBytesAsync());

    /// <summary>The next answer, which must be of this type; envelopes before it are kept for <see cref="NextBytesAsync"/>.</summary>
    public async Task<JsonElement> AnswerAsync(string type)
    {
        while (true)
        {
            var bytes = await ReceiveAsync();
            var message = Parse(bytes);
            if (message.TryGetProperty("type", out var found))
            {
                Assert.Equal(type, found.GetString());
                return message;
            }

            _passedOver.Enqueue(bytes);
        }
    }

    /// <summary>Sends a text and returns the text of the error that answers it.</summary>
    public async Task<string> ErrorOfAsync(string request)
    {
        await SendAsync(request);
        return (await AnswerAsync("error")).GetProperty("error").GetString()!;
    }

    /// <summary>Proves that the connection works.</summary>
    public async Task PingAsync()
    {
        await SendAsync("""{"action":"ping"}""");
        await AnswerAsync("pong");
    }

    /// <summary>Reads nothing until <see cref="Resume"/>.</summary>
    public void Stall() => _stalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Resume()
    {
        var stalled = _stalled;
        _stalled = null;
        stalled?.SetResult();
    }

    /// <summary>Sends the close frame of this side.</summary>
    public Task CloseAsync()
    {
        _hasClosed = true;
        return Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
    }

    /// <summary>Waits for the gateway's close frame; what came before it is thrown away.</summary>
    public async Task<(int Code, string? Reason)> ClosedAsync()
    {
        await _reading.WaitAsync(Patience, TestContext.Current.CancellationToken);
        return ((int?)Socket.CloseStatus ?? 0, Socket.CloseStatusDescription);
    }

    public async ValueTask DisposeAsync()
    {
        Resume();
        Socket.Abort();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Socket.Dispose();
    }

    private static JsonElement Parse(byte[] message)
    {
        using var document = JsonDocument.Parse(message);
        return document.RootElement.Clone();
    }

    private async Task<byte[]> ReceiveAsync()
    {
        try
        {
            return await _received.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience);
        }
        catch (ChannelClosedException)
        {
            throw new InvalidOperationException($"The gateway closed: {Socket.CloseStatus} {Socket.CloseStatusDescription}");
        }
    }

    private async Task AnswerCloseAsync()
    {
        if (_hasClosed) return;
        try
        {
            await CloseAsync();
        }
        catch (WebSocketException)
        {
            // After a breach of the protocol the gateway's side does not wait for the answer.
        }
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[16 << 10];
        int length = 0;
        try
        {
            while (true)
            {
                if (_stalled is { } stalled) await stalled.Task;
                var result = await Socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                if (result.MessageType == WebSocketMessageType.Close)
                {
                    await AnswerCloseAsync();
                    break;
                }

                length += result.Count;
                if (length == buffer.Length) Array.Resize(ref buffer, 2 * length);
                if (!result.EndOfMessage) continue;
                Assert.Equal(WebSocketMessageType.Text, result.MessageType);
                _received.Writer.TryWrite(buffer[..length]);
                length = 0;
            }
        }
        finally
        {
            _received.Writer.TryComplete();
        }
    }
}
