using System.Diagnostics.Metrics;
using MarketData.LocalKafka;
using MarketData.LocalKafka.Groups;
using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;
using MarketData.LocalKafka.Server;
using MarketData.Tests.Integration.LocalKafka;
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
        _time.Now += TimeSpan.FromDays(7);
        Offsets.Expire(TimeSpan.FromDays(7));
        Assert.Equal(5, Offsets.Find("idle", "prices", 0)?.Offset);

        _time.Now += TimeSpan.FromSeconds(1);
        Offsets.Expire(TimeSpan.FromDays(7));
        Assert.Null(Offsets.Find("idle", "prices", 0));
    }

    [Fact]
    public void Offsets_of_a_group_with_members_are_kept()
    {
        var join = new JoinRequest("busy", TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5), "", null, "test", "/127.0.0.1", "consumer", [new GroupProtocol("range", [])], MustKnowMemberId: false);
        Assert.True(_services.GetRequiredService<GroupCoordinator>().JoinAsync(join).IsCompletedSuccessfully);
        Offsets.Commit("busy", [new OffsetToCommit("prices", 0, 5, -1, "")]);
        _time.Now += TimeSpan.FromDays(30);
        Offsets.Expire(TimeSpan.FromDays(7));
        Assert.Equal(5, Offsets.Find("busy", "prices", 0)?.Offset);
    }

    [Fact]
    public async Task A_group_with_neither_members_nor_offsets_is_forgotten()
    {
        var coordinator = _services.GetRequiredService<GroupCoordinator>();
        var member = await coordinator.JoinAsync(
            new JoinRequest("brief", TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5), "", null, "test", "/127.0.0.1", "consumer", [new GroupProtocol("range", [])], MustKnowMemberId: false));
        Offsets.Expire(TimeSpan.FromDays(7));
        Assert.Contains("brief", Offsets.ListGroups().Keys);

        Assert.Equal(ErrorCode.None, coordinator.Leave("brief", member.MemberId));
        Offsets.Expire(TimeSpan.FromDays(7));
        Assert.DoesNotContain("brief", Offsets.ListGroups().Keys);
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

        var lags = new Dictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, subscriber) =>
        {
            if (instrument.Meter.Scope == _services.GetRequiredService<IMeterFactory>() && instrument.Name == "localkafka.group.lag") subscriber.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, lag, tags, _) => lags[$"{tags[0].Value}/{tags[1].Value}/{tags[2].Value}"] = lag);
        listener.Start();
        listener.RecordObservableInstruments();

        Assert.Equal(new Dictionary<string, long> { ["relay/prices/0"] = 5 }, lags);
    }

    /// <summary>A clock that moves when the test says so; timers stay with the system.</summary>
    private sealed class ManualTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch.AddYears(56);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
