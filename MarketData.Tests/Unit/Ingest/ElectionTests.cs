using MarketData.Ingest.Leadership;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>Processes that read one topic agree on one leader. Here the topic is a list, and time stands until it is moved.</summary>
public sealed class ElectionTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(5), Heartbeat = TimeSpan.FromSeconds(1);
    private readonly ManualTime _time = new();
    private readonly List<LeaseRecord> _topic = [];
    private readonly Dictionary<string, (Election Election, int Read)> _processes = [];

    [Fact]
    public void The_first_process_leads_at_once()
    {
        Start("a");
        Turn();
        Assert.Equal("a", Leader());
    }

    [Fact]
    public void Of_two_that_claim_at_once_the_first_in_the_topic_leads()
    {
        Start("a");
        Start("b");
        foreach (string process in (string[])["b", "a"]) Write(process);
        Turn();
        Assert.Equal("b", Leader());
        Run(TimeSpan.FromMinutes(1));
        Assert.Equal("b", Leader());
    }

    [Fact]
    public void A_leader_that_is_heard_keeps_the_lead()
    {
        Start("a");
        Turn();
        Start("b");
        Run(TimeSpan.FromMinutes(10));
        Assert.Equal("a", Leader());
        Assert.DoesNotContain(_topic, record => record.Kind == LeaseKind.Challenge);
    }

    [Fact]
    public void A_leader_that_is_silent_for_its_lease_is_replaced_under_a_higher_term()
    {
        Start("a");
        Turn();
        Start("b");
        Run(TimeSpan.FromSeconds(10));
        long term = _topic[^1].Term;
        _processes.Remove("a");

        Run(TimeSpan.FromSeconds(4));
        Assert.DoesNotContain(_topic, record => record is { Kind: LeaseKind.Claim, Process: "b" });
        Run(TimeSpan.FromSeconds(3));

        Assert.Equal("b", Leader());
        Assert.True(_topic[^1].Term > term);
    }

    [Fact]
    public void A_leader_that_resigns_is_replaced_at_once()
    {
        Start("a");
        Turn();
        Start("b");
        Turn();
        _processes.Remove("a");
        _topic.Add(new LeaseRecord(LeaseKind.Resignation, _topic[^1].Term, "a"));

        Turn();

        Assert.Equal("b", Leader());
    }

    [Fact]
    public void A_process_that_was_halted_finds_itself_replaced_before_it_writes()
    {
        Start("a");
        Turn();
        Start("b");
        Turn();
        var halted = _processes["a"];
        _processes.Remove("a");
        Run(TimeSpan.FromSeconds(10));
        _processes["a"] = halted;

        Turn();

        Assert.Equal("b", Leader());
        Assert.DoesNotContain(_topic[halted.Read..], record => record.Process == "a");
    }

    [Fact]
    public void A_topic_that_was_away_costs_the_leader_nothing()
    {
        Start("a");
        Turn();
        Start("b");
        Run(TimeSpan.FromSeconds(10));

        // Nobody reads or writes; then both do, the standby first.
        _time.Advance(TimeSpan.FromMinutes(1));
        Write("b");
        Run(TimeSpan.FromSeconds(30));

        Assert.Equal("a", Leader());
        Assert.Contains(_topic, record => record is { Kind: LeaseKind.Challenge, Process: "b" });
        Assert.Single(_topic, record => record.Kind == LeaseKind.Claim);
    }

    [Fact]
    public void Terms_grow_though_the_clock_was_set_back()
    {
        long future = DateTimeOffset.UnixEpoch.AddYears(1).ToUnixTimeMilliseconds();
        _topic.Add(new LeaseRecord(LeaseKind.Claim, future, "old"));
        _topic.Add(new LeaseRecord(LeaseKind.Resignation, future, "old"));
        Start("a");
        Turn();
        Assert.Equal("a", Leader());
        Assert.Equal(future + 1, _topic[^1].Term);
    }

    [Fact]
    public void A_leader_whose_claim_is_not_kept_any_more_is_known_by_its_heartbeat()
    {
        _topic.Add(new LeaseRecord(LeaseKind.Heartbeat, 7, "old"));
        Start("a");
        Turn();
        Assert.DoesNotContain(_topic, record => record.Process == "a");
        Run(TimeSpan.FromSeconds(6));
        Assert.Equal("a", Leader());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"kind":"claim","term":0,"process":"a"}""")]
    [InlineData("""{"kind":"nonsense","term":1,"process":"a"}""")]
    [InlineData("""{"kind":"claim","term":1}""")]
    public void What_is_no_record_is_passed_over(string text) => Assert.Null(LeaseRecord.Read(System.Text.Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void A_record_is_read_as_it_was_written()
    {
        var record = new LeaseRecord(LeaseKind.Resignation, 17, "host/1/x");
        Assert.Equal(record, LeaseRecord.Read(record.ToBytes()));
    }

    private void Start(string process) => _processes[process] = (new Election(process, Lease, Heartbeat, _time), 0);

    private void Run(TimeSpan duration)
    {
        for (var passed = TimeSpan.Zero; passed < duration; passed += TimeSpan.FromMilliseconds(100))
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            Turn();
        }
    }

    // Every process reads all there is and writes what it then wants to, twice, so that what was written is read too.
    private void Turn()
    {
        for (int i = 0; i < 2; i++)
        {
            foreach (string process in _processes.Keys.ToList())
            {
                Read(process);
                Write(process);
            }
        }
    }

    private void Read(string process)
    {
        var (election, read) = _processes[process];
        for (; read < _topic.Count; read++) election.Read(_topic[read]);
        _processes[process] = (election, read);
    }

    private void Write(string process)
    {
        if (_processes[process].Election.Next() is { } record) _topic.Add(record);
    }

    // At most one process may believe that it leads, once all have read all.
    private string Leader()
    {
        foreach (string process in _processes.Keys.ToList()) Read(process);
        return Assert.Single(_processes, process => process.Value.Election.IsLeading).Key;
    }
}
