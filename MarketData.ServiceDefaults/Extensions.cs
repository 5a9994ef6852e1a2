using MarketData.ServiceDefaults;
using MarketData.ServiceDefaults.Health;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;

namespace Microsoft.Extensions.Hosting;

/// <summary>What every service calls first: telemetry, health, and HTTP clients that find services and survive their faults.</summary>
public static class Extensions
{
    private const string LiveTag = "live";

    /// <summary>
    /// Adds OpenTelemetry, health checks, service discovery and resilient HTTP clients.
    /// </summary>
    /// <remarks>
    /// Telemetry is exported over OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set. Every <see cref="HttpClient"/> of the factory has the
    /// standard resilience pipeline (30 s in total, 10 s an attempt, 3 retries with exponential backoff and jitter for safe methods, a circuit
    /// breaker) and resolves host names from <c>services__{name}__{scheme}__{n}</c>.
    /// </remarks>
    /// <param name="builder">The application to add to.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="InvalidOperationException"><c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set but no absolute http(s) URL.</exception>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.AddConsoleLog();
        builder.AddTelemetry();
        builder.Services.AddBoundedHealthChecks().AddCheck<SelfHealthCheck>("self", tags: [LiveTag]);

        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            http.AddStandardResilienceHandler(options =>
            {
                // A request that changes something may have taken effect before its answer was lost: repeating it is the caller's decision.
                options.Retry.DisableForUnsafeHttpMethods();
            });
            http.AddServiceDiscovery();
        });

        return builder;
    }

    /// <summary>
    /// Maps <c>/health</c> (every check) and <c>/alive</c> (the checks tagged <c>live</c>: the process answers, whatever it depends on).
    /// </summary>
    /// <remarks>
    /// Both answer <c>{"status","durationMs","checks":[{"name","status","reason","durationMs"}]}</c>: 200 for Healthy and Degraded, 503 for
    /// Unhealthy, never cached.
    /// </remarks>
    /// <param name="app">The application to map in.</param>
    /// <returns><paramref name="app"/>.</returns>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        // In every environment, unlike Aspire's template: production is where an orchestrator's probes, a waiting dependent and an operator
        // need them most. They tell states and addresses, and the report is cleaned of credentials before it is written.
        app.MapHealthChecks(HealthEndpoints.Health, new HealthCheckOptions
        {
            ResponseWriter = HealthReportJson.WriteAsync,
        }).DisableHttpMetrics();
        app.MapHealthChecks(HealthEndpoints.Alive, new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(LiveTag),
            ResponseWriter = HealthReportJson.WriteAsync,
        }).DisableHttpMetrics();

        return app;
    }
}
