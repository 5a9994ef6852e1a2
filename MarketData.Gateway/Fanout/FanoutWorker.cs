using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Clients;

namespace MarketData.Gateway.Fanout;

/// <summary>
/// A thread that owns some of the clients: it follows the log, puts what each client wants into its queue, and sends. One pass takes all
/// that has been published, so what comes during a pass is joined in the next, and an idle worker sends at once.
/// </summary>
/// <param name="log">What the feed publishes.</param>
/// <param name="sender">Sends, and decides about slow clients.</param>
public sealed class FanoutWorker(FeedLog log, ClientSender sender) : IDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentQueue<GatewayClient> _signalled = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly HashSet<GatewayClient> _clients = [];
    private readonly List<GatewayClient> _dirty = [];

    // Clients of the channel of all that get every entry: one growing range each, without a look at single messages.
    private readonly List<Follower> _gapless = [];
    private readonly SubscriptionTable _table = new();
    private long _next, _passedFrom;
    private int _count;
    private volatile bool _isStopping;

    public LogFloor Floor { get; } = new();

    /// <summary>Clients that have been assigned to it.</summary>
    public int Count => Volatile.Read(ref _count);

    public void Wake()
    {
        if (!_isStopping) _wake.Set();
    }

    /// <summary>Counts a client in, before its first signal.</summary>
    public void Assign() => Interlocked.Increment(ref _count);

    /// <summary>See <see cref="GatewayClient.Signal"/>; at most one entry for each client.</summary>
    public void Signalled(GatewayClient client)
    {
        _signalled.Enqueue(client);
        Wake();
    }

    /// <summary>Works until <see cref="Stop"/>. Whoever is still connected then has been told or is cut off by the server.</summary>
    public void Run()
    {
        long swept = sender.Now;
        while (!_isStopping)
        {
            _wake.WaitOne(SweepInterval);
            do
            {
                Pass();
                if (sender.Since(swept) < SweepInterval) continue;
                swept = sender.Now;
                Sweep();
            }
            while (_next < log.Head || !_signalled.IsEmpty);
        }
    }

    /// <summary>Lets go of all clients, and of the log.</summary>
    public void End()
    {
        foreach (var client in _clients.ToList()) Leave(client);
        Floor.Entry = long.MaxValue;
    }

    public void Stop()
    {
        _isStopping = true;
        _wake.Set();
    }

    public void Dispose() => _wake.Dispose();

    // Also between passes that follow on each other without a pause.
    private void Sweep()
    {
        foreach (var client in _clients)
        {
            if (sender.Watch(client)) MarkDirty(client);
        }

        Settle();
    }

    private void Pass()
    {
        sender.Tick();
        while (_signalled.TryDequeue(out var client)) Look(client);
        long from = _passedFrom = _next;
        Follow(log.Head);
        if (from < _next) SendEverything();
        _passedFrom = _next;
        Settle();
        if (_clients.Count > 0) sender.Written(from, _next);
        if (log.IsFar(Floor.Entry, _next)) Trim();
    }

    private void Follow(long head)
    {
        for (; _next < head; _next++)
        {
            ref var entry = ref log[_next];
            if (entry.Market is { } market)
            {
                Route(entry, _table.Of(market, entry.Channel));
            }
            else if (entry.Command is { } command && command.Client.Worker == this)
            {
                if (!command.Client.Output.IsEnding || command is RemoveTopics) Obey(command);
                // The log is long: the client must not live as long as its entry.
                entry.Command = null;
            }
        }
    }

    // To the clients that get every entry. Nothing of one that is even is looked at but its connection: of ten thousand clients nothing is in
    // a processor's cache, so what is touched is what costs.
    private void SendEverything()
    {
        var plain = log.Piece(_passedFrom, _next, FrameForm.Plain, out long plainBytes);
        var deflated = log.Piece(_passedFrom, _next, FrameForm.Deflated, out long deflatedBytes);
        long messages = log[_next].Messages - log[_passedFrom].Messages;
        // From the end: whoever must be routed message by message, or leaves, is replaced by the last.
        for (int end = _gapless.Count; end > 0; end -= SendBatch.Capacity)
        {
            int first = Math.Max(0, end - SendBatch.Capacity);
            for (int i = end - 1; i >= first; i--)
            {
                ref var follower = ref CollectionsMarshal.AsSpan(_gapless)[i];
                sender.Add(follower.IsEven ? follower.Connection : null, follower.Form == FrameForm.Plain ? plain : deflated);
            }

            var taken = sender.Complete();
            for (int i = end - 1; i >= first; i--)
            {
                ref var follower = ref CollectionsMarshal.AsSpan(_gapless)[i];
                int bytes = taken[end - 1 - i];
                if (follower.IsEven && bytes == (follower.Form == FrameForm.Plain ? plainBytes : deflatedBytes))
                {
                    sender.Sent(messages);
                    continue;
                }

                var client = follower.Client;
                Extend(client);
                if (bytes > 0) sender.Take(client.Output, bytes);
                Settle(client);
            }
        }
    }

    // What is put into the queue next comes after all entries up to here.
    private void Extend(GatewayClient client)
    {
        var output = client.Output;
        if (output.GaplessIndex < 0) return;
        ref var follower = ref CollectionsMarshal.AsSpan(_gapless)[output.GaplessIndex];
        if (follower.IsEven) output.Next = _passedFrom;
        follower.IsEven = false;
        output.Extend(_next);
    }

    private void Route(in LogEntry entry, in Audience audience)
    {
        RouteTo(audience.First, entry);
        RouteTo(audience.Second, entry);
        RouteTo(audience.Third, entry);
        RouteTo(audience.Fourth, entry);
        RouteTo(audience.Fifth, entry);
    }

    private void RouteTo(HashSet<GatewayClient> clients, in LogEntry entry)
    {
        foreach (var client in clients)
        {
            var output = client.Output;
            if (output.LastRouted == _next || output.GaplessIndex >= 0 || output.IsEnding) continue;
            output.LastRouted = _next;
            if (output.Conflated != null && output.Conflated.Contains(entry.State)) continue;
            output.Queue.Add(_next, _next + 1);
            MarkDirty(client);
        }
    }

    private void Obey(ClientCommand command)
    {
        var (client, output) = (command.Client, command.Client.Output);
        Extend(client);
        switch (command)
        {
            case SendFrame send:
                output.Queue.Add(send.Frame, send.State, send.Messages);
                break;
            case AddTopic add:
                if (add.Topic.IsAll) output.WantsAll = true;
                if (!add.Topic.IsAll || output.Conflated != null || add.Missing.Count > 0) _table.Add(client, add.Topic);
                if (add.Missing.Count > 0) (output.Conflated ??= []).UnionWith(add.Missing);
                break;
            case RemoveTopics remove:
                Remove(client, remove.Topics);
                break;
            case Refreshed refreshed:
                ClientSender.Take(output, refreshed);
                break;
        }

        Arrange(client);
        MarkDirty(client);
    }

    private void Remove(GatewayClient client, IReadOnlyList<Topic> topics)
    {
        var output = client.Output;
        foreach (var topic in topics)
        {
            _table.Remove(client, topic);
            if (topic.IsAll) output.WantsAll = false;
        }

        output.Conflated?.RemoveWhere(state => !output.WantsAll && !_table.Carries(client, state));
        if (output.Conflated?.Count == 0) output.Conflated = null;
    }

    // A client of everything gets every entry in one range, unless it must not get some of them.
    private void Arrange(GatewayClient client)
    {
        var output = client.Output;
        bool isGapless = output is { WantsAll: true, Conflated: null, IsEnding: false };
        if (isGapless == output.GaplessIndex >= 0) return;
        if (isGapless)
        {
            _table.Remove(client, Topic.All);
            output.Next = _next;
            output.GaplessIndex = _gapless.Count;
            _gapless.Add(new Follower(client, output.Transport.Connection, output.Form));
            return;
        }

        var last = _gapless[^1];
        _gapless[output.GaplessIndex] = last;
        last.Client.Output.GaplessIndex = output.GaplessIndex;
        _gapless.RemoveAt(_gapless.Count - 1);
        output.GaplessIndex = -1;
        if (output.WantsAll) _table.Add(client, Topic.All);
    }

    private void MarkDirty(GatewayClient client)
    {
        if (client.Output.IsDirty) return;
        client.Output.IsDirty = true;
        _dirty.Add(client);
    }

    private void Look(GatewayClient client)
    {
        client.TakeSignal();
        var output = client.Output;
        if (output.HasLeft) return;
        if (!output.HasJoined)
        {
            output.HasJoined = true;
            sender.Joined(client);
            _clients.Add(client);
        }

        if (client.TakePong() is { } pong && !output.IsEnding)
        {
            Extend(client);
            output.Queue.Add(pong);
        }

        MarkDirty(client);
    }

    private void Settle()
    {
        // Settling may close, which signals, but adds nobody here.
        for (int first = 0; first < _dirty.Count; first += SendBatch.Capacity)
        {
            var clients = CollectionsMarshal.AsSpan(_dirty)[first..Math.Min(_dirty.Count, first + SendBatch.Capacity)];
            foreach (var client in clients)
            {
                client.Output.IsDirty = false;
                sender.Add(client);
            }

            var taken = sender.Complete();
            for (int i = 0; i < clients.Length; i++)
            {
                if (taken[i] > 0) sender.Take(clients[i].Output, taken[i]);
                Settle(clients[i]);
            }
        }

        _dirty.Clear();
    }

    private void Settle(GatewayClient client)
    {
        var output = client.Output;
        if (!output.HasJoined || output.HasLeft) return;
        sender.Send(client);
        Arrange(client);
        if (output.GaplessIndex >= 0)
        {
            ref var follower = ref CollectionsMarshal.AsSpan(_gapless)[output.GaplessIndex];
            if (follower.IsEven) output.Next = _next;
            follower.IsEven = follower.Connection != null && output.Queue.IsEmpty && !output.Transport.IsBusy;
        }

        if (client.IsAbandoned || client.Close is { IsAbrupt: true } || output.Transport.Problem != null || (output.IsEnding && output.Queue.IsEmpty && !output.Transport.IsBusy)) Leave(client);
    }

    // Its channels go when the feed hears of it.
    private void Leave(GatewayClient client)
    {
        var output = client.Output;
        output.IsEnding = output.HasLeft = true;
        Arrange(client);
        _clients.Remove(client);
        Interlocked.Decrement(ref _count);
        client.Leave();
    }

    // The log goes round: what lies far behind is conflated, and who would lose more is closed.
    private void Trim()
    {
        long floor = log.NewFloor(Floor.Entry, _next);
        foreach (var client in _clients)
        {
            if (sender.LetGo(client, floor)) MarkDirty(client);
        }

        Settle();
        Floor.Entry = floor;
    }

    /// <summary>A client that gets every entry.</summary>
    /// <param name="Client">The client.</param>
    /// <param name="Connection">What may be sent to directly; null when nothing may.</param>
    /// <param name="Form">Its form of frames.</param>
    private record struct Follower(GatewayClient Client, SafeHandle? Connection, FrameForm Form)
    {
        /// <summary>Whether it has everything up to the end of the last pass, and nothing waits for it.</summary>
        public bool IsEven { get; set; }
    }
}
