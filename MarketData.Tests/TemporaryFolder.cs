namespace MarketData.Tests;

/// <summary>A folder of a test's own, deleted at its end.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("market-data-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
