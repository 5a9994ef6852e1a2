using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;

namespace MarketData.Benchmarks.Load;

/// <summary>
/// Many clients of one gateway, measured from publishing to Redis to each client's read. The clients skip over what they need not see, so
/// that they take far less of the processors than the gateway does.
/// </summary>
internal static class LoadBenchmark
{
    // Files beside the clients' sockets: the runtime's own, Redis, children.
    private const int OtherFiles = 300;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromMinutes(3), QuietTimeout = TimeSpan.FromSeconds(15), Poll = TimeSpan.FromMilliseconds(20);

    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            var options = LoadOptions.Parse(args);
            if (!OperatingSystem.IsLinux()) throw new FormatException("load needs Linux: its clients are built on epoll.");
            if (LibC.OpenFiles() < options.Clients + OtherFiles)
                throw new FormatException($"{options.Clients} clients need as many open files and {OtherFiles} more, and this shell allows {LibC.OpenFiles()}: ulimit -n {options.Clients + OtherFiles} raises it, where the hard limit (ulimit -Hn) allows it.");
            var report = await MeasureAsync(options);
            Console.Write(options.Json ? report.ToJson() + "\n" : report.ToTable());
            return report.Faults == 0 && (options.Churn > 0 || report.Ends.Count == 0) ? 0 : 1;
        }
        catch (FormatException exception)
        {
            await Console.Error.WriteLineAsync($"{exception.Message}\n{LoadOptions.Usage}");
            return 2;
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or TimeoutException or Win32Exception or SocketException or ArgumentException)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
    }

    private static async Task<LoadReport> MeasureAsync(LoadOptions options)
    {
        await using var target = await LoadTarget.OpenAsync(options);
        await using var publisher = target.Redis is null ? null : new LoadPublisher(await target.ConnectRedisAsync(), options);
        if (publisher != null) await publisher.PrepareAsync();
        var run = new LoadRun(options, target.Gateway);
        var (threads, clients) = Clients(run);
        try
        {
            long bytesBefore = target.Usage?.ResidentBytes ?? 0;
            double connectsPerSecond = await ConnectAsync(threads, options.Clients);
            double? bytesPerClient = (target.Usage?.ResidentBytes - bytesBefore) / (double)options.Clients;

            var publishing = publisher != null && options.Rate > 0 ? publisher.RunAsync() : Task.CompletedTask;
            await PassAsync(TimeSpan.FromSeconds(options.WarmUpSeconds), threads, publishing);
            if (options.Churn > 0)
            {
                run.Phase = LoadPhase.Calm;
                await PassAsync(TimeSpan.FromSeconds(options.Seconds), threads, publishing);
            }

            var (watch, before) = (Stopwatch.StartNew(), target.Usage?.Processor);
            run.Phase = LoadPhase.Measured;
            await PassAsync(TimeSpan.FromSeconds(options.Seconds), threads, publishing);
            run.Phase = LoadPhase.After;
            var (measured, processor) = (watch.Elapsed, target.Usage?.Processor - before);

            publisher?.Stop();
            await publishing;
            await QuietAsync(threads);
            run.Phase = LoadPhase.Ended;
            if (!threads.All(thread => thread.Join(QuietTimeout))) throw new TimeoutException($"A client thread did not end within {QuietTimeout.TotalSeconds} s.");
            return Report(run, threads, clients, publisher) with
            {
                Seconds = measured.TotalSeconds,
                ConnectsPerSecond = connectsPerSecond,
                ServerBytesPerClient = bytesPerClient,
                ServerCores = processor / measured,
                ServerMicrosecondsPerMessage = PerMessage(processor, threads),
                DeliveredPerSecond = threads.Sum(thread => thread.Measured.Delivered) / measured.TotalSeconds,
                ReceivedBytesPerSecond = threads.Sum(thread => thread.Measured.Bytes) / measured.TotalSeconds,
            };
        }
        finally
        {
            run.Phase = LoadPhase.Ended;
            publisher?.Stop();
            foreach (var thread in threads)
            {
                // A thread that hangs keeps its epoll; the process is about to end.
                if (thread.Join(QuietTimeout)) thread.Dispose();
            }
        }
    }

    private static (List<LoadThread> Threads, List<LoadClient> Clients) Clients(LoadRun run)
    {
        var (threads, all) = (new List<LoadThread>(), new List<LoadClient>());
        var random = new Random(run.Options.Seed);
        int count = Math.Min(run.Options.Threads, run.Options.Clients);
        for (int thread = 0; thread < count; thread++)
        {
            var clients = new LoadClient[(run.Options.Clients / count) + (thread < run.Options.Clients % count ? 1 : 0)];
            for (int i = 0; i < clients.Length; i++)
            {
                clients[i] = new LoadClient(i, all.Count, Channels(run.Options, random), all.Count < run.Options.Check ? new StreamChecker() : null);
                all.Add(clients[i]);
            }

            threads.Add(new LoadThread(run, clients));
        }

        return (threads, all);
    }

    private static string[] Channels(LoadOptions options, Random random)
    {
        if (!options.Channels.Any(channel => channel.Contains(LoadOptions.MarketPlace, StringComparison.Ordinal))) return [.. options.Channels];
        var markets = new HashSet<string>();
        while (markets.Count < options.PerClient) markets.Add(options.Markets[random.Next(options.Markets.Count)]);
        return [.. options.Channels.SelectMany(channel => markets.Select(market => channel.Replace(LoadOptions.MarketPlace, market, StringComparison.Ordinal))).Distinct()];
    }

    private static async Task<double> ConnectAsync(List<LoadThread> threads, int clients)
    {
        var watch = Stopwatch.StartNew();
        foreach (var thread in threads) thread.Start();
        while (threads.Sum(thread => thread.Live) is var live && live < clients)
        {
            ThrowIfFailed(threads);
            if (watch.Elapsed > ConnectTimeout || threads.Sum(thread => thread.Ended) is > 0 and var ended && live + ended >= clients)
                throw new IOException($"{live} of {clients} clients are subscribed: {string.Join("; ", threads.Select(thread => thread.LastEnd).OfType<string>().Distinct())}");
            await Task.Delay(Poll);
        }

        return clients / watch.Elapsed.TotalSeconds;
    }

    private static async Task PassAsync(TimeSpan time, List<LoadThread> threads, Task publishing)
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < time)
        {
            ThrowIfFailed(threads);
            if (publishing.IsFaulted) await publishing;
            await Task.Delay(Poll);
        }
    }

    // Returns when nothing has come for a second, or as much as may be waited.
    private static async Task QuietAsync(List<LoadThread> threads)
    {
        var (watch, moved, last) = (Stopwatch.StartNew(), TimeSpan.Zero, -1L);
        while (watch.Elapsed < QuietTimeout && watch.Elapsed - moved < TimeSpan.FromSeconds(1))
        {
            long now = threads.Sum(thread => thread.Delivered);
            if (now != last) (last, moved) = (now, watch.Elapsed);
            await Task.Delay(Poll);
        }
    }

    private static void ThrowIfFailed(List<LoadThread> threads)
    {
        if (threads.Select(thread => thread.Failure).FirstOrDefault(failure => failure != null) is { } failure) throw new IOException($"A client thread ended: {failure.Message}", failure);
    }

    private static double? PerMessage(TimeSpan? processor, List<LoadThread> threads)
    {
        long delivered = threads.Sum(thread => thread.Measured.Delivered);
        return delivered == 0 ? null : processor?.TotalMicroseconds / delivered;
    }

    private static LoadReport Report(LoadRun run, List<LoadThread> threads, List<LoadClient> clients, LoadPublisher? publisher)
    {
        var options = run.Options;
        var ends = new Dictionary<string, int>();
        foreach (var thread in threads)
        {
            foreach (var (why, count) in thread.Ends) ends[why] = ends.GetValueOrDefault(why) + count;
        }

        var checkers = clients.Select(client => client.Checker).OfType<StreamChecker>().ToList();
        // Books begin with a snapshot more for each client, so only trades can be counted on.
        bool isComplete = publisher != null && options is { Churn: 0, Kind: MessageKind.Trade } && options.Channels.Contains("all");
        return new LoadReport(
            options.Scenario, options.Clients, options.Rate, 0, 0, 0, 0, LatencyQuantiles.Of(run.Latencies), LatencyQuantiles.Of(run.CalmLatencies), null, null, null,
            PerMessage(TimeSpan.FromTicks(threads.Sum(thread => thread.Measured.Processor.Ticks)), threads),
            publisher?.Sent ?? 0, publisher?.LeftOut ?? 0,
            isComplete ? (publisher!.Sent * options.Clients) - threads.Sum(thread => thread.Delivered) : null,
            threads.Sum(thread => thread.Returned), ends, checkers.Sum(checker => checker.Messages), checkers.Sum(checker => checker.Faults),
            [.. checkers.SelectMany(checker => checker.FirstFaults).Take(5)]);
    }
}
