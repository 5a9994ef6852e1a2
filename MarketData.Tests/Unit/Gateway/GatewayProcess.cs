using System.Diagnostics;
using MarketData.Gateway;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>The gateway's program, run as its user would.</summary>
internal static class GatewayProcess
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Process Start(IEnumerable<KeyValuePair<string, string>> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(GatewayApplication).Assembly.Location, .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Runs to the end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(IEnumerable<KeyValuePair<string, string>> environment, params string[] arguments)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var process = Start(environment, arguments);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(cancellation), process.StandardError.ReadToEndAsync(cancellation));
        try
        {
            await process.WaitForExitAsync(cancellation).WaitAsync(Patience, cancellation);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }

        return (process.ExitCode, await output, await error);
    }
}
