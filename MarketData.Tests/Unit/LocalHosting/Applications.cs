using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;

namespace MarketData.Tests.Unit.LocalHosting;

/// <summary>What the tests ask of a running application.</summary>
internal static class Applications
{
    public static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1);

    /// <summary>All that a resource has printed.</summary>
    public static async Task<IReadOnlyList<string>> OutputAsync(this DistributedApplication app, string resourceName)
    {
        await foreach (var batch in app.Services.GetRequiredService<ResourceLoggerService>().GetAllAsync(resourceName))
            return [.. batch.Select(l => l.Content)];
        return [];
    }

    public static async Task<string> WaitForLineAsync(this DistributedApplication app, string resourceName, Func<string, bool> isWanted)
    {
        string? line = null;
        await Eventually.TrueAsync(() => (line = app.OutputAsync(resourceName).GetAwaiter().GetResult().FirstOrDefault(isWanted)) is not null, StartTimeout,
            () => $"line of {resourceName}; it printed: {string.Join('\n', app.OutputAsync(resourceName).GetAwaiter().GetResult())}");
        return line!;
    }

    public static int ProcessId(this DistributedApplication app, string resourceId)
    {
        Assert.True(app.ResourceNotifications.TryGetCurrentState(resourceId, out var current));
        return Convert.ToInt32(current.Snapshot.Properties.Single(p => p.Name == "executable.pid").Value, CultureInfo.InvariantCulture);
    }

    public static async Task HealthyAsync(this DistributedApplication app, string resourceName)
    {
        using var limit = new CancellationTokenSource(StartTimeout);
        await app.ResourceNotifications.WaitForResourceHealthyAsync(resourceName, limit.Token);
    }

    public static async Task RunningAsync(this DistributedApplication app, string resourceName)
    {
        using var limit = new CancellationTokenSource(StartTimeout);
        await app.ResourceNotifications.WaitForResourceAsync(resourceName, KnownResourceStates.Running, limit.Token);
    }
}
