using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting;

/// <summary>What an AppHost shows: a table of the resources at the start and when all are ready, changes of state, and every line of their output.</summary>
internal sealed class ConsoleReport : IAsyncDisposable
{
    private const int Capacity = 4_096;
    private const string Self = "apphost";
    private static readonly int[] Colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94]; // ANSI foregrounds that read on light and dark
    private static readonly TimeSpan ReminderInterval = TimeSpan.FromSeconds(15);
    private readonly ResourceNotificationService _notifications;
    private readonly ResourceLoggerService _logs;
    private readonly DistributedApplicationModel _model;
    private readonly Dictionary<string, int> _colourByName = [];
    private readonly int _nameWidth;
    private readonly bool _isColoured;
    private readonly Channel<(string Name, string Line)> _lines;
    private readonly CancellationTokenSource _stopping = new();
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private readonly Task _writing;
    private Task _following = Task.CompletedTask;
    private long _dropped;

    public ConsoleReport(ResourceNotificationService notifications, ResourceLoggerService logs, DistributedApplicationModel model)
    {
        (_notifications, _logs, _model) = (notifications, logs, model);
        _isColoured = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        foreach (var resource in model.Resources)
            _colourByName[resource.Name] = Colours[_colourByName.Count % Colours.Length];
        _nameWidth = model.Resources.Select(r => r.Name.Length + (r.GetReplicaCount() > 1 ? 2 : 0)).Append(Self.Length).Max();
        // A console that does not keep up (Ctrl-S, a slow pipe) must not hold up the processes: the oldest lines go, and how many is said.
        _lines = Channel.CreateBounded<(string, string)>(new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest },
            _ => Interlocked.Increment(ref _dropped));
        _logs.LineWritten += Enqueue;
        _writing = WriteAsync();
    }

    public void Say(string line) => Enqueue(Self, line);

    /// <summary>Shows the table, and from now on what changes.</summary>
    public void Begin()
    {
        SayTable();
        _following = FollowAsync(_stopping.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _following;
        _logs.LineWritten -= Enqueue;
        _lines.Writer.Complete();
        await _writing;
        _stopping.Dispose();
    }

    private void Enqueue(string name, string line) => _lines.Writer.TryWrite((name, line));

    private async Task WriteAsync()
    {
        await foreach (var (name, line) in _lines.Reader.ReadAllAsync())
        {
            if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped)
                await Console.Out.WriteLineAsync(Prefix(Self) + string.Create(CultureInfo.InvariantCulture, $"{dropped} lines left out: the console does not keep up"));
            await Console.Out.WriteLineAsync(Prefix(name) + line);
        }
    }

    private string Prefix(string name)
    {
        var prefix = $"{name.PadRight(_nameWidth)} | ";
        if (!_isColoured)
            return prefix;
        var colour = _colourByName.TryGetValue(name, out var own) ? own : _colourByName.GetValueOrDefault(name[..Math.Max(0, name.LastIndexOf('-'))], 90);
        return string.Create(CultureInfo.InvariantCulture, $"\e[{colour}m{prefix}\e[0m");
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        var shown = new Dictionary<string, string>();
        var wasReady = false;
        try
        {
            while (true)
            {
                var changed = _notifications.NextChange;
                var isReady = true;
                foreach (var row in Rows())
                {
                    isReady &= row.State == "Healthy";
                    if (shown.GetValueOrDefault(row.Name) is { } before && before != row.State)
                        Enqueue(row.Name, $"({row.State})");
                    shown[row.Name] = row.State;
                }
                if (isReady && !wasReady)
                {
                    SayTable();
                    Say(string.Create(CultureInfo.InvariantCulture, $"all resources are ready after {Stopwatch.GetElapsedTime(_startedAt).TotalSeconds:F1} s; Ctrl-C stops them"));
                }
                wasReady = isReady;
                try
                {
                    await (isReady ? changed.WaitAsync(cancellationToken) : changed.WaitAsync(ReminderInterval, cancellationToken));
                }
                catch (TimeoutException)
                {
                    SayWhatIsMissing();
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return;
        }
    }

    private void SayWhatIsMissing()
    {
        foreach (var resource in _model.Resources)
        {
            if (_notifications.TryGetCurrentState(resource.Name, out var current) && current.Snapshot is { HealthStatus: HealthStatus.Unhealthy } snapshot)
                Say($"{resource.Name} is not healthy yet: {string.Join("; ", snapshot.HealthReports.Where(r => r.Status != HealthStatus.Healthy).Select(r => $"{r.Name}: {r.Description ?? "not checked yet"}"))}");
        }
    }

    private void SayTable()
    {
        var rows = Rows().Prepend(new("RESOURCE", "STATE", "URL", "PROCESS")).ToArray();
        int Width(Func<Row, string> column) => rows.Max(r => column(r).Length) + 2;
        var (name, state, url) = (Width(r => r.Name), Width(r => r.State), Width(r => r.Url));
        foreach (var row in rows)
            Say($"{row.Name.PadRight(name)}{row.State.PadRight(state)}{row.Url.PadRight(url)}{row.Process}".TrimEnd());
    }

    private IEnumerable<Row> Rows()
    {
        foreach (var resource in _model.Resources)
        {
            var replicas = resource.GetReplicaCount();
            var urls = resource is IResourceWithEndpoints withEndpoints ? string.Join(' ', resource.Annotations.OfType<EndpointAnnotation>().Select(e => withEndpoints.GetEndpoint(e.Name).Url)) : "";
            foreach (var id in replicas == 1 ? [resource.Name] : Enumerable.Range(1, replicas).Select(i => string.Create(CultureInfo.InvariantCulture, $"{resource.Name}-{i}")))
            {
                if (_notifications.TryGetCurrentState(id, out var current))
                    yield return new(id, State(current.Snapshot), urls, Convert.ToString(current.Snapshot.Properties.FirstOrDefault()?.Value, CultureInfo.InvariantCulture) ?? "");
            }
        }
    }

    private static string State(CustomResourceSnapshot snapshot) =>
        snapshot.StateText != KnownResourceStates.Running ? snapshot.StateText : snapshot.HealthStatus == HealthStatus.Healthy ? "Healthy" : "Running";

    private sealed record Row(string Name, string State, string Url, string Process);
}
