using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>
/// Reads batches, waiting for them when there are too few. Without fetch sessions: every answer says session 0, and clients then name all their
/// partitions in each request.
/// </summary>
internal sealed class FetchApi(TopicRegistry topics, TimeProvider time) : IApi
{
    /// <summary>Kafka's <c>fetch.max.bytes</c> of the broker: no answer is larger, whatever the client allows, but for one large batch.</summary>
    private const int MaxAnswerBytes = 55 * 1024 * 1024;

    private const int MaxWaitMs = 5 * 60 * 1000;

    public ApiVersions Versions => new(ApiKey.Fetch, 4, 11);

    private readonly record struct FetchPartition(string Topic, int Partition, int LeaderEpoch, long Offset, int MaxBytes);

    private readonly record struct PartitionAnswer(ErrorCode Error, PartitionLog? Log, FileRegion Region);

    private sealed record FetchRequest(int MaxWaitMs, int MinBytes, int MaxBytes, bool NamesUnknownSession, List<FetchPartition> Partitions);

    public async ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        if (TryRead(request) is not { } fetch) return Outcome.Close;
        if (fetch.NamesUnknownSession)
        {
            WriteHead(response.Body, request.Version, ErrorCode.FetchSessionIdNotFound);
            response.Body.WriteInt32(0);
            return Outcome.Reply;
        }
        var answers = new PartitionAnswer[fetch.Partitions.Count];
        if (!ReadAll(fetch, answers)) await WaitAndReadAsync(fetch, answers, stopping);
        Write(response, request.Version, fetch.Partitions, answers);
        return Outcome.Reply;
    }

    /// <summary>Reads what there is.</summary>
    /// <returns>Whether it is to be sent: as many bytes as were asked for, or an error, or nothing that could be waited for.</returns>
    private bool ReadAll(FetchRequest fetch, PartitionAnswer[] answers)
    {
        long total = 0;
        var hasError = false;
        for (var i = 0; i < answers.Length; i++)
        {
            var wanted = fetch.Partitions[i];
            var left = (int)Math.Max(0, fetch.MaxBytes - total);
            answers[i] = Read(wanted, Math.Min(left, Math.Max(0, wanted.MaxBytes)), atLeastOne: total == 0);
            total += answers[i].Region.Length;
            hasError |= answers[i].Error != ErrorCode.None;
        }
        return hasError || total >= fetch.MinBytes || answers.Length == 0;
    }

    private PartitionAnswer Read(FetchPartition wanted, int maxBytes, bool atLeastOne)
    {
        if (topics.FindPartition(wanted.Topic, wanted.Partition) is not { } log) return new PartitionAnswer(ErrorCode.UnknownTopicOrPartition, null, default);
        if (wanted.LeaderEpoch > 0) return new PartitionAnswer(ErrorCode.UnknownLeaderEpoch, null, default);
        var error = log.Read(wanted.Offset, maxBytes, atLeastOne, out var region);
        return new PartitionAnswer(error, error == ErrorCode.None ? log : null, region);
    }

    private async ValueTask WaitAndReadAsync(FetchRequest fetch, PartitionAnswer[] answers, CancellationToken stopping)
    {
        var deadline = time.GetTimestamp() + (long)fetch.MaxWaitMs * time.TimestampFrequency / 1000;
        var logs = answers.Select(answer => answer.Log).OfType<PartitionLog>().ToArray();
        while (true)
        {
            var waiter = new FetchWaiter();
            foreach (var log in logs) log.AddWaiter(waiter);
            try
            {
                // Looked at again after registering, or an append in between would be slept over.
                var left = TimeSpan.FromSeconds((deadline - time.GetTimestamp()) / (double)time.TimestampFrequency);
                if (ReadAll(fetch, answers) || left <= TimeSpan.Zero) return;
                await using var timeout = time.CreateTimer(static state => ((FetchWaiter)state!).Signal(), waiter, left, Timeout.InfiniteTimeSpan);
                await using var stop = stopping.UnsafeRegister(static state => ((FetchWaiter)state!).Signal(), waiter);
                await waiter.Signalled;
                stopping.ThrowIfCancellationRequested();
            }
            finally
            {
                foreach (var log in logs) log.RemoveWaiter(waiter);
            }
        }
    }

    private static FetchRequest? TryRead(Request request)
    {
        var reader = request.Read();
        var version = request.Version;
        reader.ReadInt32(); // replica id
        var (maxWaitMs, minBytes, maxBytes) = (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
        reader.ReadInt8(); // isolation level: without transactions everything is committed
        int sessionId = 0, sessionEpoch = -1;
        if (version >= 7) (sessionId, sessionEpoch) = (reader.ReadInt32(), reader.ReadInt32());
        var partitions = new List<FetchPartition>();
        var topicCount = reader.ReadArrayLength(6);
        for (var t = 0; t < topicCount; t++)
        {
            var topic = reader.ReadString();
            var partitionCount = reader.ReadArrayLength(16);
            for (var p = 0; p < partitionCount; p++)
            {
                var partition = reader.ReadInt32();
                var leaderEpoch = version >= 9 ? reader.ReadInt32() : -1;
                var offset = reader.ReadInt64();
                if (version >= 5) reader.ReadInt64(); // log start offset of a follower
                partitions.Add(new FetchPartition(topic, partition, leaderEpoch, offset, reader.ReadInt32()));
            }
        }
        if (version >= 7) SkipForgottenTopics(ref reader);
        if (version >= 11) reader.ReadString(); // rack
        if (reader.Failed) return null;
        // Epoch 0 asks for a new session and -1 for none; both name every partition. Any other goes on with a session that does not exist.
        return new FetchRequest(Math.Clamp(maxWaitMs, 0, MaxWaitMs), minBytes, Math.Clamp(maxBytes, 0, MaxAnswerBytes), sessionEpoch is not (0 or -1), partitions);
    }

    private static void SkipForgottenTopics(ref WireReader reader)
    {
        var count = reader.ReadArrayLength(6);
        for (var t = 0; t < count; t++)
        {
            reader.ReadString();
            var partitions = reader.ReadArrayLength(4);
            for (var p = 0; p < partitions; p++) reader.ReadInt32();
        }
    }

    private static void WriteHead(WireWriter body, short version, ErrorCode error)
    {
        body.WriteInt32(0); // throttle time
        if (version < 7) return;
        body.WriteError(error);
        body.WriteInt32(0); // session id
    }

    private static void Write(Response response, short version, List<FetchPartition> partitions, PartitionAnswer[] answers)
    {
        WriteHead(response.Body, version, ErrorCode.None);
        TopicPartitions.Write(response.Body, partitions, item => item.Topic, (item, index) => WritePartition(response, version, item.Partition, answers[index]));
    }

    private static void WritePartition(Response response, short version, int partition, in PartitionAnswer answer)
    {
        var body = response.Body;
        var highWatermark = answer.Log?.HighWatermark ?? -1;
        body.WriteInt32(partition);
        body.WriteError(answer.Error);
        body.WriteInt64(highWatermark);
        body.WriteInt64(highWatermark); // last stable offset
        if (version >= 5) body.WriteInt64(answer.Log?.LogStartOffset ?? -1);
        body.WriteInt32(-1); // aborted transactions: none
        if (version >= 11) body.WriteInt32(-1); // preferred read replica: none
        body.WriteInt32(answer.Region.Length);
        response.AddRegion(answer.Region);
    }
}
