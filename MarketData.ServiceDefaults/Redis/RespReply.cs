using System.Text;
using StackExchange.Redis;

namespace MarketData.ServiceDefaults.Redis;

/// <summary>What a RESP2 reply is.</summary>
public enum RespKind : byte
{
    Null,
    Simple,
    Error,
    Number,
    Bulk,
    Array,
}

/// <summary>A reply or a pub/sub message. The memory belongs to the connection and is valid until its next read.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Number">The value of an integer.</param>
/// <param name="Data">The bytes of a simple string, an error or a bulk string.</param>
/// <param name="Items">The elements of an array.</param>
public readonly record struct RespReply(RespKind Kind, long Number, ReadOnlyMemory<byte> Data, ReadOnlyMemory<RespReply> Items)
{
    /// <exception cref="RedisException">The reply is an error; the message is Redis' own.</exception>
    public void ThrowIfError()
    {
        if (Kind == RespKind.Error) throw new RedisException(Encoding.UTF8.GetString(Data.Span));
    }
}
