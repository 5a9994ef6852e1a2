using MarketData.Benchmarks;
using MarketData.Benchmarks.Load;

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
    case ["ingest", ..]:
        return await IngestBenchmark.RunAsync(args[1..]);
    case ["latency"]:
        return await LatencyBenchmark.RunAsync();
    case ["bootstrap"]:
        return await BootstrapBenchmark.RunAsync(BootstrapBenchmark.DefaultMessages);
    case ["bootstrap", var count] when int.TryParse(count, out int messages) && messages >= BootstrapBenchmark.Markets:
        return await BootstrapBenchmark.RunAsync(messages);
    case ["subscribe"]:
        return await SubscribeBenchmark.RunAsync(SubscribeBenchmark.DefaultMarkets);
    case ["subscribe", var count] when int.TryParse(count, out int markets) && markets > 0:
        return await SubscribeBenchmark.RunAsync(markets);
    case ["load", ..]:
        return await LoadBenchmark.RunAsync(args[1..]);
    default:
        Console.Error.WriteLine("""
            Usage: MarketData.Benchmarks kafka [HOST:PORT] | kafka-start | replay FILE... | stage [FILE...] | ingest [FILE...] | latency | bootstrap [MESSAGES] | subscribe [MARKETS] | load [SCENARIO] [OPTIONS]
              kafka         produce, consume and produce-to-consume latency against the broker at HOST:PORT; without it a LocalKafka is started
              kafka-start   how soon LocalKafka can be used on a log of 2 GB, after a kill and after a clean stop, and its memory
              replay        recordings played unpaced by a mock exchange to one client: frames a second
              stage         received frame to finished envelope on one core, over recordings; without one over frames of a mock exchange
              ingest        exchange to Kafka and Kafka to Redis, as fast as they go, over the same frames
              latency       exchange to Redis at 5,000 frames a second
              bootstrap     cold start of ingest on a log of MESSAGES (7200000; at least 10000, one for each market): time and memory
              subscribe     cold start of ingest with MARKETS (10000): time until every order book is subscribed
              load          many WebSocket clients of a gateway, from Redis to each client's read: s1, s2, s3, idle, churn; a wrong option lists all
            """);
        return 2;
}
