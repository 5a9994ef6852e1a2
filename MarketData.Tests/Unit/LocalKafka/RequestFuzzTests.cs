using MarketData.LocalKafka;
using MarketData.LocalKafka.Api;
using MarketData.LocalKafka.Protocol;
using MarketData.LocalKafka.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MarketData.Tests.Unit.LocalKafka;

/// <summary>Random and mutated requests of every kind and version, straight into the broker.</summary>
public sealed class RequestFuzzTests
{
    private const int LargestAnswer = 1 << 20;

    [Fact]
    public async Task No_input_crashes_hangs_or_bloats_the_broker()
    {
        var inputs = Environment.GetEnvironmentVariable("MARKETDATA_SOAK") == "1" ? 1_000_000 : 50_000;
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var directory = Directory.CreateTempSubdirectory("localkafka-fuzz-").FullName;
        try
        {
            await using var services = Broker(directory);
            var apis = services.GetRequiredService<ApiTable>();
            var kinds = services.GetServices<IApi>().Select(api => api.Versions).ToArray();
            var response = new Response();
            var allocatedBefore = GC.GetTotalAllocatedBytes();
            for (var i = 0; i < inputs; i++)
            {
                var input = Input(random, kinds);
                response.Clear();
                using var patience = new CancellationTokenSource();
                var handling = apis.HandleAsync(input, "/127.0.0.1", response, patience.Token);
                if (!handling.IsCompleted) await GiveUpAsync(handling.AsTask(), patience, seed, i);
                else await handling;
                Assert.True(response.Body.Length < LargestAnswer, $"seed {seed}, input {i}: an answer of {response.Body.Length} bytes to {Convert.ToHexString(input)}");
            }
            var allocatedEach = (GC.GetTotalAllocatedBytes() - allocatedBefore) / inputs;
            Assert.True(allocatedEach < 100_000, $"seed {seed}: {allocatedEach} bytes were allocated for an input of a few hundred");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>A request that waits, as a fetch or a join may, must end when its connection does.</summary>
    private static async Task GiveUpAsync(Task handling, CancellationTokenSource patience, int seed, int input)
    {
        await patience.CancelAsync();
        try
        {
            await handling.WaitAsync(TimeSpan.FromSeconds(20));
        }
        catch (OperationCanceledException)
        {
            // What giving up looks like.
        }
        catch (TimeoutException)
        {
            Assert.Fail($"seed {seed}, input {input}: the request did not end with its connection");
        }
    }

    private static ServiceProvider Broker(string directory)
    {
        var options = CommandLine.Parse(["--data", directory, "--topic", "t:1", "--auto.create.topics.enable", "false"]);
        return new ServiceCollection().AddLogging(logging => logging.SetMinimumLevel(LogLevel.None)).AddMetrics().AddBroker(options).BuildServiceProvider();
    }

    private static byte[] Input(Random random, ApiVersions[] kinds)
    {
        var writer = new WireWriter();
        var kind = kinds[random.Next(kinds.Length)];
        writer.WriteInt16((short)kind.Key);
        writer.WriteInt16((short)random.Next(kind.Min, kind.Max + 1));
        writer.WriteInt32(random.Next());
        writer.WriteNullableString(random.Next(10) == 0 ? null : "fuzz");
        var style = random.Next(3);
        var fields = random.Next(24);
        for (var i = 0; i < fields; i++)
            if (style == 0) writer.WriteInt8((sbyte)random.Next(256));
            else WriteField(writer, random);
        var input = writer.Written.ToArray();
        if (style < 2) return input;
        for (var flips = random.Next(4); flips > 0; flips--) input[random.Next(input.Length)] = (byte)random.Next(256);
        return random.Next(4) == 0 ? input[..random.Next(input.Length)] : input;
    }

    /// <summary>Fields as real requests have them, so that parsing gets deep.</summary>
    private static void WriteField(WireWriter writer, Random random)
    {
        switch (random.Next(9))
        {
            case 0: writer.WriteInt32(random.Next(3)); break;
            case 1: writer.WriteInt32(1); break;
            case 2: writer.WriteString("t"); break;
            case 3: writer.WriteString(random.Next(2) == 0 ? "" : "g"); break;
            case 4: writer.WriteInt64(random.NextInt64(-3, 10)); break;
            case 5: writer.WriteInt16((short)random.Next(-2, 3)); break;
            case 6: writer.WriteInt32(random.Next() - random.Next()); break;
            case 7: writer.WriteInt8((sbyte)random.Next(-1, 3)); break;
            default: WriteBatch(writer, random); break;
        }
    }

    private static void WriteBatch(WireWriter writer, Random random)
    {
        var batch = new Integration.LocalKafka.BatchBuilder { ProducerId = random.Next(-1, 3), ProducerEpoch = 0, BaseSequence = random.Next(-1, 3) }.AddMany(2).Build();
        if (random.Next(2) == 0) batch[random.Next(batch.Length)] ^= (byte)random.Next(256);
        writer.WriteBytes(batch);
    }
}
