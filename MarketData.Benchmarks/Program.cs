using MarketData.Benchmarks;

switch (args)
{
    case ["kafka"]:
        return await KafkaBenchmark.RunAsync(address: null);
    case ["kafka", var address]:
        return await KafkaBenchmark.RunAsync(address);
    case ["replay", _, ..]:
        return await ReplayBenchmark.RunAsync(args[1..]);
    default:
        Console.Error.WriteLine(
            """
            Usage: MarketData.Benchmarks kafka [HOST:PORT]
                   MarketData.Benchmarks replay FILE...
              kafka    produce, consume and produce-to-consume latency against the broker at HOST:PORT; without it a LocalKafka is started
              replay   recordings played unpaced by a mock exchange to one client: frames a second
            """);
        return 2;
}
