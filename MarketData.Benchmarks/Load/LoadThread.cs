using System.Buffers.Binary;
using System.Text;
using MarketData.ServiceDefaults.WebSockets;

namespace MarketData.Benchmarks.Load;

/// <summary>Owns its share of the clients: one thread, one epoll, one buffer that everything is read into.</summary>
internal sealed class LoadThread : IDisposable
{
    private const int EventsAtOnce = 1024, ReadBytes = 256 << 10, OpeningAtOnce = 256, MillisecondsToGetOn = 30_000, WaitMilliseconds = 10;
    private const int TicksPerSecond = 20;

    private readonly LoadRun _run;
    private readonly LoadClient[] _clients;
    private readonly int _epoll = LibC.OpenEpoll();
    private readonly byte[] _events = LibC.EventBuffer(EventsAtOnce), _buffer = new byte[FrameScanner.MaxWholeBytes + 64 + ReadBytes];
    private readonly Queue<LoadClient> _toOpen;
    private readonly LatencySampler _sampler;
    private readonly Thread _thread;
    private LoadPhase _phase;
    private int _opening, _live, _ended, _nextLeaver;
    private string? _lastEnd;
    private Exception? _failure;
    private long _delivered, _bytes, _lastTick;
    private (long Delivered, long Bytes, TimeSpan Processor) _atStart;

    /// <param name="run">Shared with the others.</param>
    /// <param name="clients">Its clients; their ids count from 0 within the thread.</param>
    public LoadThread(LoadRun run, LoadClient[] clients)
    {
        (_run, _clients, _toOpen) = (run, clients, new Queue<LoadClient>(clients));
        _sampler = new LatencySampler(run.SampleEvery);
        _thread = new Thread(Run) { Name = "load", IsBackground = true };
    }

    /// <summary>Clients that are connected and subscribed now.</summary>
    public int Live => Volatile.Read(ref _live);

    /// <summary>Messages that came to its clients so far.</summary>
    public long Delivered => Volatile.Read(ref _delivered);

    /// <summary>Connections that ended without being asked to.</summary>
    public int Ended => Volatile.Read(ref _ended);

    /// <summary>What the last connection ended with; null when none has.</summary>
    public string? LastEnd => Volatile.Read(ref _lastEnd);

    /// <summary>What ended the thread before its time; null as long as nothing has.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    /// <summary>Measured messages, bytes and processor time of the thread; to be read when it has ended, as everything below.</summary>
    public (long Delivered, long Bytes, TimeSpan Processor) Measured { get; private set; }

    /// <summary>Ends of connections, by close code or what else it was.</summary>
    public Dictionary<string, int> Ends { get; } = [];

    public int Returned { get; private set; }

    public void Start() => _thread.Start();

    public bool Join(TimeSpan timeout) => _thread.Join(timeout);

    public void Dispose() => LibC.CloseEpoll(_epoll);

    private void Run()
    {
        try
        {
            while (_run.Phase != LoadPhase.Ended)
            {
                if (_phase != _run.Phase) Enter(_run.Phase);
                while (_opening < OpeningAtOnce && _toOpen.TryDequeue(out var client)) Open(client);
                int count = LibC.Wait(_epoll, _events, WaitMilliseconds);
                for (int i = 0; i < count; i++) Handle(_clients[LibC.EventId(_events, i)]);
                Tick();
                if (count is > 0 and < EventsAtOnce && _run.Options.Grain > 0) LibC.Sleep(_run.Options.Grain);
            }
        }
#pragma warning disable CA1031 // The main thread reports it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Volatile.Write(ref _failure, exception);
        }

        foreach (var client in _clients)
        {
            if (client.State != ClientState.Closed) LibC.Reset(client.Socket);
        }
    }

    private void Enter(LoadPhase phase)
    {
        _phase = phase;
        var now = (_delivered, _bytes, LibC.ThreadProcessorTime());
        _sampler.Latencies = phase switch { LoadPhase.Measured => _run.Latencies, LoadPhase.Calm => _run.CalmLatencies, _ => null };
        if (phase == LoadPhase.Measured) _atStart = now;
        else if (phase == LoadPhase.After) Measured = (now._delivered - _atStart.Delivered, now._bytes - _atStart.Bytes, now.Item3 - _atStart.Processor);
    }

    private void Open(LoadClient client)
    {
        int socket = LibC.OpenSocket(_run.Options.ReceiveBufferBytes);
        client.Begin(socket, Environment.TickCount64 + MillisecondsToGetOn);
        _opening++;
        LibC.BindAddress(socket, client.Address);
        int error = LibC.Connect(socket, _run.Gateway);
        if (error is 0 or LibC.InProgress) LibC.Watch(_epoll, socket, LibC.Writable, client.Id);
        else End(client, LibC.ErrorText(error));
    }

    private void Handle(LoadClient client)
    {
        if (client.State == ClientState.Closed) return;
        if (client.State == ClientState.Connecting)
        {
            int error = LibC.PendingError(client.Socket);
            if (error != 0 || !LibC.TrySend(client.Socket, ClientFrames.Upgrade))
            {
                End(client, LibC.ErrorText(error));
                return;
            }

            client.State = ClientState.Upgrading;
            LibC.Rewatch(_epoll, client.Socket, LibC.Readable, client.Id);
            return;
        }

        int kept = client.Rest.Length;
        client.Rest.CopyTo(_buffer);
        int read = LibC.Receive(client.Socket, _buffer.AsSpan(kept, ReadBytes));
        if (read is -LibC.WouldBlock or -LibC.Interrupted) return;
        if (read <= 0)
        {
            End(client, "1006");
            return;
        }

        _bytes += read;
        _sampler.Now();
        Take(client, _buffer.AsSpan(0, kept + read));
    }

    private void Take(LoadClient client, ReadOnlySpan<byte> bytes)
    {
        if (client.State == ClientState.Upgrading && !TryUpgrade(client, ref bytes)) return;
        while (client.Scanner.TryRead(ref bytes, client.Checker != null || client.State == ClientState.Subscribing, out var frame))
        {
            if (frame.Opcode >= WebSocketOpcode.Close)
            {
                if (!TakeControl(client, frame)) return;
            }
            else if (client.State == ClientState.Subscribing && frame.Payload.StartsWith("{\"type\":"u8))
            {
                TakeAnswer(client, frame.Payload);
            }
            else
            {
                _delivered++;
                _sampler.Take(frame.Payload);
                if (client.Checker is { } checker && !frame.Payload.StartsWith("{\"type\":"u8)) checker.Take(frame.Payload);
            }
        }

        client.Keep(bytes);
    }

    private bool TryUpgrade(LoadClient client, ref ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            client.Keep(bytes);
            return false;
        }

        if (!bytes.StartsWith("HTTP/1.1 101"u8))
        {
            End(client, Encoding.ASCII.GetString(bytes[..bytes.IndexOf("\r\n"u8)]));
            return false;
        }

        bytes = bytes[(end + 4)..];
        client.State = ClientState.Subscribing;
        if (LibC.TrySend(client.Socket, ClientFrames.Subscribe(client.Channels))) return true;
        End(client, "1006");
        return false;
    }

    private void TakeAnswer(LoadClient client, ReadOnlySpan<byte> answer)
    {
        if (answer.StartsWith("{\"type\":\"error\""u8)) throw new InvalidDataException($"The gateway refused a subscription: {Encoding.UTF8.GetString(answer)}");
        if (!answer.StartsWith("{\"type\":\"subscribed\""u8) || --client.AnswersLeft > 0) return;
        client.State = ClientState.Live;
        _opening--;
        Volatile.Write(ref _live, _live + 1);
    }

    // False when the connection has ended.
    private bool TakeControl(LoadClient client, in Frame frame)
    {
        if (frame.Opcode == WebSocketOpcode.Ping && !LibC.TrySend(client.Socket, ClientFrames.Of(WebSocketOpcode.Pong, frame.Payload)))
        {
            End(client, "1006");
            return false;
        }

        if (frame.Opcode != WebSocketOpcode.Close) return true;
        string text = frame.Payload.Length < 2 ? "1005" : $"{BinaryPrimitives.ReadUInt16BigEndian(frame.Payload)} {Encoding.UTF8.GetString(frame.Payload[2..])}".TrimEnd();
        End(client, text);
        return false;
    }

    private void Tick()
    {
        long now = Environment.TickCount64;
        if (now - _lastTick < 1000 / TicksPerSecond) return;
        _lastTick = now;
        int leavers = (int)Math.Ceiling((double)_run.Options.Churn * _clients.Length / _run.Options.Clients / TicksPerSecond);
        if (_run.Options.Churn > 0 && _phase is LoadPhase.Measured) Leave(leavers);
        foreach (var client in _clients)
        {
            if (client.State is not (ClientState.Closed or ClientState.Live) && now > client.Deadline) End(client, $"{client.State} for {MillisecondsToGetOn / 1000} s");
        }
    }

    private void Leave(int count)
    {
        for (int tried = 0; count > 0 && tried < _clients.Length; tried++)
        {
            var client = _clients[_nextLeaver++ % _clients.Length];
            if (client.State != ClientState.Live) continue;
            count--;
            Volatile.Write(ref _live, _live - 1);
            (client.State, client.Deadline) = (ClientState.Leaving, Environment.TickCount64 + MillisecondsToGetOn);
            if (!LibC.TrySend(client.Socket, ClientFrames.NormalClose)) End(client, "1006");
        }
    }

    private void End(LoadClient client, string why)
    {
        if (client.State is ClientState.Connecting or ClientState.Upgrading or ClientState.Subscribing) _opening--;
        else if (client.State == ClientState.Live) Volatile.Write(ref _live, _live - 1);
        if (client.State == ClientState.Leaving)
        {
            Returned++;
            _toOpen.Enqueue(client);
        }
        else
        {
            Volatile.Write(ref _lastEnd, why);
            Volatile.Write(ref _ended, _ended + 1);
        }

        client.State = ClientState.Closed;
        LibC.Reset(client.Socket);
        Ends[why] = Ends.GetValueOrDefault(why) + 1;
    }
}
