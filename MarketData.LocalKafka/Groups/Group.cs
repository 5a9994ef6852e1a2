namespace MarketData.LocalKafka.Groups;

/// <summary>Where a group stands in the rebalance protocol, by Kafka's names for it.</summary>
internal enum GroupState
{
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
}

/// <summary>A consumer group's members. The coordinator's lock guards it.</summary>
internal sealed class Group(string id)
{
    /// <summary>In the order they joined; the first is the leader unless it left.</summary>
    private readonly List<GroupMember> _members = [];

    public string Id { get; } = id;

    public GroupState State { get; set; }

    public int Generation { get; set; }

    public string? ProtocolType { get; set; }

    /// <summary>The assignor in use; null while there is none.</summary>
    public string? Protocol { get; set; }

    public string? Leader { get; set; }

    /// <summary>Members that were given an id (error 79) and are to come again with it, with the time until which that counts.</summary>
    public Dictionary<string, long> PendingMembers { get; } = [];

    public IReadOnlyList<GroupMember> Members => _members;

    /// <summary>Time stamp at which a rebalance ends even when members are missing.</summary>
    public long RebalanceDeadline { get; set; }

    /// <summary>Time stamp before which the first rebalance of an empty group does not end.</summary>
    public long EarliestCompletion { get; set; }

    /// <summary>When the last member left, in Unix milliseconds.</summary>
    public long EmptySinceMs { get; set; }

    public GroupMember? Find(string memberId) => _members.Find(member => member.Id == memberId);

    public GroupMember? FindInstance(string? instanceId) => instanceId is null ? null : _members.Find(member => member.InstanceId == instanceId);

    public void Add(GroupMember member)
    {
        _members.Add(member);
        Leader ??= member.Id;
    }

    public void Remove(GroupMember member)
    {
        _members.Remove(member);
        if (Leader == member.Id) Leader = _members.FirstOrDefault()?.Id;
    }

    /// <summary>Makes sure that the leader is a member that has joined, or there is nobody to make the assignment: a static member may be absent.</summary>
    /// <returns>False when there are members but none of them has joined.</returns>
    public bool TryElectJoinedLeader()
    {
        if (_members.Count == 0 || Find(Leader!)?.Joining is not null) return true;
        if (_members.Find(member => member.Joining is not null) is not { } joined) return false;
        Leader = joined.Id;
        return true;
    }

    /// <summary>Whether a member with these protocols can be in the group: every other member supports one of them.</summary>
    public bool Accepts(string protocolType, IReadOnlyList<GroupProtocol> protocols)
    {
        if (protocolType.Length == 0 || protocols.Count == 0) return false;
        if (_members.Count == 0) return true;
        return protocolType == ProtocolType && protocols.Any(offered => CommonProtocols().Contains(offered.Name));
    }

    /// <summary>The protocol that every member supports and most prefer.</summary>
    public string ChooseProtocol()
    {
        var common = CommonProtocols();
        return _members.Select(member => member.Protocols.First(offered => common.Contains(offered.Name)).Name)
            .CountBy(name => name).MaxBy(vote => vote.Value).Key;
    }

    private HashSet<string> CommonProtocols()
    {
        var common = _members[0].Protocols.Select(offered => offered.Name).ToHashSet();
        foreach (var member in _members.Skip(1)) common.IntersectWith(member.Protocols.Select(offered => offered.Name));
        return common;
    }
}
