namespace MarketData.Benchmarks;

/// <summary>A mock exchange as a process of the benchmark's own, on a free port.</summary>
internal static class MockExchange
{
    public static Task<ServiceProcess> StartAsync(params string[] arguments) =>
        ServiceProcess.StartAsync("MarketData.MockKalshi.dll", "Now listening on: ", ["--urls", "http://127.0.0.1:0", .. arguments]);

    /// <summary>The arguments that make it play recordings.</summary>
    public static IEnumerable<string> Replay(IEnumerable<string> recordings) => recordings.SelectMany(file => (string[])["--replay", Path.GetFullPath(file)]);
}
