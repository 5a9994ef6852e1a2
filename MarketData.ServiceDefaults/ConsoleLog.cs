using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
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

        // A start that fails is an exception to whoever started the host, who tells it; the host would say it too, with stack traces, and
        // what the failure then did to the services that had started already.
        var start = new StartPhase();
        var minimum = builder.Configuration.GetValue("Logging:LogLevel:Default", LogLevel.Information);
        builder.Services.AddHostedService(_ => start);
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => start.IsOver && level >= minimum);
    }

    /// <summary>Knows when every service has started.</summary>
    private sealed class StartPhase : IHostedLifecycleService
    {
        private volatile bool _isOver;

        public bool IsOver => _isOver;

        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken)
        {
            _isOver = true;
            return Task.CompletedTask;
        }

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
