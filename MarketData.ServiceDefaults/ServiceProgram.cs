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
    /// taken, is told in one line on standard error; anything else is a defect and keeps its stack trace.
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
            await app.StartAsync();
            await app.WaitForShutdownAsync();
            // A background service that fails stops the host, which then looks like any other stop.
            foreach (var service in app.Services.GetServices<IHostedService>().OfType<BackgroundService>())
            {
                if (service.ExecuteTask is { IsFaulted: true } failed) await failed;
            }

            return 0;
        }
        catch (Exception exception) when (exception is OptionsValidationException or InvalidOperationException or IOException or FormatException)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
    }
}
