using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace MarketData.Tests.Integration;

/// <summary>A script for Node that uses somebody else's client and prints one JSON object of what it saw.</summary>
internal static class NodeProgram
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <param name="folder">Has <c>clients/</c> with the script, and <c>install-clients.sh</c>.</param>
    /// <param name="script">Name of the script.</param>
    /// <param name="arguments">Its arguments.</param>
    public static async Task<JsonNode> RunAsync(string folder, string script, params string[] arguments)
    {
        string install = Path.Combine(folder, "install-clients.sh");
        using var process = Start(
            new ProcessStartInfo("node", [Path.Combine(folder, "clients", script), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true }, install);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
            var errors = process.StandardError.ReadToEndAsync(timeout.Token);
            await process.WaitForExitAsync(timeout.Token);
            Assert.True(process.ExitCode == 0, $"the client ended with {process.ExitCode}; if it is not installed, run {install}: {await errors}");
            return JsonNode.Parse(await output)!;
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    private static Process Start(ProcessStartInfo start, string install)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new InvalidOperationException($"{start.FileName} is missing; run {install}.", exception);
        }
    }
}
