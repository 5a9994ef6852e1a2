using MarketData.Domain.Channels;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Clients;

namespace MarketData.Gateway.Fanout;

/// <summary>What the feed has the worker of one client do, at its place between the messages.</summary>
/// <param name="Client">The client.</param>
public abstract record ClientCommand(GatewayClient Client);

/// <summary>Sends a frame to this client alone: an answer, a snapshot, messages that it has missed.</summary>
/// <param name="Client">The client.</param>
/// <param name="Frame">Whole frames, which other clients may share.</param>
/// <param name="State">The state that the frame carries, when conflation may replace it by a later one.</param>
/// <param name="Messages">Messages in it.</param>
public sealed record SendFrame(GatewayClient Client, byte[] Frame, ConflatedState? State = null, long Messages = 1) : ClientCommand(Client);

/// <summary>From here on the client gets what a channel carries.</summary>
/// <param name="Client">The client.</param>
/// <param name="Topic">The channel.</param>
/// <param name="Missing">States that begin as conflated: the client asks for them as it has room.</param>
public sealed record AddTopic(GatewayClient Client, Topic Topic, IReadOnlyList<ConflatedState> Missing) : ClientCommand(Client);

/// <summary>From here on the client gets of these channels nothing more.</summary>
public sealed record RemoveTopics(GatewayClient Client, IReadOnlyList<Topic> Topics) : ClientCommand(Client);

/// <summary>Answers <see cref="Feed.ClientRefresh"/>: the latest of what was conflated. Frames are null where none is known now.</summary>
public sealed record Refreshed(GatewayClient Client, IReadOnlyList<(ConflatedState State, byte[]? Frame)> States) : ClientCommand(Client);

/// <summary>A channel as the workers know it.</summary>
/// <param name="Market">Null for every market.</param>
/// <param name="Type"><see cref="MarketChannel.Other"/> for every type, which only goes with every market.</param>
public readonly record struct Topic(Market? Market, MarketChannel Type)
{
    /// <summary>Everything of every market.</summary>
    public static Topic All => default;

    public bool IsAll => this == All;
}

/// <summary>State of a market that is sent whole once a slow client has room again.</summary>
/// <param name="Market">The market.</param>
/// <param name="Stream">Its order book or its ticker.</param>
public readonly record struct ConflatedState(Market Market, StreamKind Stream)
{
    /// <summary>Whether a stream's messages may be replaced by its latest state.</summary>
    public static bool Is(StreamKind stream) => stream is StreamKind.OrderBook or StreamKind.Ticker;
}
