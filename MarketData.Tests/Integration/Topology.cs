using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;

namespace MarketData.Tests.Integration;

/// <summary>The AppHost's whole topology, replaying a recording: every process for itself, on free ports, with data of its own.</summary>
/// <remarks>
/// Five processes at a time are enough for a small machine: tests with a topology are in the collection <c>Topology</c>, one after the other.
/// </remarks>
internal sealed class Topology : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(120);
    private readonly DistributedApplication _application;

    private Topology(DistributedApplication application) => _application = application;

    public Uri Gateway => _application.GetEndpoint("gateway", "http");

    /// <param name="recording">What the mock exchange plays.</param>
    /// <param name="speed">0 as fast as it is read.</param>
    /// <param name="bootstrap">Whether ingest reads the log back at each start; without it a start publishes everything, in a new epoch.</param>
    public static async Task<Topology> StartAsync(string recording, string speed, bool bootstrap = true)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.MarketData_AppHost>(
            [$"--MockKalshi:Replay={recording}", $"--MockKalshi:Speed={speed}"], timeout.Token);
        builder.CreateResourceBuilder<ProjectResource>("ingest").WithEnvironment("Bootstrap__Enabled", bootstrap ? "true" : "false");
        // A recording that is played as fast as it is read outruns the client, which is to get every message all the same.
        builder.CreateResourceBuilder<ProjectResource>("gateway").WithEnvironment("Gateway__ClientQueueBytes", "67108864").WithEnvironment("Gateway__LogMegabytes", "512");
        var topology = new Topology(await builder.BuildAsync(timeout.Token));
        try
        {
            await topology._application.StartAsync(timeout.Token);
            foreach (var resource in (string[])["ingest", "gateway"]) await topology._application.ResourceNotifications.WaitForResourceHealthyAsync(resource, timeout.Token);
            return topology;
        }
        catch
        {
            await topology.DisposeAsync();
            throw;
        }
    }

    public HttpClient Http(string resource) => _application.CreateHttpClient(resource, "http");

    public Task StopAsync(string resource) => ExecuteAsync(resource, KnownResourceCommands.StopCommand);

    /// <summary>Starts a resource and waits until it is healthy.</summary>
    public async Task StartAsync(string resource)
    {
        await ExecuteAsync(resource, KnownResourceCommands.StartCommand);
        using var timeout = new CancellationTokenSource(Timeout);
        await _application.ResourceNotifications.WaitForResourceHealthyAsync(resource, timeout.Token);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task ExecuteAsync(string resource, string command)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        var result = await _application.ResourceCommands.ExecuteCommandAsync(resource, command, timeout.Token);
        Assert.True(result.Success, $"{command} of {resource}: {result.ErrorMessage}");
    }
}
