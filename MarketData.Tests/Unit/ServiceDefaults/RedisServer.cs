using System.Diagnostics;

namespace MarketData.Tests.Unit.ServiceDefaults;

/// <summary>A <c>redis-server</c> process with a password on the given port of loopback, its data in a folder of its own.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("marketdata-redis-");
    private readonly Process _process;

    public RedisServer(int port, string password) => _process = Process.Start(new ProcessStartInfo("redis-server",
    [
        "--port", $"{port}", "--bind", "127.0.0.1", "--requirepass", password, "--save", "", "--dir", _folder.FullName,
    ])
    {
        RedirectStandardOutput = true,
    })!;

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _folder.Delete(recursive: true);
    }
}
