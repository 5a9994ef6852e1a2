using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MarketData.Tests.Unit.ServiceDefaults;

public sealed partial class TelemetryTests
{
    [Fact]
    public async Task Traces_metrics_and_logs_reach_the_collector_and_probes_are_no_traces()
    {
        var application = $"MarketData.Service{Guid.NewGuid():N}";
        var received = new ConcurrentDictionary<string, string>();
        await using var collector = await StartCollectorAsync(received);
        var builder = ServiceHost.CreateBuilder(Settings(collector), applicationName: application);
        using var source = new ActivitySource(application);
        using var meter = new Meter(application);
        await using var host = await ServiceHost.StartAsync(builder, app => app.MapGet("/work", (ILogger<TelemetryTests> logger) =>
        {
            using var activity = source.StartActivity("own-span");
            meter.CreateCounter<long>("own.counter").Add(1);
            LogWork(logger);
        }));

        await host.Client.GetStringAsync("/work", TestContext.Current.CancellationToken);
        await host.GetAsync("/health");
        await host.GetAsync("/alive");
        await host.StopAsync();
        await host.DisposeAsync();

        // Text fields of protobuf stand in the body as they are.
        Assert.All(["own-span", "GET /work", application], text => Assert.Contains(text, received["/v1/traces"], StringComparison.Ordinal));
        Assert.All(["GET /health", "GET /alive"], path => Assert.DoesNotContain(path, received["/v1/traces"], StringComparison.Ordinal));
        Assert.All(
            ["own.counter", "http.server.request.duration", "dotnet.gc.collections", application],
            text => Assert.Contains(text, received["/v1/metrics"], StringComparison.Ordinal));
        Assert.Contains("own-log-line", received["/v1/logs"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_service_name_of_the_environment_stands_over_the_applications()
    {
        var received = new ConcurrentDictionary<string, string>();
        await using var collector = await StartCollectorAsync(received);
        var settings = Settings(collector);
        settings["OTEL_SERVICE_NAME"] = "ingest-of-the-topology";
        settings["OTEL_RESOURCE_ATTRIBUTES"] = "service.instance.id=replica-7";
        await using var host = await ServiceHost.StartAsync(ServiceHost.CreateBuilder(settings, applicationName: "MarketData.Unnamed"));

        await host.StopAsync();
        await host.DisposeAsync();

        Assert.Contains("ingest-of-the-topology", received["/v1/metrics"], StringComparison.Ordinal);
        Assert.Contains("replica-7", received["/v1/metrics"], StringComparison.Ordinal);
        Assert.DoesNotContain("MarketData.Unnamed", received["/v1/metrics"], StringComparison.Ordinal);
    }

    [Fact]
    public void An_endpoint_that_is_no_URL_is_named()
    {
        var error = Assert.Throws<InvalidOperationException>(
            () => ServiceHost.CreateBuilder(new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "localhost:4317" }));

        Assert.Contains("OTEL_EXPORTER_OTLP_ENDPOINT is \"localhost:4317\"", error.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, string?> Settings(ServiceHost collector) => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Client.BaseAddress!.ToString(),
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
    };

    private static Task<ServiceHost> StartCollectorAsync(ConcurrentDictionary<string, string> received) => ServiceHost.StartAsync(
        ServiceHost.CreateBuilder(),
        app => app.MapPost("/v1/{signal}", async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body, Encoding.Latin1);
            var body = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
            received.AddOrUpdate(request.Path.Value!, body, (_, before) => before + body);
        }));

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "own-log-line")]
    private static partial void LogWork(ILogger logger);
}
