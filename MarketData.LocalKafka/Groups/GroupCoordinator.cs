using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Groups;

/// <summary>
/// Runs the rebalance protocol of every consumer group, as Apache Kafka 2.3 does. Membership is in memory only: after a restart members are
/// unknown (error 25) and join anew. Committed offsets are kept by <see cref="GroupOffsets"/>.
/// </summary>
internal sealed class GroupCoordinator : IDisposable
{
    private static readonly Task<SyncResult> NothingToSync = Task.FromResult(new SyncResult(ErrorCode.UnknownMemberId, []));

    /// <summary>Guards every group and member. Group requests are few and short; one lock for all keeps the rules plain.</summary>
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Group> _groups = new(StringComparer.Ordinal);
    private readonly BrokerOptions _options;
    private readonly TimeProvider _time;
    private readonly ITimer _expiry;

    public GroupCoordinator(BrokerOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _expiry = time.CreateTimer(_ => Expire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Joins a group; completes when every member has joined, or the rebalance timeout has passed.</summary>
    public Task<JoinResult> JoinAsync(JoinRequest request)
    {
        if (request.GroupId.Length == 0) return Refuse(ErrorCode.InvalidGroupId, request.MemberId);
        if (request.SessionTimeout < _options.GroupMinSessionTimeout || request.SessionTimeout > _options.GroupMaxSessionTimeout)
            return Refuse(ErrorCode.InvalidSessionTimeout, request.MemberId);
        lock (_lock)
        {
            var group = _groups.GetValueOrDefault(request.GroupId);
            if (group is null)
            {
                if (request.MemberId.Length > 0) return Refuse(ErrorCode.UnknownMemberId, request.MemberId);
                group = _groups[request.GroupId] = new Group(request.GroupId) { EmptySinceMs = NowMs };
            }
            var answer = request.MemberId.Length == 0 ? JoinAsNew(group, request) : JoinAsKnown(group, request);
            ArmExpiry();
            return answer;
        }
    }

    /// <summary>Hands in the leader's assignments, or waits for them.</summary>
    public Task<SyncResult> SyncAsync(string groupId, int generation, string memberId, string? instanceId, IReadOnlyDictionary<string, byte[]> assignments)
    {
        if (groupId.Length == 0) return Task.FromResult(new SyncResult(ErrorCode.InvalidGroupId, []));
        lock (_lock)
        {
            var error = FindMember(groupId, memberId, instanceId, out var group, out var member);
            if (error != ErrorCode.None) return Task.FromResult(new SyncResult(error, []));
            if (generation != group.Generation) return Task.FromResult(new SyncResult(ErrorCode.IllegalGeneration, []));
            member.LastSeen = _time.GetTimestamp();
            switch (group.State)
            {
                case GroupState.PreparingRebalance:
                    return Task.FromResult(new SyncResult(ErrorCode.RebalanceInProgress, []));
                case GroupState.Stable:
                    return Task.FromResult(new SyncResult(ErrorCode.None, member.Assignment));
                case GroupState.CompletingRebalance:
                    member.Syncing = new TaskCompletionSource<SyncResult>(TaskCreationOptions.RunContinuationsAsynchronously);
                    var answer = member.Syncing.Task;
                    if (member.Id == group.Leader) Stabilize(group, assignments);
                    ArmExpiry();
                    return answer;
                default:
                    return NothingToSync;
            }
        }
    }

    public ErrorCode Heartbeat(string groupId, int generation, string memberId, string? instanceId)
    {
        if (groupId.Length == 0) return ErrorCode.InvalidGroupId;
        lock (_lock)
        {
            var error = FindMember(groupId, memberId, instanceId, out var group, out var member);
            if (error != ErrorCode.None) return error;
            // Between join and sync Kafka 2.3 looks at nothing else; later releases answer 0 here.
            if (group.State == GroupState.CompletingRebalance) return ErrorCode.RebalanceInProgress;
            if (generation != group.Generation) return ErrorCode.IllegalGeneration;
            member.LastSeen = _time.GetTimestamp();
            return group.State == GroupState.PreparingRebalance ? ErrorCode.RebalanceInProgress : ErrorCode.None;
        }
    }

    public ErrorCode Leave(string groupId, string memberId)
    {
        if (groupId.Length == 0) return ErrorCode.InvalidGroupId;
        lock (_lock)
        {
            if (!_groups.TryGetValue(groupId, out var group)) return ErrorCode.UnknownMemberId;
            if (group.PendingMembers.Remove(memberId))
            {
                CompleteJoinIfReady(group);
                return ErrorCode.None;
            }
            if (group.Find(memberId) is not { } member) return ErrorCode.UnknownMemberId;
            Remove(group, member);
            ArmExpiry();
            return ErrorCode.None;
        }
    }

    /// <summary>Whether offsets may be committed under these credentials.</summary>
    /// <param name="groupId">The group's id.</param>
    /// <param name="generation">Negative for a consumer that assigns itself its partitions.</param>
    /// <param name="memberId">Empty for such a consumer.</param>
    /// <param name="instanceId">The static member's, if it is one.</param>
    /// <param name="hasOffsets">Whether the group has committed before: it then exists, without members, even when none has joined since the start.</param>
    public ErrorCode CheckCommit(string groupId, int generation, string memberId, string? instanceId, bool hasOffsets)
    {
        lock (_lock)
        {
            // Consumers that assign themselves their partitions commit without a generation, while no member is in the group.
            var isEmpty = !_groups.TryGetValue(groupId, out var group) || group.State == GroupState.Empty;
            if (generation < 0 && isEmpty) return ErrorCode.None;
            if (group is null) return hasOffsets ? ErrorCode.UnknownMemberId : ErrorCode.IllegalGeneration;
            if (IsFenced(group, memberId, instanceId)) return ErrorCode.FencedInstanceId;
            // Between join and sync Kafka 2.3 looks at nothing else.
            if (group.State == GroupState.CompletingRebalance) return ErrorCode.RebalanceInProgress;
            var error = FindMember(groupId, memberId, instanceId, out _, out var member);
            if (error != ErrorCode.None) return error;
            if (generation != group.Generation) return ErrorCode.IllegalGeneration;
            member.LastSeen = _time.GetTimestamp();
            return ErrorCode.None;
        }
    }

    /// <summary>Reads one group under the lock.</summary>
    /// <returns>What <paramref name="read"/> makes of it; it gets null when the group has had no member since the start.</returns>
    public T Inspect<T>(string groupId, Func<Group?, T> read)
    {
        lock (_lock) return read(_groups.GetValueOrDefault(groupId));
    }

    /// <summary>The groups that have had members since the start, with their protocol types.</summary>
    public IReadOnlyDictionary<string, string> List()
    {
        lock (_lock) return _groups.ToDictionary(entry => entry.Key, entry => entry.Value.ProtocolType ?? "");
    }

    /// <summary>Forgets a group that has no members.</summary>
    /// <returns>Whether it was known, and whether it had members and so was kept.</returns>
    public (bool WasKnown, bool HasMembers) TryDelete(string groupId)
    {
        lock (_lock)
        {
            if (!_groups.TryGetValue(groupId, out var group)) return (false, false);
            if (group.State != GroupState.Empty) return (true, true);
            _groups.Remove(groupId);
            return (true, false);
        }
    }

    /// <summary>Forgets groups without members, but for those named: what a program with a new group id at each start leaves behind.</summary>
    public void ForgetEmptyGroups(IReadOnlySet<string> except)
    {
        lock (_lock)
            foreach (var (id, group) in _groups)
                if (group.State == GroupState.Empty && group.PendingMembers.Count == 0 && !except.Contains(id)) _groups.Remove(id);
    }

    public void Dispose() => _expiry.Dispose();

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private static Task<JoinResult> Refuse(ErrorCode error, string memberId) => Task.FromResult(new JoinResult(error, memberId));

    private long In(TimeSpan delay) => _time.GetTimestamp() + (long)(delay.TotalSeconds * _time.TimestampFrequency);

    /// <summary>Whether somebody else has taken over the static member's place.</summary>
    private static bool IsFenced(Group group, string memberId, string? instanceId) => group.FindInstance(instanceId) is { } holder && holder.Id != memberId;

    private ErrorCode FindMember(string groupId, string memberId, string? instanceId, out Group group, out GroupMember member)
    {
        member = null!;
        if (!_groups.TryGetValue(groupId, out group!)) return ErrorCode.UnknownMemberId;
        if (IsFenced(group, memberId, instanceId)) return ErrorCode.FencedInstanceId;
        member = group.Find(memberId)!;
        return member is null ? ErrorCode.UnknownMemberId : ErrorCode.None;
    }

    private Task<JoinResult> JoinAsNew(Group group, JoinRequest request)
    {
        if (!group.Accepts(request.ProtocolType, request.Protocols)) return Refuse(ErrorCode.InconsistentGroupProtocol, request.MemberId);
        var newId = $"{request.InstanceId ?? request.ClientId}-{Guid.NewGuid()}";
        if (group.FindInstance(request.InstanceId) is { } replaced) return ReplaceInstance(group, replaced, newId, request);
        if (request.MustKnowMemberId && request.InstanceId is null)
        {
            group.PendingMembers[newId] = In(request.SessionTimeout);
            return Refuse(ErrorCode.MemberIdRequired, newId);
        }
        return AddMember(group, newId, request);
    }

    private Task<JoinResult> JoinAsKnown(Group group, JoinRequest request)
    {
        if (!group.Accepts(request.ProtocolType, request.Protocols)) return Refuse(ErrorCode.InconsistentGroupProtocol, request.MemberId);
        if (group.PendingMembers.Remove(request.MemberId)) return AddMember(group, request.MemberId, request);
        var error = FindMember(group.Id, request.MemberId, request.InstanceId, out _, out var member);
        if (error != ErrorCode.None) return Refuse(error, request.MemberId);
        var nothingNew = member.Offers(request.Protocols);
        // A repeat of a join whose answer was lost; only the leader may ask for a rebalance by joining again.
        if (nothingNew && (group.State == GroupState.CompletingRebalance || (group.State == GroupState.Stable && member.Id != group.Leader)))
        {
            member.LastSeen = _time.GetTimestamp();
            return Task.FromResult(Joined(group, member));
        }
        return Rejoin(group, member, request);
    }

    private Task<JoinResult> AddMember(Group group, string memberId, JoinRequest request)
    {
        var member = new GroupMember(memberId, request);
        if (group.State == GroupState.Empty)
        {
            group.ProtocolType = request.ProtocolType;
            group.EarliestCompletion = In(_options.GroupInitialRebalanceDelay);
        }
        group.Add(member);
        return Rejoin(group, member, request);
    }

    /// <summary>A static member came back under its instance id. In a stable group that changes nothing for the others.</summary>
    private Task<JoinResult> ReplaceInstance(Group group, GroupMember member, string newId, JoinRequest request)
    {
        var leader = group.Leader;
        member.Joining?.SetResult(new JoinResult(ErrorCode.FencedInstanceId, member.Id));
        member.Syncing?.SetResult(new SyncResult(ErrorCode.FencedInstanceId, []));
        (member.Joining, member.Syncing) = (null, null);
        if (group.Leader == member.Id) group.Leader = newId;
        member.Id = newId;
        member.LastSeen = _time.GetTimestamp();
        if (group.State != GroupState.Stable || !request.Protocols.Any(offered => offered.Name == group.Protocol)) return Rejoin(group, member, request);
        // It is told the old leader's id, so that it does not compute an assignment that nobody asked for.
        return Task.FromResult(new JoinResult(ErrorCode.None, newId, group.Generation, group.Protocol!, leader!));
    }

    private Task<JoinResult> Rejoin(Group group, GroupMember member, JoinRequest request)
    {
        (member.Protocols, member.SessionTimeout, member.RebalanceTimeout) = (request.Protocols, request.SessionTimeout, request.RebalanceTimeout);
        member.LastSeen = _time.GetTimestamp();
        member.Joining?.SetResult(new JoinResult(ErrorCode.UnknownMemberId, member.Id));
        member.Joining = new TaskCompletionSource<JoinResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = member.Joining.Task;
        if (group.State != GroupState.PreparingRebalance) PrepareRebalance(group);
        CompleteJoinIfReady(group);
        return answer;
    }

    private void PrepareRebalance(Group group)
    {
        foreach (var member in group.Members)
        {
            member.Assignment = [];
            member.Syncing?.SetResult(new SyncResult(ErrorCode.RebalanceInProgress, []));
            if (member.Syncing is not null) member.LastSeen = _time.GetTimestamp();
            member.Syncing = null;
        }
        group.State = GroupState.PreparingRebalance;
        group.RebalanceDeadline = In(group.Members.Max(member => member.RebalanceTimeout));
    }

    private void CompleteJoinIfReady(Group group)
    {
        if (group.State != GroupState.PreparingRebalance) return;
        var now = _time.GetTimestamp();
        if (now < group.EarliestCompletion) return;
        var everybodyIsHere = group.PendingMembers.Count == 0 && group.Members.All(member => member.Joining is not null);
        if (!everybodyIsHere && now < group.RebalanceDeadline) return;

        // Static members that did not come keep their place until their session ends.
        foreach (var absent in group.Members.Where(member => member.Joining is null && member.InstanceId is null).ToArray()) group.Remove(absent);
        if (!group.TryElectJoinedLeader())
        {
            group.RebalanceDeadline = In(group.Members.Max(member => member.RebalanceTimeout));
            return;
        }
        group.Generation++;
        if (group.Members.Count == 0)
        {
            BecomeEmpty(group);
            return;
        }
        group.State = GroupState.CompletingRebalance;
        group.Protocol = group.ChooseProtocol();
        foreach (var member in group.Members)
        {
            member.LastSeen = now;
            member.Joining?.SetResult(Joined(group, member));
            member.Joining = null;
        }
    }

    private static JoinResult Joined(Group group, GroupMember member)
    {
        var members = member.Id != group.Leader || group.State == GroupState.Stable
            ? []
            : group.Members.Select(joined => new JoinedMember(joined.Id, joined.InstanceId, joined.MetadataFor(group.Protocol!))).ToArray();
        return new JoinResult(ErrorCode.None, member.Id, group.Generation, group.Protocol!, group.Leader!, members);
    }

    private void Stabilize(Group group, IReadOnlyDictionary<string, byte[]> assignments)
    {
        group.State = GroupState.Stable;
        foreach (var member in group.Members)
        {
            member.Assignment = assignments.GetValueOrDefault(member.Id) ?? [];
            member.LastSeen = _time.GetTimestamp();
            member.Syncing?.SetResult(new SyncResult(ErrorCode.None, member.Assignment));
            member.Syncing = null;
        }
    }

    private void Remove(Group group, GroupMember member)
    {
        group.Remove(member);
        member.Joining?.SetResult(new JoinResult(ErrorCode.UnknownMemberId, MemberId: ""));
        member.Syncing?.SetResult(new SyncResult(ErrorCode.UnknownMemberId, []));
        if (group.Members.Count == 0)
        {
            group.Generation++;
            BecomeEmpty(group);
        }
        else if (group.State is GroupState.Stable or GroupState.CompletingRebalance) PrepareRebalance(group);
        CompleteJoinIfReady(group);
    }

    private void BecomeEmpty(Group group)
    {
        (group.State, group.Protocol, group.Leader, group.EmptySinceMs) = (GroupState.Empty, null, null, NowMs);
    }

    private void Expire()
    {
        lock (_lock)
        {
            var now = _time.GetTimestamp();
            foreach (var group in _groups.Values)
            {
                foreach (var (pending, deadline) in group.PendingMembers)
                    if (now >= deadline) group.PendingMembers.Remove(pending);
                foreach (var member in group.Members.Where(member => !member.IsWaiting && now >= SessionEnd(member)).ToArray()) Remove(group, member);
                CompleteJoinIfReady(group);
            }
            ArmExpiry();
        }
    }

    private long SessionEnd(GroupMember member) => member.LastSeen + (long)(member.SessionTimeout.TotalSeconds * _time.TimestampFrequency);

    /// <summary>Sets the timer to the next moment at which time alone changes something. Signs of life only move it back, so they need no call.</summary>
    private void ArmExpiry()
    {
        var next = long.MaxValue;
        foreach (var group in _groups.Values)
        {
            foreach (var deadline in group.PendingMembers.Values) next = Math.Min(next, deadline);
            foreach (var member in group.Members)
                if (!member.IsWaiting) next = Math.Min(next, SessionEnd(member));
            if (group.State == GroupState.PreparingRebalance)
                next = Math.Min(next, _time.GetTimestamp() < group.EarliestCompletion ? group.EarliestCompletion : group.RebalanceDeadline);
        }
        var delay = next == long.MaxValue ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(Math.Max(0, next - _time.GetTimestamp()) / (double)_time.TimestampFrequency);
        _expiry.Change(delay == Timeout.InfiniteTimeSpan ? delay : delay + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }
}
