using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace MarketData.Tests.Integration.LocalKafka;

/// <summary>One of other people's Kafka clients, told in its own way to do a step of a suite.</summary>
public enum ClientKind
{
    Kcat,
    Python,
    Kafkajs,
}

/// <summary>A running step of a client suite.</summary>
internal sealed partial class ClientProgram : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new(), _errors = new();

    private ClientProgram(ProcessStartInfo start, IEnumerable<string> input)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        try
        {
            _process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException($"{start.FileName} is missing; run {Path.Combine(SourceFolder(), "install-clients.sh")}.", e);
        }
        _process.OutputDataReceived += (_, line) => Keep(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(_errors, line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        foreach (var line in input) _process.StandardInput.WriteLine(line);
        _process.StandardInput.Close();
    }

    public IReadOnlyCollection<string> Output => _output;

    /// <summary>The partitions the member said last that it has.</summary>
    public IReadOnlyList<int> Assignment
    {
        get
        {
            var last = _output.Concat(_errors).LastOrDefault(line => line.Contains("assigned:", StringComparison.Ordinal) || line.Contains("revoked:", StringComparison.Ordinal));
            if (last is null || last.Contains("revoked:", StringComparison.Ordinal)) return [];
            return [.. PartitionNumber.Matches(last[last.IndexOf("assigned:", StringComparison.Ordinal)..]).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];
        }
    }

    public static ClientProgram Produce(ClientKind kind, BrokerProcess broker, string topic, string codec, int count, int pauseMs = 0) => kind == ClientKind.Kcat
        ? new(Kcat(broker, "-P", "-t", topic, "-z", codec, "-X", "enable.idempotence=true"), Enumerable.Range(0, count).Select(i => $"{i}"))
        : new(Script(kind, broker, "produce", topic, codec, $"{count}", $"{pauseMs}"), []);

    public static ClientProgram Consume(ClientKind kind, BrokerProcess broker, string topic, int count) => kind == ClientKind.Kcat
        ? new(Kcat(broker, "-C", "-t", topic, "-o", "beginning", "-c", $"{count}", "-q", "-X", "fetch.wait.max.ms=50"), [])
        : new(Script(kind, broker, "consume", topic, $"{count}"), []);

    public static ClientProgram Member(ClientKind kind, BrokerProcess broker, string group, string topic) => kind == ClientKind.Kcat
        ? new(Kcat(broker, "-G", group, "-X", "session.timeout.ms=2000", "-X", "heartbeat.interval.ms=100", "-X", "max.poll.interval.ms=3000", topic), [])
        : new(Script(kind, broker, "member", group, topic), []);

    /// <summary>kcat with librdkafka's cooperative assignor.</summary>
    public static ClientProgram CooperativeMember(BrokerProcess broker, string group, string topic) => new(
        Kcat(
            broker, "-G", group, "-X", "partition.assignment.strategy=cooperative-sticky", "-X", "session.timeout.ms=2000", "-X", "heartbeat.interval.ms=100",
            "-X", "max.poll.interval.ms=3000", topic),
        []);

    public static ClientProgram Offset(ClientKind kind, BrokerProcess broker, string topic, long timestamp) => kind == ClientKind.Kcat
        ? new(Kcat(broker, "-Q", "-t", $"{topic}:0:{timestamp}"), [])
        : new(Script(kind, broker, "offset", topic, "0", $"{timestamp}"), []);

    /// <summary>Waits for the end, which must be a good one.</summary>
    public async Task<IReadOnlyList<string>> FinishAsync()
    {
        using var timeout = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)} did not end in {Patience}: {Said}");
        }
        Assert.True(_process.ExitCode == 0, $"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)} ended with {_process.ExitCode}: {Said}");
        return [.. _output];
    }

    /// <summary>Whether the client has said a line with these words.</summary>
    public bool HasSaid(string words) => _output.Concat(_errors).Any(line => line.Contains(words, StringComparison.Ordinal));

    /// <summary>Waits until the client has said a line.</summary>
    public async Task WaitForLineAsync(string line) => await Eventually.TrueAsync(() => _output.Contains(line), () => $"'{line}' was not said: {Said}");

    /// <summary>Asks the client to leave as a person would.</summary>
    public async Task StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
        using var timeout = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(timeout.Token);
    }

    /// <summary>Ends the client as a crash does.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private string Said => string.Join('\n', _output.Concat(_errors).TakeLast(20));

    private static void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null) lines.Enqueue(line);
    }

    private static ProcessStartInfo Kcat(BrokerProcess broker, params string[] arguments) => new("kcat", ["-b", broker.Bootstrap, .. arguments]);

    private static ProcessStartInfo Script(ClientKind kind, BrokerProcess broker, params string[] arguments)
    {
        var folder = Path.Combine(SourceFolder(), "clients");
        if (kind == ClientKind.Python) return new("/usr/bin/python3", [Path.Combine(folder, "python-client.py"), broker.Bootstrap, .. arguments]);
        var modules = Path.Combine(Environment.GetEnvironmentVariable("MARKETDATA_KAFKAJS") ?? folder, "node_modules");
        Assert.True(Directory.Exists(modules), $"kafkajs is missing in {modules}; run {Path.Combine(SourceFolder(), "install-clients.sh")}.");
        var start = new ProcessStartInfo("node", [Path.Combine(folder, "kafkajs-client.js"), broker.Bootstrap, .. arguments]);
        start.Environment["NODE_PATH"] = modules;
        return start;
    }

    private static string SourceFolder([CallerFilePath] string thisFile = "") => Path.GetDirectoryName(thisFile)!;

    [GeneratedRegex(@"\[(\d+)\]")]
    private static partial Regex PartitionNumber { get; }
}
