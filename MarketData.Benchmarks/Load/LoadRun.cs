using System.Net;
using MarketData.ServiceDefaults.Metrics;

namespace MarketData.Benchmarks.Load;

internal enum LoadPhase
{
    /// <summary>Connecting and warming up.</summary>
    Before,

    /// <summary>Measured before clients begin to leave and return, to compare with.</summary>
    Calm,
    Measured,

    /// <summary>What is still under way is counted, no longer measured.</summary>
    After,
    Ended,
}

/// <summary>What all client threads share: the target, and the phase that the main thread sets.</summary>
internal sealed class LoadRun(LoadOptions options, IPEndPoint gateway)
{
    private volatile LoadPhase _phase;

    public LoadOptions Options => options;

    /// <summary>From publishing to a client's read.</summary>
    public LatencyHistogram Latencies { get; } = new();

    /// <summary>The same before clients began to leave and return.</summary>
    public LatencyHistogram CalmLatencies { get; } = new();

    public IPEndPoint Gateway => gateway;

    public LoadPhase Phase
    {
        get => _phase;
        set => _phase = value;
    }

    /// <summary>One message of so many is looked at for its latency: some 50,000 a second at most.</summary>
    public int SampleEvery => (int)Math.Max(1, (long)options.Rate * options.Clients / 50_000);
}
