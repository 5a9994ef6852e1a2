using System.Buffers.Binary;
using System.Text;
using MarketData.Benchmarks.Load;
using MarketData.ServiceDefaults.WebSockets;

namespace MarketData.Tests.Unit.Benchmarks;

/// <summary>Frames are found however the reads cut the stream.</summary>
public sealed class FrameScannerTests
{
    private static readonly byte[][] Payloads = [.. new[] { 5, 0, 125, 126, 700, 66_000 }.Select((length, i) => Enumerable.Repeat((byte)('a' + i), length).ToArray())];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Finds_the_same_frames_wherever_two_reads_meet(bool whole)
    {
        byte[] stream = [.. Payloads.SelectMany(payload => Frame(0x81, payload)), .. Frame(0x89, "ping"u8.ToArray()), .. Frame(0x88, [3, 232, (byte)'x'])];
        var expected = Read([stream], whole).Select(frame => (frame.Opcode, frame.Length)).ToList();
        Assert.Equal(Payloads.Length + 2, expected.Count);

        // Every cut near a boundary, and some in the middle of the longest payload.
        var cuts = Enumerable.Range(0, 2200).Concat(Enumerable.Range(stream.Length - 200, 200)).Append(stream.Length / 2);
        foreach (int cut in cuts)
            Assert.Equal(expected, Read([stream[..cut], stream[cut..]], whole).Select(frame => (frame.Opcode, frame.Length)));
    }

    [Fact]
    public void Hands_out_whole_payloads_byte_by_byte()
    {
        byte[] stream = [.. Frame(0x81, Encoding.UTF8.GetBytes("Grüße")), .. Frame(0x89, "ping"u8.ToArray()), .. Frame(0x81, Payloads[3])];

        var frames = Read([.. stream.Select(each => new[] { each })], whole: true);

        Assert.Equal([(WebSocketOpcode.Text, "Grüße"), (WebSocketOpcode.Ping, "ping"), (WebSocketOpcode.Text, Encoding.UTF8.GetString(Payloads[3]))], frames.Select(frame => (frame.Opcode, frame.Text)));
    }

    [Fact]
    public void Hands_out_control_payloads_when_others_are_skipped()
    {
        byte[] stream = [.. Frame(0x81, Payloads[4]), .. Frame(0x88, [3, 232, (byte)'x'])];

        var frames = Read([.. stream.Select(each => new[] { each })], whole: false);

        Assert.Equal([WebSocketOpcode.Text, WebSocketOpcode.Close], frames.Select(frame => frame.Opcode));
        Assert.EndsWith("x", frames[1].Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0xc1, 0x00, "reserved bit")]
    [InlineData(0x83, 0x00, "opcode 3")]
    [InlineData(0x81, 0x80, "masked")]
    [InlineData(0x09, 0x00, "fragmented")]
    [InlineData(0x89, 0x7e, "longer than 125")]
    public void Says_what_is_wrong_with_a_frame(byte first, byte second, string why)
    {
        byte[] stream = [first, second, 0, 200, .. new byte[200]];

        var exception = Assert.Throws<InvalidDataException>(() => Read([stream], whole: false));

        Assert.Contains(why, exception.Message, StringComparison.Ordinal);
    }

    private static byte[] Frame(byte first, byte[] payload)
    {
        byte[] length = payload.Length switch
        {
            < 126 => [(byte)payload.Length],
            <= ushort.MaxValue => [126, 0, 0],
            _ => [127, 0, 0, 0, 0, 0, 0, 0, 0],
        };
        if (length.Length == 3) BinaryPrimitives.WriteUInt16BigEndian(length.AsSpan(1), (ushort)payload.Length);
        if (length.Length == 9) BinaryPrimitives.WriteInt64BigEndian(length.AsSpan(1), payload.Length);
        return [first, .. length, .. payload];
    }

    private static List<(WebSocketOpcode Opcode, long Length, string Text)> Read(IEnumerable<byte[]> reads, bool whole)
    {
        var frames = new List<(WebSocketOpcode, long, string)>();
        var scanner = default(FrameScanner);
        byte[] rest = [];
        foreach (byte[] read in reads)
        {
            ReadOnlySpan<byte> bytes = (byte[])[.. rest, .. read];
            while (scanner.TryRead(ref bytes, whole, out var frame)) frames.Add((frame.Opcode, frame.Length, Encoding.UTF8.GetString(frame.Payload)));
            rest = bytes.ToArray();
        }

        Assert.Empty(rest);
        return frames;
    }
}
