using MarketData.ServiceDefaults.Health;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace MarketData.ServiceDefaults;

/// <summary>Traces, metrics and logs, exported over OTLP when an endpoint is configured.</summary>
internal static class Telemetry
{
    /// <summary>Meter and activity source of the Kafka clients, the same with Aspire's registrations and with the local ones.</summary>
    public const string KafkaInstrumentation = "OpenTelemetry.Instrumentation.ConfluentKafka";

    /// <summary>Activity source of Aspire's Redis client.</summary>
    private const string RedisInstrumentation = "OpenTelemetry.Instrumentation.StackExchangeRedis";

    private const string EndpointKey = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        // The service's own meter and activity source carry the application's name.
        var application = builder.Environment.ApplicationName;

        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });

        var telemetry = builder.Services.AddOpenTelemetry()
            // The later source wins: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES override the defaults.
            .ConfigureResource(resource => resource.Clear().AddTelemetrySdk().AddService(application).AddEnvironmentVariableDetector())
            .WithMetrics(metrics => metrics
                .AddMeter(application, KafkaInstrumentation)
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation())
            .WithTracing(tracing => tracing
                .AddSource(application, KafkaInstrumentation, RedisInstrumentation)
                // Probes come every few seconds and would bury everything else.
                .AddAspNetCoreInstrumentation(options => options.Filter = context => !IsProbe(context.Request.Path))
                .AddHttpClientInstrumentation());

        if (builder.Configuration[EndpointKey] is { } endpoint && !string.IsNullOrWhiteSpace(endpoint))
        {
            if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            {
                throw new InvalidOperationException(
                    $"{EndpointKey} is \"{endpoint}\", which is no http or https URL; right would be for example \"http://localhost:4317\".");
            }

            telemetry.UseOtlpExporter();
        }
    }

    private static bool IsProbe(PathString path) =>
        path.StartsWithSegments(HealthEndpoints.Health) || path.StartsWithSegments(HealthEndpoints.Alive);
}
