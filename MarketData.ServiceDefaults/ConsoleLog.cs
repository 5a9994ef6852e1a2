using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MarketData.ServiceDefaults;

/// <summary>What a service says on its console: a line an event, and of the frameworks only what is wrong.</summary>
internal static class ConsoleLog
{
    private static readonly string[] Frameworks = ["Microsoft.AspNetCore", "System.Net.Http.HttpClient", "Polly"];

    public static void AddConsoleLog(this IHostApplicationBuilder builder)
    {
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.UseUtcTimestamp = true;
        });
        foreach (var category in Frameworks)
        {
            // A level that the user has set stands.
            if (builder.Configuration[$"Logging:LogLevel:{category}"] == null) builder.Logging.AddFilter(category, LogLevel.Warning);
        }
    }
}
