using System.Buffers.Binary;
using System.Globalization;
using MarketData.LocalKafka;
using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;
using MarketData.Tests.Integration.LocalKafka;
using Microsoft.Extensions.Logging.Abstractions;

namespace MarketData.Tests.Unit.LocalKafka;

/// <summary>A partition's log against a list of records, through random histories.</summary>
public sealed class PartitionLogTests
{
    private const long T = 1_700_000_000_000;

    private sealed record Stored(long Offset, long Timestamp);

    [Fact]
    public async Task A_log_answers_as_a_plain_list_would_whatever_happened_to_it()
    {
        var firstSeed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seeds from {firstSeed}");
        for (var seed = firstSeed; seed < firstSeed + 30; seed++) await LiveThroughAsync(new Random(seed), seed);
    }

    private static async Task LiveThroughAsync(Random random, int seed)
    {
        var directory = Directory.CreateTempSubdirectory("localkafka-log-").FullName;
        var flush = random.Next(4) == 0 ? FlushMode.Fsync : FlushMode.Os;
        var model = new List<Stored>();
        long start = 0, next = 0;
        var log = Open(directory, flush);
        try
        {
            for (var step = 0; step < 120; step++)
            {
                switch (random.Next(14))
                {
                    case 0:
                        log.Checkpoint();
                        break;
                    case 1:
                        log.Dispose();
                        log = Open(directory, flush);
                        break;
                    case 2 when random.Next(3) == 0:
                        start = random.NextInt64(start, next + 1);
                        Assert.True(log.TryDeleteRecordsBefore(start));
                        model.RemoveAll(stored => stored.Offset < start);
                        break;
                    default:
                        next = await AppendAsync(log, random, model, next);
                        break;
                }
                Assert.True((start, next) == (log.LogStartOffset, log.HighWatermark), $"seed {seed}, step {step}: log {log.LogStartOffset} to {log.HighWatermark}, expected {start} to {next}");
                Check(log, random, model, start, next, $"seed {seed}, step {step}");
            }
        }
        finally
        {
            log.Dispose();
            Directory.Delete(directory, recursive: true);
        }
    }

    private static PartitionLog Open(string directory, FlushMode flush)
    {
        var settings = new TopicSettings(new Dictionary<string, string> { ["segment.bytes"] = "900", ["index.interval.bytes"] = "200" }, new Dictionary<string, string>());
        return new PartitionLog(directory, "test-0", settings, flush, TimeProvider.System, NullLogger.Instance);
    }

    private static async Task<long> AppendAsync(PartitionLog log, Random random, List<Stored> model, long next)
    {
        var builder = new BatchBuilder { Codec = (Codec)random.Next(2) };
        for (var count = random.Next(1, 5); count > 0; count--)
        {
            var timestamp = T + next + random.Next(-20, 20);
            builder.Add(timestamp, next.ToString(CultureInfo.InvariantCulture));
            model.Add(new Stored(next++, timestamp));
        }
        var batch = builder.Build();
        Assert.True(RecordBatch.TryRead(batch, out var header));
        var appended = await log.AppendAsync(batch, header);
        Assert.Equal((ErrorCode.None, next - header.RecordCount), (appended.Error, appended.BaseOffset));
        return next;
    }

    private static void Check(PartitionLog log, Random random, List<Stored> model, long start, long next, string history)
    {
        var offset = random.NextInt64(start, next + 1);
        Assert.Equal(ErrorCode.None, log.Read(offset, random.Next(1, 2000), atLeastOne: true, out var region));
        Assert.Equal(offset == next, region.Length == 0);
        if (region.Length > 0)
        {
            var bytes = new byte[region.Length];
            RandomAccess.Read(region.File, bytes, region.Position);
            Assert.True(RecordBatch.TryRead(bytes, out var first));
            Assert.True(offset >= first.BaseOffset && offset < first.NextOffset, $"{history}: a read at {offset} began with {first.BaseOffset} to {first.NextOffset - 1}");
            for (var at = 0; at < bytes.Length; at += BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at + 8)) + RecordBatch.LengthPrefixSize)
                Assert.True(RecordBatch.TryRead(bytes.AsSpan(at), out var batch) && batch.HasValidChecksum(bytes.AsSpan(at, batch.Size)), $"{history}: the bytes from {offset} on are no whole batches");
        }
        Assert.Equal(ErrorCode.OffsetOutOfRange, log.Read(next + 1, 1000, atLeastOne: true, out _));
        Assert.Equal(ErrorCode.OffsetOutOfRange, log.Read(start - 1, 1000, atLeastOne: true, out _));

        var target = T + random.NextInt64(start - 30, next + 30);
        var expected = model.Find(stored => stored.Timestamp >= target);
        var found = log.FindByTimestamp(target);
        Assert.True(found?.Offset == expected?.Offset && found?.Timestamp == expected?.Timestamp, $"{history}: time {target - T} gave {found}, expected {expected}");
    }
}
