using MarketData.Benchmarks;

switch (args)
{
    case ["kafka", .. { Length: <= 1 } address]:
        return await KafkaBenchmark.RunAsync(address is [var given] ? given : null);
    case ["kafka-start"]:
        return await KafkaStartBenchmark.RunAsync();
    case ["replay", _, ..]:
        return await ReplayBenchmark.RunAsync(args[1..]);
    case ["stage", ..]:
        return await StageBenchmark.RunAsync(args[1..]);
    default:
        Console.Error.WriteLine("""
            Usage: MarketData.Benchmarks kafka [HOST:PORT] | kafka-start | replay FILE... | stage [FILE...]
              kafka         produce, consume and produce-to-consume latency against the broker at HOST:PORT; without it a LocalKafka is started
              kafka-start   how soon LocalKafka can be used on a log of 2 GB, after a kill and after a clean stop, and its memory
              replay        recordings played unpaced by a mock exchange to one client: frames a second
              stage         received frame to finished envelope on one core, over recordings; without one over frames of a mock exchange
            """);
        return 2;
}
