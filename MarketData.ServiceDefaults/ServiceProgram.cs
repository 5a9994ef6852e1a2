using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace MarketData.ServiceDefaults;

/// <summary>Runs a service as a process.</summary>
public static class ServiceProgram
{
    /// <summary>
    /// Builds and runs a service until it is told to stop. A failure that its operator can mend, such as a setting or a port that is
    /// taken, is told in a line on standard error; anything else is a defect and keeps its stack trace.
    /// </summary>
    /// <param name="build">Builds the service from its arguments.</param>
    /// <returns>The exit code: 0 after a stop that was asked for, 1 when the start or a background service failed.</returns>
    public static async Task<int> RunAsync(Func<WebApplication> build)
    {
        try
        {
            await using var app = build();
            // The host would validate too, but log what it finds with a stack trace.
            app.Services.GetService<IStartupValidator>()?.Validate();
            try
            {
                await app.StartAsync();
                await app.WaitForShutdownAsync();
            }
            catch (OperationCanceledException) when (FailureOf(app) != null)
            {
                // The start was ended by the service that failed.
            }

            // To the host a background service that fails is a stop like any other.
            if (FailureOf(app) is { } failed) await failed;
            return 0;
        }
        catch (Exception exception) when (IsMendable(exception))
        {
            var failures = exception is AggregateException several ? several.InnerExceptions : (IEnumerable<Exception>)[exception];
            foreach (var failure in failures) await Console.Error.WriteLineAsync(failure.Message);
            return 1;
        }
    }

    private static Task? FailureOf(WebApplication app) => app.Services.GetServices<IHostedService>()
        .OfType<BackgroundService>()
        .Select(service => service.ExecuteTask)
        .FirstOrDefault(task => task is { IsFaulted: true });

    private static bool IsMendable(Exception exception) => exception is OptionsValidationException or InvalidOperationException or IOException or FormatException
        || (exception is AggregateException several && several.InnerExceptions.All(IsMendable));
}
