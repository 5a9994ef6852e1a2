using MarketData.LocalKafka.Protocol;

namespace MarketData.Tests.Integration.LocalKafka;

/// <summary>The rebalance protocol and offset commits, row by row as measured on Apache Kafka 2.3.</summary>
public sealed class GroupWireTests(GroupWireTests.Broker shared) : IClassFixture<GroupWireTests.Broker>
{
    private const string Topic = "prices";

    private static int _groups;

    private readonly string _group = $"group-{Interlocked.Increment(ref _groups)}";

    /// <summary>One broker for all tests of the class; each has a group of its own.</summary>
    public sealed class Broker : IAsyncLifetime
    {
        internal BrokerProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Process = await BrokerProcess.StartAsync("--topic", $"{Topic}:2");

        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }

    private sealed record Joined(ErrorCode Error, int Generation, string Protocol, string Leader, string MemberId, int Members);

    [Fact]
    public async Task A_member_gets_its_id_first_then_joins_syncs_and_beats()
    {
        using var client = await WireClient.ConnectAsync(shared.Process);
        var refused = await JoinAsync(client, "");
        Assert.Equal((ErrorCode.MemberIdRequired, -1), (refused.Error, refused.Generation));

        var joined = await JoinAsync(client, refused.MemberId);
        Assert.Equal(new Joined(ErrorCode.None, 1, "range", refused.MemberId, refused.MemberId, 1), joined);
        Assert.Equal(ErrorCode.RebalanceInProgress, await HeartbeatAsync(client, 1, joined.MemberId));
        Assert.Equal((ErrorCode.None, "mine"), await SyncAsync(client, joined, (joined.MemberId, "mine")));
        Assert.Equal(ErrorCode.None, await HeartbeatAsync(client, 1, joined.MemberId));
        Assert.Equal(ErrorCode.IllegalGeneration, await HeartbeatAsync(client, 2, joined.MemberId));
        Assert.Equal(ErrorCode.UnknownMemberId, await HeartbeatAsync(client, 1, "somebody"));
        Assert.Equal(ErrorCode.UnknownMemberId, await LeaveAsync(client, "somebody"));
        Assert.Equal(ErrorCode.None, await LeaveAsync(client, joined.MemberId));
        Assert.Equal(ErrorCode.UnknownMemberId, await HeartbeatAsync(client, 1, joined.MemberId));
    }

    [Fact]
    public async Task A_second_member_starts_a_rebalance_and_only_the_leader_is_told_the_members()
    {
        using var one = await WireClient.ConnectAsync(shared.Process);
        using var two = await WireClient.ConnectAsync(shared.Process);
        var leader = await JoinAsync(one, (await JoinAsync(one, "")).MemberId);
        await SyncAsync(one, leader, (leader.MemberId, "all"));

        var secondId = (await JoinAsync(two, "")).MemberId;
        var joining = JoinAsync(two, secondId);
        await Eventually.TrueAsync(() => HeartbeatAsync(one, 1, leader.MemberId).GetAwaiter().GetResult() == ErrorCode.RebalanceInProgress, () => "no rebalance began");
        Assert.False(joining.IsCompleted);
        var again = await JoinAsync(one, leader.MemberId);
        var follower = await joining;
        Assert.Equal((2, 2), (again.Generation, again.Members));
        Assert.Equal((2, 0, leader.MemberId), (follower.Generation, follower.Members, follower.Leader));

        var syncing = SyncAsync(two, follower);
        Assert.Equal((ErrorCode.None, "first half"), await SyncAsync(one, again, (leader.MemberId, "first half"), (secondId, "second half")));
        Assert.Equal((ErrorCode.None, "second half"), await syncing);
    }

    [Fact]
    public async Task A_member_that_does_not_join_again_is_dropped_after_the_rebalance_timeout()
    {
        using var one = await WireClient.ConnectAsync(shared.Process);
        using var two = await WireClient.ConnectAsync(shared.Process);
        var silent = await JoinAsync(one, (await JoinAsync(one, "")).MemberId);
        await SyncAsync(one, silent);
        var id = (await JoinAsync(two, "")).MemberId;

        var joined = await JoinAsync(two, id);

        Assert.Equal((ErrorCode.None, 1, id), (joined.Error, joined.Members, joined.Leader));
        Assert.Equal(ErrorCode.UnknownMemberId, await HeartbeatAsync(one, 1, silent.MemberId));
    }

    [Fact]
    public async Task A_static_member_comes_back_without_a_rebalance_and_fences_its_former_self()
    {
        using var client = await WireClient.ConnectAsync(shared.Process);
        var first = await JoinAsync(client, "", instance: "relay-1");
        Assert.Equal((ErrorCode.None, 1), (first.Error, first.Generation));
        await SyncAsync(client, first, (first.MemberId, "mine"));

        var back = await JoinAsync(client, "", instance: "relay-1");

        Assert.Equal((ErrorCode.None, 1), (back.Error, back.Generation));
        Assert.NotEqual(first.MemberId, back.MemberId);
        Assert.Equal((ErrorCode.None, "mine"), await SyncAsync(client, back));
        Assert.Equal(ErrorCode.FencedInstanceId, await HeartbeatAsync(client, 1, first.MemberId, "relay-1"));
        Assert.Equal(ErrorCode.None, await HeartbeatAsync(client, 1, back.MemberId, "relay-1"));
    }

    [Fact]
    public async Task Joins_that_cannot_be_are_refused()
    {
        using var client = await WireClient.ConnectAsync(shared.Process);
        Assert.Equal(ErrorCode.UnknownMemberId, (await JoinAsync(client, "somebody")).Error);
        Assert.Equal(ErrorCode.InvalidSessionTimeout, (await JoinAsync(client, "", sessionTimeoutMs: 10)).Error);
        Assert.Equal(ErrorCode.InvalidGroupId, (await JoinAsync(client, "", group: "")).Error);
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await JoinAsync(client, "", protocol: null)).Error);
        var member = await JoinAsync(client, (await JoinAsync(client, "")).MemberId);
        await SyncAsync(client, member);
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await JoinAsync(client, "", protocol: "of-my-own")).Error);
    }

    [Fact]
    public async Task Commits_are_judged_by_membership()
    {
        using var client = await WireClient.ConnectAsync(shared.Process);
        Assert.Equal(ErrorCode.None, await CommitAsync(client, -1, "", offset: 5));
        Assert.Equal(5, await CommittedAsync(client, 0));
        Assert.Equal(-1, await CommittedAsync(client, 1));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await CommitAsync(client, -1, "", partition: 9));
        Assert.Equal(ErrorCode.OffsetMetadataTooLarge, await CommitAsync(client, -1, "", metadata: new string('x', 4097)));

        var member = await JoinAsync(client, (await JoinAsync(client, "")).MemberId);
        await SyncAsync(client, member);
        Assert.Equal(ErrorCode.None, await CommitAsync(client, 1, member.MemberId, offset: 6));
        Assert.Equal(ErrorCode.IllegalGeneration, await CommitAsync(client, 2, member.MemberId));
        Assert.Equal(ErrorCode.UnknownMemberId, await CommitAsync(client, 1, "somebody"));
        Assert.Equal(ErrorCode.UnknownMemberId, await CommitAsync(client, -1, ""));
        Assert.Equal(6, await CommittedAsync(client, 0));
        // What does not exist is told first, whoever asks.
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await CommitAsync(client, 2, "somebody", partition: 9));
    }

    [Fact]
    public async Task A_commit_of_a_generation_tells_whether_the_group_exists()
    {
        using var client = await WireClient.ConnectAsync(shared.Process);
        Assert.Equal(ErrorCode.IllegalGeneration, await CommitAsync(client, 1, "somebody"));
        Assert.Equal(ErrorCode.None, await CommitAsync(client, -1, ""));
        Assert.Equal(ErrorCode.UnknownMemberId, await CommitAsync(client, 1, "somebody"));
    }

    [Fact]
    public async Task Between_join_and_sync_whoever_commits_or_beats_is_told_of_the_rebalance()
    {
        using var client = await WireClient.ConnectAsync(shared.Process);
        var member = await JoinAsync(client, (await JoinAsync(client, "")).MemberId);
        Assert.Equal(ErrorCode.RebalanceInProgress, await CommitAsync(client, 1, member.MemberId));
        Assert.Equal(ErrorCode.RebalanceInProgress, await CommitAsync(client, 7, "somebody"));
        Assert.Equal(ErrorCode.RebalanceInProgress, await HeartbeatAsync(client, 7, member.MemberId));
        Assert.Equal(ErrorCode.UnknownMemberId, await HeartbeatAsync(client, 1, "somebody"));
    }

    [Fact]
    public async Task A_commit_is_accepted_while_a_rebalance_is_being_prepared()
    {
        using var one = await WireClient.ConnectAsync(shared.Process);
        using var two = await WireClient.ConnectAsync(shared.Process);
        var member = await JoinAsync(one, (await JoinAsync(one, "", rebalanceTimeoutMs: 60_000)).MemberId, rebalanceTimeoutMs: 60_000);
        await SyncAsync(one, member, (member.MemberId, "all"));
        var joining = JoinAsync(two, (await JoinAsync(two, "")).MemberId);
        await Eventually.TrueAsync(() => HeartbeatAsync(one, 1, member.MemberId).GetAwaiter().GetResult() == ErrorCode.RebalanceInProgress, () => "no rebalance began");

        Assert.Equal(ErrorCode.None, await CommitAsync(one, 1, member.MemberId, offset: 8));
        Assert.Equal((ErrorCode.RebalanceInProgress, ""), await SyncAsync(one, member));
        Assert.False(joining.IsCompleted);

        Assert.Equal(ErrorCode.None, await LeaveAsync(one, member.MemberId));
        Assert.Equal((ErrorCode.None, 2, 1), ((await joining).Error, (await joining).Generation, (await joining).Members));
        Assert.Equal(8, await CommittedAsync(two, 0));
    }

    [Fact]
    public async Task When_the_static_leader_stays_away_a_member_that_joined_leads()
    {
        using var one = await WireClient.ConnectAsync(shared.Process);
        using var two = await WireClient.ConnectAsync(shared.Process);
        var absent = await JoinAsync(one, "", instance: "relay-1", sessionTimeoutMs: 60_000);
        await SyncAsync(one, absent, (absent.MemberId, "all"));

        var joined = await JoinAsync(two, (await JoinAsync(two, "")).MemberId);

        Assert.Equal((ErrorCode.None, 2, joined.MemberId, 2), (joined.Error, joined.Generation, joined.Leader, joined.Members));
        Assert.Equal((ErrorCode.None, "mine"), await SyncAsync(two, joined, (joined.MemberId, "mine"), (absent.MemberId, "yours")));
    }

    [Fact]
    public async Task A_repeated_join_is_answered_with_the_same_generation_and_a_leader_may_ask_for_a_new_one()
    {
        using var client = await WireClient.ConnectAsync(shared.Process);
        var member = await JoinAsync(client, (await JoinAsync(client, "")).MemberId);
        Assert.Equal(member, await JoinAsync(client, member.MemberId));
        await SyncAsync(client, member, (member.MemberId, "all"));
        Assert.Equal((ErrorCode.None, 2), ((await JoinAsync(client, member.MemberId)).Error, (await JoinAsync(client, member.MemberId)).Generation));
    }

    private async Task<Joined> JoinAsync(
        WireClient client, string memberId, string? instance = null, string? group = null, int sessionTimeoutMs = 6000, int rebalanceTimeoutMs = 1000, string? protocol = "range")
    {
        var answer = await client.AskAsync(ApiKey.JoinGroup, 5, body =>
        {
            body.WriteString(group ?? _group);
            body.WriteInt32(sessionTimeoutMs);
            body.WriteInt32(rebalanceTimeoutMs);
            body.WriteString(memberId);
            body.WriteNullableString(instance);
            body.WriteString("consumer");
            body.WriteInt32(protocol is null ? 0 : 1);
            if (protocol is null) return;
            body.WriteString(protocol);
            body.WriteBytes("meta"u8);
        });
        var reader = new WireReader(answer);
        reader.ReadInt32();
        return new Joined((ErrorCode)reader.ReadInt16(), reader.ReadInt32(), reader.ReadString(), reader.ReadString(), reader.ReadString(), reader.ReadInt32());
    }

    private async Task<(ErrorCode Error, string Assignment)> SyncAsync(WireClient client, Joined member, params (string Member, string Assignment)[] assignments)
    {
        var answer = await client.AskAsync(ApiKey.SyncGroup, 2, body =>
        {
            body.WriteString(_group);
            body.WriteInt32(member.Generation);
            body.WriteString(member.MemberId);
            body.WriteInt32(assignments.Length);
            foreach (var (id, assignment) in assignments)
            {
                body.WriteString(id);
                body.WriteBytes(System.Text.Encoding.UTF8.GetBytes(assignment));
            }
        });
        var reader = new WireReader(answer);
        reader.ReadInt32();
        return ((ErrorCode)reader.ReadInt16(), System.Text.Encoding.UTF8.GetString(reader.ReadBytes()));
    }

    private async Task<ErrorCode> HeartbeatAsync(WireClient client, int generation, string memberId, string? instance = null)
    {
        var answer = await client.AskAsync(ApiKey.Heartbeat, 3, body =>
        {
            body.WriteString(_group);
            body.WriteInt32(generation);
            body.WriteString(memberId);
            body.WriteNullableString(instance);
        });
        return ErrorAfterThrottle(answer);
    }

    private async Task<ErrorCode> LeaveAsync(WireClient client, string memberId) => ErrorAfterThrottle(await client.AskAsync(ApiKey.LeaveGroup, 2, body =>
    {
        body.WriteString(_group);
        body.WriteString(memberId);
    }));

    private async Task<ErrorCode> CommitAsync(WireClient client, int generation, string memberId, int partition = 0, long offset = 1, string metadata = "")
    {
        var answer = await client.AskAsync(ApiKey.OffsetCommit, 7, body =>
        {
            body.WriteString(_group);
            body.WriteInt32(generation);
            body.WriteString(memberId);
            body.WriteNullableString(null);
            WireClient.WriteOnePartition(body, Topic, partition);
            body.WriteInt64(offset);
            body.WriteInt32(-1);
            body.WriteNullableString(metadata);
        });
        var reader = new WireReader(answer);
        reader.ReadInt32();
        WireClient.ReadOnePartition(ref reader);
        return (ErrorCode)reader.ReadInt16();
    }

    private async Task<long> CommittedAsync(WireClient client, int partition)
    {
        var answer = await client.AskAsync(ApiKey.OffsetFetch, 5, body =>
        {
            body.WriteString(_group);
            WireClient.WriteOnePartition(body, Topic, partition);
        });
        var reader = new WireReader(answer);
        reader.ReadInt32();
        WireClient.ReadOnePartition(ref reader);
        return reader.ReadInt64();
    }

    private static ErrorCode ErrorAfterThrottle(byte[] answer)
    {
        var reader = new WireReader(answer);
        reader.ReadInt32();
        return (ErrorCode)reader.ReadInt16();
    }
}
