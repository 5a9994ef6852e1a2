namespace MarketData.LocalKafka.Groups;

/// <summary>A partition assignor that a member offers, with the member's own data for it, opaque to the broker.</summary>
internal sealed record GroupProtocol(string Name, byte[] Metadata);

/// <summary>What a member says when it joins.</summary>
internal sealed record JoinRequest(
    string GroupId, TimeSpan SessionTimeout, TimeSpan RebalanceTimeout, string MemberId, string? InstanceId, string ClientId, string ClientHost,
    string ProtocolType, IReadOnlyList<GroupProtocol> Protocols, bool MustKnowMemberId);

/// <summary>The answer to a join.</summary>
internal sealed record JoinResult(
    Protocol.ErrorCode Error, string MemberId, int Generation = -1, string Protocol = "", string Leader = "", IReadOnlyList<JoinedMember>? Members = null);

/// <summary>What the leader is told of each member.</summary>
internal sealed record JoinedMember(string MemberId, string? InstanceId, byte[] Metadata);

/// <summary>The answer to a sync.</summary>
internal sealed record SyncResult(Protocol.ErrorCode Error, byte[] Assignment);

/// <summary>One consumer in a group. The coordinator's lock guards it.</summary>
internal sealed class GroupMember(string id, JoinRequest request)
{
    public string Id { get; set; } = id;

    public string? InstanceId { get; } = request.InstanceId;

    public string ClientId { get; } = request.ClientId;

    public string ClientHost { get; } = request.ClientHost;

    public TimeSpan SessionTimeout { get; set; } = request.SessionTimeout;

    public TimeSpan RebalanceTimeout { get; set; } = request.RebalanceTimeout;

    public IReadOnlyList<GroupProtocol> Protocols { get; set; } = request.Protocols;

    public byte[] Assignment { get; set; } = [];

    /// <summary>Time stamp of the last sign of life.</summary>
    public long LastSeen { get; set; }

    /// <summary>Held while the member waits for the others to join.</summary>
    public TaskCompletionSource<JoinResult>? Joining { get; set; }

    /// <summary>Held while the member waits for the leader's assignment.</summary>
    public TaskCompletionSource<SyncResult>? Syncing { get; set; }

    /// <summary>An open request counts as a sign of life.</summary>
    public bool IsWaiting => Joining is not null || Syncing is not null;

    public byte[] MetadataFor(string protocol) => Protocols.FirstOrDefault(offered => offered.Name == protocol)?.Metadata ?? [];

    /// <summary>Whether the member offers exactly these protocols with the same data, in the same order.</summary>
    public bool Offers(IReadOnlyList<GroupProtocol> protocols) =>
        Protocols.Count == protocols.Count
        && Protocols.Zip(protocols).All(pair => pair.First.Name == pair.Second.Name && pair.First.Metadata.AsSpan().SequenceEqual(pair.Second.Metadata));
}
