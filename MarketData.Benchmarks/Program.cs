using MarketData.Benchmarks;

if (args is not ["kafka", .. var options])
{
    Console.Error.WriteLine("Usage: MarketData.Benchmarks kafka [HOST:PORT]");
    Console.Error.WriteLine("  kafka   produce, consume and produce-to-consume latency against the broker at HOST:PORT; without it a LocalKafka is started");
    return 2;
}

return await KafkaBenchmark.RunAsync(options is [var address, ..] ? address : null);
