using System.Diagnostics.Metrics;
using MarketData.LocalKafka;
using MarketData.LocalKafka.Groups;
using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;
using MarketData.LocalKafka.Server;
using MarketData.Tests.Integration.LocalKafka;
using MarketData.Tests.Unit.Ingest;
using Microsoft.Extensions.DependencyInjection;

namespace MarketData.Tests.Unit.LocalKafka;

/// <summary>What time does to offsets, and what the meter says.</summary>
public sealed class BrokerStateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("localkafka-state-").FullName;
    private readonly ManualTime _time = new();
    private readonly ServiceProvider _services;

    public BrokerStateTests()
    {
        var options = CommandLine.Parse(["--data", _folder, "--topic", "prices:1"]);
        _services = new ServiceCollection().AddLogging().AddMetrics().AddBroker(options).AddSingleton<TimeProvider>(_time).BuildServiceProvider();
    }

    private GroupOffsets Offsets => _services.GetRequiredService<GroupOffsets>();

    public void Dispose()
    {
        _services.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Offsets_of_a_group_without_members_are_forgotten_after_the_retention_and_not_before()
    {
        Assert.Equal([ErrorCode.None], Offsets.Commit("idle", [new OffsetToCommit("prices", 0, 5, -1, "")]));
        _time.Advance(TimeSpan.FromDays(7));
        Offsets.Expire(TimeSpan.FromDays(7));
        Assert.Equal(5, Offsets.Find("idle", "prices", 0)?.Offset);

        _time.Advance(TimeSpan.FromSeconds(1));
        Offsets.Expire(TimeSpan.FromDays(7));
        Assert.Null(Offsets.Find("idle", "prices", 0));
    }

    [Fact]
    public void Offsets_of_a_group_with_members_are_kept()
    {
        Assert.True(JoinAsync("busy", TimeSpan.FromMinutes(5)).IsCompletedSuccessfully);
        Offsets.Commit("busy", [new OffsetToCommit("prices", 0, 5, -1, "")]);
        _time.Advance(TimeSpan.FromDays(30));
        Offsets.Expire(TimeSpan.FromDays(7));
        Assert.Equal(5, Offsets.Find("busy", "prices", 0)?.Offset);
    }

    [Fact]
    public async Task A_group_with_neither_members_nor_offsets_is_forgotten()
    {
        var coordinator = _services.GetRequiredService<GroupCoordinator>();
        var member = await JoinAsync("brief", TimeSpan.FromMinutes(5));
        Offsets.Expire(TimeSpan.FromDays(7));
        Assert.Contains("brief", Offsets.ListGroups().Keys);

        Assert.Equal(ErrorCode.None, coordinator.Leave("brief", member.MemberId));
        Offsets.Expire(TimeSpan.FromDays(7));
        Assert.DoesNotContain("brief", Offsets.ListGroups().Keys);
    }

    [Fact]
    public async Task A_join_is_held_for_a_silent_member_until_the_rebalance_timeout_and_no_longer()
    {
        var coordinator = _services.GetRequiredService<GroupCoordinator>();
        var timeout = TimeSpan.FromMilliseconds(50);
        var silent = await JoinAsync("held", timeout);
        await coordinator.SyncAsync("held", 1, silent.MemberId, null, new Dictionary<string, byte[]>());

        var joining = JoinAsync("held", timeout);
        _time.Advance(timeout - TimeSpan.FromTicks(1));
        Assert.Equal(ErrorCode.RebalanceInProgress, coordinator.Heartbeat("held", 1, silent.MemberId, null));
        Assert.False(joining.IsCompleted);

        _time.Advance(TimeSpan.FromTicks(1));
        var joined = await joining.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal((ErrorCode.None, 2, 1), (joined.Error, joined.Generation, joined.Members?.Count));
        Assert.Equal(ErrorCode.UnknownMemberId, coordinator.Heartbeat("held", 1, silent.MemberId, null));
    }

    [Fact]
    public async Task The_meter_tells_the_lag_of_each_group()
    {
        using var metrics = _services.GetRequiredService<BrokerMetrics>();
        var log = _services.GetRequiredService<TopicRegistry>().FindPartition("prices", 0)!;
        var batch = new BatchBuilder().AddMany(9).Build();
        Assert.True(RecordBatch.TryRead(batch, out var header));
        await log.AppendAsync(batch, header);
        Offsets.Commit("relay", [new OffsetToCommit("prices", 0, 4, -1, "")]);

        var lags = Listen<long>("localkafka.group.lag", listener => listener.RecordObservableInstruments());

        Assert.Equal(new Dictionary<string, long> { ["relay/prices/0"] = 5 }, lags);
    }

    [Fact]
    public void The_meter_tells_bytes_and_duration_of_each_kind_of_request()
    {
        using var metrics = _services.GetRequiredService<BrokerMetrics>();
        void Answer(MeterListener _) => metrics.Request(ApiKey.Fetch, bytesIn: 60, bytesOut: 4000, TimeSpan.FromMilliseconds(250));

        Assert.Equal(new Dictionary<string, long> { ["Fetch"] = 60 }, Listen<long>("localkafka.bytes.in", Answer));
        Assert.Equal(new Dictionary<string, long> { ["Fetch"] = 4000 }, Listen<long>("localkafka.bytes.out", Answer));
        Assert.Equal(new Dictionary<string, double> { ["Fetch"] = 0.25 }, Listen<double>("localkafka.request.duration", Answer));
    }

    /// <summary>What an instrument of this broker says while something happens, by the values of its tags.</summary>
    private Dictionary<string, T> Listen<T>(string instrumentName, Action<MeterListener> happening)
        where T : struct
    {
        var seen = new Dictionary<string, T>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, subscriber) =>
        {
            if (instrument.Meter.Scope == _services.GetRequiredService<IMeterFactory>() && instrument.Name == instrumentName) subscriber.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<T>((_, value, tags, _) => seen[string.Join('/', tags.ToArray().Select(tag => tag.Value))] = value);
        listener.Start();
        happening(listener);
        return seen;
    }

    private Task<JoinResult> JoinAsync(string group, TimeSpan rebalanceTimeout) => _services.GetRequiredService<GroupCoordinator>().JoinAsync(
        new JoinRequest(group, TimeSpan.FromMinutes(5), rebalanceTimeout, "", null, "test", "/127.0.0.1", "consumer", [new GroupProtocol("range", [])], MustKnowMemberId: false));
}
