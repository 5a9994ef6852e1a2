using System.Net.WebSockets;
using System.Runtime.InteropServices;
using System.Text;
using MarketData.Domain.Channels;
using MarketData.Gateway.Clients;
using MarketData.Gateway.Feed;
using MarketData.ServiceDefaults.WebSockets;

namespace MarketData.Gateway.Fanout;

/// <summary>
/// Hands what waits for a client to its connection, and has the policy for a client that is too slow for it: order books and tickers are
/// conflated to their latest state, and whoever would lose anything else is closed. One for each worker.
/// </summary>
public sealed class ClientSender(FeedLog log, SendBatch batch, FeedInbox feed, GatewayOptions options, GatewayMetrics metrics, DeliveryLatency latency, TimeProvider time)
{
    private const WebSocketCloseStatus TryAgainLater = (WebSocketCloseStatus)1013;

    // States that are asked for at once: about what fits into an empty queue.
    private const int MaxRefresh = 256;

    private static readonly byte[] PingFrame = WebSocketFrame.Ping();

    private readonly byte[] _scratch = new byte[64 << 10];
    private readonly TimeSpan _pingInterval = TimeSpan.FromSeconds(options.PingSeconds), _stallLimit = TimeSpan.FromSeconds(options.StallSeconds);
    private long _messages, _bytes;

    /// <summary>When the current pass began.</summary>
    public long Now { get; private set; } = time.GetTimestamp();

    public TimeSpan Since(long timestamp) => time.GetElapsedTime(timestamp, Now);

    /// <summary>A pass begins.</summary>
    public void Tick()
    {
        Now = time.GetTimestamp();
        metrics.Sent(_messages, _bytes);
        (_messages, _bytes) = (0, 0);
    }

    /// <summary>Adds a send to a connection for which nothing waits; see <see cref="SendBatch"/>.</summary>
    public void Add(SafeHandle? connection, ReadOnlySpan<byte> bytes) => batch.Add(connection, bytes);

    /// <summary>Adds a send of what waits for a client, when that is shared bytes in one piece, and few; of nothing when it is not.</summary>
    public void Add(GatewayClient client)
    {
        var (output, transport) = (client.Output, client.Output.Transport);
        bool isOpen = client.Close == null && output is { HasJoined: true, HasLeft: false } && !transport.IsBusy && transport.Problem == null;
        var bytes = isOpen ? output.Queue.Shared : default;
        // A large send would be tried at once, while the small ones before it wait.
        batch.Add(bytes.Length <= SendBatch.MaxTogether ? transport.Connection : null, bytes);
    }

    /// <summary>Sends what was added, and returns what each connection took; see <see cref="SendBatch.Complete"/>.</summary>
    public ReadOnlySpan<int> Complete()
    {
        var taken = batch.Complete();
        foreach (int bytes in taken) _bytes += Math.Max(0, bytes);
        return taken;
    }

    /// <summary>Tells how old messages are that have been written to all clients now, or put behind what a slow one has not taken yet.</summary>
    /// <param name="first">The first entry.</param>
    /// <param name="end">The one after the last.</param>
    public void Written(long first, long end)
    {
        for (long number = first; number < end; number++)
        {
            if (log[number].ReceivedAt is { } receivedAt) latency.Record(receivedAt);
        }
    }

    /// <summary>Counts messages that were written whole.</summary>
    public void Sent(long messages) => _messages += messages;

    /// <summary>Takes from the queue what the connection has taken.</summary>
    public void Take(ClientOutput output, int bytes)
    {
        long before = output.Queue.MessagesTaken;
        output.Queue.Take(bytes);
        output.TookAt = Now;
        _messages += output.Queue.MessagesTaken - before;
    }

    /// <summary>A client has come.</summary>
    public void Joined(GatewayClient client) => client.Output.TookAt = client.Output.PingedAt = client.HeardAt = Now;

    /// <summary>Sends what the connection takes, and looks at what it does not take.</summary>
    public void Send(GatewayClient client)
    {
        var output = client.Output;
        if (client.Close is { } close && !output.IsEnding)
        {
            output.IsEnding = true;
            output.Queue.Truncate();
            output.Queue.Add(WebSocketFrame.Close(close.Status, close.Reason));
        }

        Write(output);
        if (output.IsEnding) return;
        if (output.Transport.Problem is { } problem) client.TryClose(WebSocketCloseStatus.EndpointUnavailable, problem, isAbrupt: true);
        if (IsOverBudget(output)) Conflate(client);
        if (output is { Conflated: not null, IsRefreshing: false } && output.Queue.Bytes <= options.ClientQueueBytes / 2) AskForLatest(client);
    }

    /// <summary>Pings a client when that is due, and gives up one that does not answer or read. Whether anything is to be sent to it.</summary>
    public bool Watch(GatewayClient client)
    {
        var output = client.Output;
        if (output.IsEnding) return true;
        if (output.Transport.IsBusy)
        {
            // Its answers wait behind what it has not read yet.
            if (Since(output.TookAt) < _stallLimit) return false;
            if (client.TryClose(WebSocketCloseStatus.PolicyViolation, $"Nothing was read for {options.StallSeconds} s.", isAbrupt: true)) metrics.ClosedSlow();
        }
        else if (Since(output.PingedAt) >= _pingInterval)
        {
            if (client.HeardAt < output.PingedAt) client.TryClose(WebSocketCloseStatus.PolicyViolation, $"No answer to a ping for {options.PingSeconds} s.", isAbrupt: true);
            output.PingedAt = Now;
            output.Queue.Add(PingFrame);
        }

        return !output.Queue.IsEmpty || output.Conflated != null;
    }

    /// <summary>Takes the latest of what was conflated. States that have been unsubscribed since are not waited for any more.</summary>
    public static void Take(ClientOutput output, Refreshed refreshed)
    {
        output.IsRefreshing = false;
        foreach (var (state, frame) in refreshed.States)
        {
            if (output.Conflated?.Remove(state) == true && frame != null) output.Queue.Add(frame, state);
        }

        if (output.Conflated?.Count == 0) output.Conflated = null;
    }

    /// <summary>Makes a client need nothing of the log before an entry; false when it does not.</summary>
    public bool LetGo(GatewayClient client, long floor)
    {
        var queue = client.Output.Queue;
        if (!(queue.OldestEntry < floor)) return false;
        Conflate(client);
        queue.Detach(floor);
        return true;
    }

    private void Write(ClientOutput output)
    {
        var (queue, transport) = (output.Queue, output.Transport);
        while (!queue.IsEmpty && !transport.IsBusy && transport.Problem == null)
        {
            int taken = transport.Write(queue.Peek(_scratch));
            _bytes += taken;
            Take(output, taken);
        }
    }

    // A message that is larger than the budget passes when nothing else waits.
    private bool IsOverBudget(ClientOutput output) => output.Queue.Bytes > options.ClientQueueBytes && !output.Queue.IsOneMessage;

    private void Conflate(GatewayClient client)
    {
        var output = client.Output;
        var conflated = output.Conflated ?? [];
        output.Queue.Filter((number, ownState) =>
        {
            var state = number is { } entry ? log[entry].State : ownState;
            if (state is not { } known || !ConflatedState.Is(known.Stream)) return true;
            if (conflated.Add(known)) metrics.Conflated();
            return false;
        });
        if (conflated.Count > 0) output.Conflated = conflated;
        if (IsOverBudget(output)) CloseSlow(client);
    }

    private void CloseSlow(GatewayClient client)
    {
        // What is left is no state.
        var lost = client.Output.Queue.LastEntry is { } last
            ? $"a {Encoding.UTF8.GetString(log[last].Channel.Utf8Name())} message of {log[last].Market}"
            : "an answer";
        if (client.TryClose(TryAgainLater, $"Too slow: no room for {lost}.")) metrics.ClosedSlow();
    }

    private void AskForLatest(GatewayClient client)
    {
        var output = client.Output;
        var states = output.Conflated!.Take(MaxRefresh).ToArray();
        // When the feed's inbox is full the client is looked at again within a second.
        output.IsRefreshing = feed.TryPost(new ClientRefresh(client, states, options.ClientQueueBytes - output.Queue.Bytes));
    }
}
