using MarketData.Gateway.Clients;

namespace MarketData.Gateway.Fanout;

/// <summary>What a worker knows of one client. Belongs to the worker.</summary>
/// <param name="log">Where the shared frames lie.</param>
/// <param name="form">How the client wants them.</param>
/// <param name="transport">Takes its bytes.</param>
public sealed class ClientOutput(FeedLog log, FrameForm form, ClientTransport transport)
{
    public FrameForm Form => form;

    public ClientTransport Transport => transport;

    public OutgoingQueue Queue { get; } = new(log, form);

    /// <summary>Whether the worker has taken it up.</summary>
    public bool HasJoined { get; set; }

    /// <summary>Whether the worker has let go of it for good.</summary>
    public bool HasLeft { get; set; }

    /// <summary>Whether its end is in the queue: nothing else goes in any more.</summary>
    public bool IsEnding { get; set; }

    /// <summary>Whether it is in the list of those to be looked at after the routing.</summary>
    public bool IsDirty { get; set; }

    /// <summary>Number of the last entry that was routed to it: overlapping subscriptions deliver a message once.</summary>
    public long LastRouted { get; set; } = -1;

    /// <summary>Whether it subscribes everything.</summary>
    public bool WantsAll { get; set; }

    /// <summary>Place in the worker's list of clients that get every entry in one growing range; -1 when it is not among them.</summary>
    public int GaplessIndex { get; set; } = -1;

    /// <summary>The first entry that is not in the queue yet, for a client that gets every entry.</summary>
    public long Next { get; set; }

    /// <summary>States of which nothing is sent until the latest of them is; null when there are none.</summary>
    public HashSet<ConflatedState>? Conflated { get; set; }

    /// <summary>Whether the feed has been asked for the latest of what is conflated.</summary>
    public bool IsRefreshing { get; set; }

    /// <summary>When the transport last took something, and when the last ping was sent; as <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long TookAt { get; set; }

    public long PingedAt { get; set; }

    /// <summary>Puts what has been published up to here into the queue, for a client that gets every entry.</summary>
    public void Extend(long end)
    {
        if (Next >= end) return;
        Queue.Add(Next, end);
        Next = end;
    }
}
