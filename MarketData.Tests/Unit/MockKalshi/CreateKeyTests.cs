using System.Diagnostics;
using System.Security.Cryptography;
using MarketData.MockKalshi;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>The command that makes a key pair, run as its user would.</summary>
public sealed class CreateKeyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_client_signs_with_the_created_key_and_a_running_exchange_accepts_it()
    {
        string keys = Path.Combine(_folder.Path, "keys"), privateFile = Path.Combine(_folder.Path, "mine.key");
        Directory.CreateDirectory(keys);
        await using var exchange = await MockExchange.StartStillAsync("--keys", keys);

        var (exitCode, output, error) = await RunAsync("--keys", keys, "--out", privateFile);

        Assert.Equal((0, ""), (exitCode, error));
        string keyId = Path.GetFileNameWithoutExtension(Assert.Single(Directory.GetFiles(keys)));
        Assert.Contains(keyId, output, StringComparison.Ordinal);
        Assert.Contains(privateFile, output, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(privateFile));
        string pem = await File.ReadAllTextAsync(privateFile, TestContext.Current.CancellationToken);
        Assert.DoesNotContain(pem.Split('\n')[1], output, StringComparison.Ordinal);
        using var key = new CustomerKey(keyId, RSA.Create());
        key.Rsa.ImportFromPem(pem);
        await using var client = await ExchangeClient.ConnectAsync(exchange.WebSocketAddress, key.Sign());
        Assert.Equal("ok", (await client.AskAsync("""{"id":1,"cmd":"list_subscriptions"}""")).Type);
    }

    [Fact]
    public async Task A_private_key_is_never_overwritten()
    {
        string file = Path.Combine(_folder.Path, "mine.key");
        await File.WriteAllTextAsync(file, "precious", TestContext.Current.CancellationToken);

        var (exitCode, _, error) = await RunAsync("--keys", Path.Combine(_folder.Path, "keys"), "--out", file);

        Assert.Equal(1, exitCode);
        Assert.Contains(file, error, StringComparison.Ordinal);
        Assert.Equal("precious", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder.Path, "keys")));
    }

    [Theory]
    [InlineData("--key", "--key")]
    [InlineData("--out", "--out needs a value")]
    public async Task A_wrong_argument_is_named_in_one_line(string argument, string named)
    {
        var (exitCode, _, error) = await RunAsync(argument);

        Assert.Equal(1, exitCode);
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(MockKalshiApplication).Assembly.Location, "create-key", .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = _folder.Path,
        };
        var cancellation = TestContext.Current.CancellationToken;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(cancellation), process.StandardError.ReadToEndAsync(cancellation));
        try
        {
            await process.WaitForExitAsync(cancellation).WaitAsync(TimeSpan.FromSeconds(60), cancellation);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }

        return (process.ExitCode, await output, await error);
    }
}
