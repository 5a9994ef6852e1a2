using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Confluent.Kafka;
using MarketData.Tests.Integration.LocalKafka;
using Microsoft.Extensions.DependencyInjection;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>What Kafka refuses for good.</summary>
public sealed class ProducerFailureTests : IAsyncLifetime
{
    private BrokerProcess _kafka = null!;
    private ScriptedExchange _exchange = null!;

    public async ValueTask InitializeAsync()
    {
        _kafka = await BrokerProcess.StartAsync();
        _exchange = await ScriptedExchange.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _exchange.DisposeAsync();
        await _kafka.DisposeAsync();
    }

    [Fact]
    public async Task A_producer_that_gave_up_is_replaced_and_new_snapshots_follow()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap);
        var first = await _exchange.AcceptSubscribedAsync();
        using var log = new LogReader(_kafka.Bootstrap);
        await log.ReadUntilAsync(records => records.Count == 2, "the first snapshots are in the log");

        GiveUp(ingest.Services.GetRequiredService<IProducer<byte[], byte[]>>());
        await first.TradeAsync("MKT-A", "lost");

        // That the error is fatal may be known only after a call or two have been refused, each of which ends a connection.
        var serving = ServeAsync();
        await log.ReadUntilAsync(records => Trades(records).Any(), "what follows is in the log");
        await ingest.WaitForAsync("publishing", "Healthy");
        Assert.True(log.Records.Count(record => record.Payload.Contains("snapshot", StringComparison.Ordinal)) >= 4, "new snapshots came first");
        // The loss shows as a hole in the market's numbers.
        Assert.True(Trades(log.Records).First().Envelope.StreamSequence > 1);
        // The trade that was refused is not taken for one that the log has.
        await log.ReadUntilAsync(records => records.Any(record => record.Payload.Contains("\"lost\"", StringComparison.Ordinal)), "the lost trade is in the log when it comes again");
        Assert.False(serving.IsFaulted);

        async Task ServeAsync()
        {
            while (true)
            {
                var next = await _exchange.AcceptSubscribedAsync();
                await next.TradeAsync("MKT-A", "lost");
                await next.TradeAsync("MKT-A", "after");
            }
        }

        static IEnumerable<LogRecord> Trades(List<LogRecord> records) =>
            records.Where(record => record.Payload.Contains("after", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_envelope_too_large_for_Kafka_is_left_out_visibly_and_the_rest_goes_on()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap);
        var session = await _exchange.AcceptSubscribedAsync();
        await session.SendControlAsync($$$"""{"type":"ticker","msg":{"market_ticker":"MKT-A","text":"{{{new string('x', 2_000_000)}}}"}}""");
        await session.SendAsync("""{"type":"ticker","msg":{"market_ticker":"MKT-A"}}""");

        using var log = new LogReader(_kafka.Bootstrap);
        await log.ReadUntilAsync(records => records.Count == 3, "what follows is in the log");
        Assert.Equal(2, log.Records.Single(record => record.Payload.Contains("ticker\",", StringComparison.Ordinal)).Envelope.StreamSequence);
    }

    // librdkafka's own means to test what follows a fatal error, for which the .NET client has no name.
    private static void GiveUp(IProducer<byte[], byte[]> producer)
    {
        var handle = (SafeHandle)typeof(Handle).GetProperty("LibrdkafkaHandle", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(producer.Handle)!;
        // The client chooses one of several builds by what the machine has.
        var loaded = Process.GetCurrentProcess().Modules.Cast<ProcessModule>().First(module => module.ModuleName.Contains("rdkafka", StringComparison.Ordinal));
        nint library = NativeLibrary.Load(loaded.FileName);
        var giveUp = Marshal.GetDelegateForFunctionPointer<TestFatalError>(NativeLibrary.GetExport(library, "rd_kafka_test_fatal_error"));
        Assert.Equal(0, giveUp(handle.DangerousGetHandle(), (int)ErrorCode.OutOfOrderSequenceNumber, "provoked"));
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int TestFatalError(nint client, int code, [MarshalAs(UnmanagedType.LPUTF8Str)] string reason);
}
