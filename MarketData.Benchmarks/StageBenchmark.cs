using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using MarketData.Domain.Frames;
using MarketData.Ingest.Pipeline;
using MarketData.Ingest.Upstream;

namespace MarketData.Benchmarks;

/// <summary>
/// From a received frame to the finished envelope, as ingest does it, on one core: parse, sequence check, book, dedup, number, wrap. The
/// baseline allocates and fills arrays of the envelopes' sizes and does nothing else: what it allocates is the floor.
/// </summary>
public class StageBenchmark
{
    private const int FramesPerRound = 10_000, Iterations = 15, SimulatedMarkets = 10_000;
    private static byte[][] _frames = [];

    private readonly TrackedMarkets _markets = new(TimeProvider.System);
    private EnvelopeStage _stage = null!;
    private SequenceTracker _sequences = new();
    private byte[]?[] _envelopes = [];
    private int _next;

    /// <param name="recordings">Files of one frame a line, <c>.gz</c> too; none for frames of the mock exchange.</param>
    public static async Task<int> RunAsync(string[] recordings)
    {
        (_frames, string origin) = await FrameSource.LoadAsync(recordings, SimulatedMarkets);
        var artifacts = Directory.CreateTempSubdirectory("market-data-benchmark-");
        try
        {
            // In this process: the frames are loaded once, and no project has to be made and built.
            var job = Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithIterationCount(Iterations);
            var config = ManualConfig.CreateEmpty()
                .AddJob(job).AddColumnProvider(DefaultColumnProviders.Instance).AddColumn(StatisticColumn.OperationsPerSecond)
                .AddDiagnoser(BenchmarkDotNet.Diagnosers.MemoryDiagnoser.Default).AddLogger(NullLogger.Instance)
                .WithArtifactsPath(artifacts.FullName).WithSummaryStyle(SummaryStyle.Default);
            var summary = BenchmarkRunner.Run<StageBenchmark>(config);
            Console.WriteLine($"{origin}: {Verdicts()}");
            MarkdownExporter.Console.ExportToLog(summary, ConsoleLogger.Ascii);
            return summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success) ? 1 : 0;
        }
        finally
        {
            artifacts.Delete(recursive: true);
        }
    }

    /// <summary>Goes through all frames once, so that every market is known.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _stage = new EnvelopeStage(_markets, TimeProvider.System);
        _envelopes = [.. _frames.Select(frame => Process(frame).Value)];
    }

    [Benchmark(OperationsPerInvoke = FramesPerRound)]
    public int FrameToEnvelope()
    {
        int bytes = 0;
        for (int i = 0; i < FramesPerRound; i++) bytes += Process(_frames[Next()]).Value?.Length ?? 0;
        return bytes;
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = FramesPerRound)]
    public int EnvelopeAlone()
    {
        int bytes = 0;
        for (int i = 0; i < FramesPerRound; i++)
        {
            if (_envelopes[Next()] is { } envelope) bytes += envelope.AsSpan().ToArray().Length;
        }

        return bytes;
    }

    private static string Verdicts()
    {
        var stage = new StageBenchmark();
        stage._stage = new EnvelopeStage(stage._markets, TimeProvider.System);
        var verdicts = _frames.Select(stage.Process).ToList();
        return $"{stage._markets.Count:N0} markets; {string.Join(", ", verdicts.CountBy(staged => staged.Verdict).Select(count => $"{count.Value:N0} {count.Key}"))}";
    }

    private StagedFrame Process(byte[] bytes)
    {
        if (!ExchangeFrame.TryParse(bytes, out var frame, out var error)) throw new InvalidDataException(error);
        if (frame is { Sid: > 0, Seq: { } seq }) _sequences.Take(frame.Sid, seq);
        return _stage.Process(new ReceivedFrame(bytes, 0, 0), frame);
    }

    // After the last frame comes the first, which is a snapshot: every book begins again.
    private int Next()
    {
        int next = _next++;
        if (_next < _frames.Length) return next;
        _next = 0;
        _sequences = new SequenceTracker();
        return next;
    }
}
