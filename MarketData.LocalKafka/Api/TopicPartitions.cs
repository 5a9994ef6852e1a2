using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>The shape most answers about partitions have: an array of topics, each with an array of partitions.</summary>
internal static class TopicPartitions
{
    /// <summary>Writes items in order, those of one topic that stand together under one entry.</summary>
    public static void Write<T>(WireWriter body, IReadOnlyList<T> items, Func<T, string> topicOf, Action<T, int> writePartition)
    {
        var countAt = body.Length;
        body.WriteInt32(0);
        var count = 0;
        for (int start = 0, end; start < items.Count; start = end, count++)
        {
            var topic = topicOf(items[start]);
            for (end = start + 1; end < items.Count && topicOf(items[end]) == topic;) end++;
            body.WriteString(topic);
            body.WriteInt32(end - start);
            for (var i = start; i < end; i++) writePartition(items[i], i);
        }
        body.PatchInt32(countAt, count);
    }
}
