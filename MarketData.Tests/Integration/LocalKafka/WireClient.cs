using System.Buffers.Binary;
using System.Net.Sockets;
using MarketData.LocalKafka.Protocol;

namespace MarketData.Tests.Integration.LocalKafka;

/// <summary>What came back of one produced batch.</summary>
internal readonly record struct Produced(ErrorCode Error, long BaseOffset, long LogStartOffset, long AppendTime = -1);

/// <summary>What came back of one fetched partition.</summary>
internal readonly record struct Fetched(ErrorCode TopError, ErrorCode Error, long HighWatermark, long LastStableOffset, long LogStartOffset, byte[] Records);

/// <summary>Speaks the protocol byte by byte over one connection.</summary>
internal sealed class WireClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TcpClient _tcp = new() { NoDelay = true };
    private int _correlationId;

    public static async Task<WireClient> ConnectAsync(BrokerProcess broker)
    {
        var client = new WireClient();
        await client._tcp.ConnectAsync("127.0.0.1", broker.Port);
        return client;
    }

    public void Dispose() => _tcp.Dispose();

    /// <summary>Sends a request and reads the answer's body.</summary>
    public async Task<byte[]> AskAsync(ApiKey api, short version, Action<WireWriter> body)
    {
        await SendAsync(api, version, body);
        return await ReadAnswerAsync() ?? throw new EndOfStreamException("The broker closed the connection.");
    }

    public async Task SendAsync(ApiKey api, short version, Action<WireWriter> body)
    {
        var writer = new WireWriter();
        writer.WriteInt32(0);
        writer.WriteInt16((short)api);
        writer.WriteInt16(version);
        writer.WriteInt32(++_correlationId);
        writer.WriteString("wire");
        body(writer);
        writer.PatchInt32(0, writer.Length - 4);
        await SendRawAsync(writer.Written);
    }

    public async Task SendRawAsync(ReadOnlyMemory<byte> bytes) => await _tcp.GetStream().WriteAsync(bytes);

    /// <summary>The next answer's body, or null when the broker closed the connection.</summary>
    public async Task<byte[]?> ReadAnswerAsync()
    {
        using var timeout = new CancellationTokenSource(Patience);
        var head = new byte[8];
        try
        {
            await _tcp.GetStream().ReadExactlyAsync(head, timeout.Token);
            var body = new byte[BinaryPrimitives.ReadInt32BigEndian(head) - 4];
            await _tcp.GetStream().ReadExactlyAsync(body, timeout.Token);
            return body;
        }
        catch (Exception e) when (e is EndOfStreamException or IOException)
        {
            return null;
        }
    }

    public Task SendProduceAsync(string topic, int partition, byte[] records, short acks = -1) => SendAsync(ApiKey.Produce, 7, body => WriteProduce(body, topic, partition, records, acks));

    public async Task<Produced> ProduceAsync(string topic, int partition, byte[] records, short acks = -1, short version = 7)
    {
        var answer = await AskAsync(ApiKey.Produce, version, body => WriteProduce(body, topic, partition, records, acks));
        return ReadProduced(answer, version);
    }

    public static Produced ReadProduced(byte[] answer, short version = 7)
    {
        var reader = new WireReader(answer);
        ReadOnePartition(ref reader);
        var (error, baseOffset, appendTime) = ((ErrorCode)reader.ReadInt16(), reader.ReadInt64(), reader.ReadInt64());
        return new Produced(error, baseOffset, version >= 5 ? reader.ReadInt64() : -1, appendTime);
    }

    /// <summary>Begins what many requests are about: one partition, as an array of topics that each have an array of partitions.</summary>
    public static void WriteOnePartition(WireWriter body, string topic, int partition)
    {
        body.WriteInt32(1);
        body.WriteString(topic);
        body.WriteInt32(1);
        body.WriteInt32(partition);
    }

    /// <summary>Reads up to what an answer says of the one partition that was asked about.</summary>
    public static void ReadOnePartition(ref WireReader reader)
    {
        Assert.Equal(1, reader.ReadInt32());
        reader.ReadString();
        Assert.Equal(1, reader.ReadInt32());
        reader.ReadInt32();
    }

    public async Task<Fetched> FetchAsync(
        string topic, int partition, long offset, int maxWaitMs = 0, int minBytes = 1, int maxBytes = 50 << 20, int partitionMaxBytes = 1 << 20, int sessionId = 0, int sessionEpoch = -1)
    {
        var answer = await AskAsync(ApiKey.Fetch, 11, body =>
        {
            body.WriteInt32(-1);
            body.WriteInt32(maxWaitMs);
            body.WriteInt32(minBytes);
            body.WriteInt32(maxBytes);
            body.WriteInt8(1);
            body.WriteInt32(sessionId);
            body.WriteInt32(sessionEpoch);
            WriteOnePartition(body, topic, partition);
            body.WriteInt32(-1);
            body.WriteInt64(offset);
            body.WriteInt64(-1);
            body.WriteInt32(partitionMaxBytes);
            body.WriteInt32(0);
            body.WriteString("");
        });
        var reader = new WireReader(answer);
        reader.ReadInt32();
        var topError = (ErrorCode)reader.ReadInt16();
        Assert.Equal(0, reader.ReadInt32());
        if (topError != ErrorCode.None)
        {
            Assert.Equal(0, reader.ReadInt32());
            return new Fetched(topError, ErrorCode.None, -1, -1, -1, []);
        }
        ReadOnePartition(ref reader);
        var error = (ErrorCode)reader.ReadInt16();
        var (high, stable, start) = (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
        Assert.Equal(-1, reader.ReadInt32());
        Assert.Equal(-1, reader.ReadInt32());
        return new Fetched(topError, error, high, stable, start, reader.ReadBytes().ToArray());
    }

    /// <summary>Looks an offset up by time, or by -1 or -2.</summary>
    public async Task<(ErrorCode Error, long Timestamp, long Offset)> ListOffsetAsync(string topic, int partition, long timestamp)
    {
        var answer = await AskAsync(ApiKey.ListOffsets, 5, body =>
        {
            body.WriteInt32(-1);
            body.WriteInt8(0);
            WriteOnePartition(body, topic, partition);
            body.WriteInt32(-1);
            body.WriteInt64(timestamp);
        });
        var reader = new WireReader(answer);
        reader.ReadInt32();
        ReadOnePartition(ref reader);
        return ((ErrorCode)reader.ReadInt16(), reader.ReadInt64(), reader.ReadInt64());
    }

    public async Task CreateTopicAsync(string topic, int partitions)
    {
        var answer = await AskAsync(ApiKey.CreateTopics, 3, body =>
        {
            body.WriteInt32(1);
            body.WriteString(topic);
            body.WriteInt32(partitions);
            body.WriteInt16(1);
            body.WriteInt32(0);
            body.WriteInt32(0);
            body.WriteInt32(10_000);
            body.WriteBoolean(false);
        });
        var reader = new WireReader(answer);
        reader.ReadInt32();
        Assert.Equal((1, topic, ErrorCode.None), (reader.ReadInt32(), reader.ReadString(), (ErrorCode)reader.ReadInt16()));
    }

    public async Task<long> NewProducerIdAsync()
    {
        var answer = await AskAsync(ApiKey.InitProducerId, 1, body =>
        {
            body.WriteNullableString(null);
            body.WriteInt32(60_000);
        });
        var reader = new WireReader(answer);
        reader.ReadInt32();
        Assert.Equal(ErrorCode.None, (ErrorCode)reader.ReadInt16());
        return reader.ReadInt64();
    }

    private static void WriteProduce(WireWriter body, string topic, int partition, byte[] records, short acks)
    {
        body.WriteNullableString(null);
        body.WriteInt16(acks);
        body.WriteInt32(1000);
        WriteOnePartition(body, topic, partition);
        body.WriteBytes(records);
    }
}
