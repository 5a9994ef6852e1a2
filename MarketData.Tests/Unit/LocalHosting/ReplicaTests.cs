using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;

namespace MarketData.Tests.Unit.LocalHosting;

public sealed class ReplicaTests
{
    private const int Requests = 12;

    [Fact]
    public async Task Connections_to_the_one_port_go_to_the_replicas_in_turn_and_past_a_stopped_one()
    {
        await using var builder = DistributedApplicationTestingBuilder.Create();
        builder.AddProject<Projects.MarketData_MockKalshi>("web")
            .WithHttpEndpoint(name: "http")
            .WithHttpHealthCheck("/none-of-its-paths", statusCode: 404)
            .WithEnvironment("Logging__LogLevel__Microsoft.AspNetCore.Hosting.Diagnostics", "Information")
            .WithReplicas(3);
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        await app.HealthyAsync("web");

        await RequestAsync(app, "first");
        foreach (var replica in new[] { "web-1", "web-2", "web-3" })
            await Eventually.TrueAsync(() => CountAsync(app, replica, "first").GetAwaiter().GetResult() == Requests / 3, Applications.StartTimeout, () => $"{Requests / 3} requests at {replica}");

        await app.ResourceCommands.ExecuteCommandAsync("web-2", KnownResourceCommands.StopCommand, TestContext.Current.CancellationToken);
        await RequestAsync(app, "second");

        await Eventually.TrueAsync(() => CountAsync(app, "web-1", "second").GetAwaiter().GetResult() + CountAsync(app, "web-3", "second").GetAwaiter().GetResult() == Requests,
            Applications.StartTimeout, () => "all requests at the two others");
        Assert.Distinct([app.ProcessId("web-1"), app.ProcessId("web-3")]);
    }

    /// <summary>One connection each.</summary>
    private static async Task RequestAsync(DistributedApplication app, string path)
    {
        for (var i = 0; i < Requests; i++)
        {
            using var client = new HttpClient(new SocketsHttpHandler()) { BaseAddress = app.GetEndpoint("web"), Timeout = Applications.StartTimeout };
            using var response = await client.GetAsync(new Uri($"/{path}", UriKind.Relative), TestContext.Current.CancellationToken);
        }
    }

    private static async Task<int> CountAsync(DistributedApplication app, string replica, string path) =>
        (await app.OutputAsync(replica)).Count(l => l.Contains("Request starting", StringComparison.Ordinal) && l.Contains($"/{path} ", StringComparison.Ordinal));
}
