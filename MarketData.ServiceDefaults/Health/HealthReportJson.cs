using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MarketData.ServiceDefaults.Health;

/// <summary>Writes a health report as JSON: the whole's status, then each check with what it found.</summary>
internal static class HealthReportJson
{
    public static async Task WriteAsync(HttpContext context, HealthReport report)
    {
        var configuration = context.RequestServices.GetRequiredService<IConfiguration>();
        context.Response.ContentType = "application/json; charset=utf-8";

        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter))
        {
            json.WriteStartObject();
            json.WriteString("status", report.Status.ToString());
            json.WriteNumber("durationMs", Milliseconds(report.TotalDuration));
            json.WriteStartArray("checks");
            foreach (var (name, check) in report.Entries)
            {
                // A check that threw has no words of its own but the exception's message.
                var reason = check.Description ?? check.Exception?.Message;
                json.WriteStartObject();
                json.WriteString("name", name);
                json.WriteString("status", check.Status.ToString());
                json.WriteString("reason", reason is null ? null : SecretRedaction.Redact(reason, configuration));
                json.WriteNumber("durationMs", Milliseconds(check.Duration));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private static double Milliseconds(TimeSpan duration) => Math.Round(duration.TotalMilliseconds, 3);
}
