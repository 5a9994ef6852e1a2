using System.Net;

namespace MarketData.Benchmarks.Load;

internal enum ClientState : byte
{
    Closed,
    Connecting,

    /// <summary>Waits for the answer to the upgrade.</summary>
    Upgrading,

    /// <summary>Waits for the answers to its subscriptions.</summary>
    Subscribing,
    Live,

    /// <summary>Has sent its close frame.</summary>
    Leaving,
}

/// <summary>One connection: its state and what was received of an unfinished frame, most of the time nothing.</summary>
/// <param name="id">Its number within its thread, by which events find it.</param>
/// <param name="number">Its number among all, which its address is chosen by.</param>
/// <param name="channels">What it subscribes.</param>
/// <param name="checker">Looks at every message; null for a client that only counts.</param>
internal sealed class LoadClient(int id, int number, IReadOnlyList<string> channels, StreamChecker? checker)
{
    private const int ClientsPerAddress = 5000;

    // One address has some 28,000 ports for connections to one other.
    private readonly int _address = 2 + (number / ClientsPerAddress);
    private byte[] _rest = [];

    /// <summary>Its state within its frames; a field, since it changes in place.</summary>
    public FrameScanner Scanner;

    public int Id => id;

    public IReadOnlyList<string> Channels => channels;

    public StreamChecker? Checker => checker;

    public IPAddress Address => new([127, 0, (byte)(_address >> 8), (byte)_address]);

    public int Socket { get; private set; } = -1;

    public ClientState State { get; set; }

    /// <summary>Answers to subscriptions that are still to come.</summary>
    public int AnswersLeft { get; set; }

    /// <summary>Until when it must have got on, <see cref="Environment.TickCount64"/>; of no meaning when live.</summary>
    public long Deadline { get; set; }

    /// <summary>What was received and not yet used.</summary>
    public ReadOnlySpan<byte> Rest => _rest;

    public void Begin(int socket, long deadline)
    {
        (Socket, State, AnswersLeft, Deadline) = (socket, ClientState.Connecting, channels.Count, deadline);
        (Scanner, _rest) = (default, []);
        checker?.Forget();
    }

    public void Keep(ReadOnlySpan<byte> rest) => _rest = rest.IsEmpty ? [] : rest.ToArray();
}
