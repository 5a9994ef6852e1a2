namespace MarketData.MockKalshi.Exchange;

/// <summary>UUIDs of version 4 from a seeded source, so that a run can be repeated.</summary>
internal static class RandomUuid
{
    public static Guid Next(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
