using System.Buffers;
using System.Buffers.Text;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using StackExchange.Redis;

namespace MarketData.ServiceDefaults.Redis;

/// <summary>
/// One RESP2 connection to Redis for the hot path: commands are written into one buffer and sent together, replies and messages are read
/// in the order in which Redis sent them, and a reader that falls behind stops reading, so that no queue grows. StackExchange.Redis
/// serves everything else; it hands messages to unbounded queues, and its order across channels is not promised.
/// One writer and one reader at a time, which may be different tasks.
/// </summary>
public sealed class RespConnection : IAsyncDisposable
{
    /// <summary>The largest reply or message that is accepted, in bytes.</summary>
    public const int MaxReplyBytes = 64 << 20;

    private readonly Stream _stream;
    private readonly ArrayBufferWriter<byte> _output = new(64 << 10);
    private readonly RespReply[] _items = new RespReply[8];
    private byte[] _input = new byte[64 << 10];
    private int _start, _end;

    private RespConnection(Stream stream) => _stream = stream;

    /// <summary>Bytes of commands that are written and not yet sent.</summary>
    public int PendingBytes => _output.WrittenCount;

    /// <summary>Connects, authenticates and names the connection.</summary>
    /// <param name="options">Endpoint, user, password, TLS and connect timeout, as StackExchange.Redis reads them from a connection string.</param>
    /// <param name="clientName">Shown by CLIENT LIST; without spaces.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="RedisException">Redis refused the credentials or a command.</exception>
    /// <exception cref="IOException">The endpoint could not be reached, or TLS failed.</exception>
    /// <exception cref="TimeoutException">No answer within the connect timeout.</exception>
    public static async Task<RespConnection> ConnectAsync(ConfigurationOptions options, string clientName, CancellationToken cancellationToken)
    {
        if (options.EndPoints.Count == 0) throw new IOException("The connection string of Redis names no address.");
        var endPoint = options.EndPoints[0];
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.ConnectTimeout);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        bool isReady = false;
        try
        {
            await socket.ConnectAsync(endPoint, timeout.Token);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (options.Ssl)
            {
                var ssl = new SslStream(stream);
                stream = ssl;
                await ssl.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions { TargetHost = options.SslHost ?? (endPoint as System.Net.DnsEndPoint)?.Host ?? "localhost" },
                    timeout.Token);
            }

            var connection = new RespConnection(stream);
            await connection.GreetAsync(options, clientName, timeout.Token);
            isReady = true;
            return connection;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Redis at {endPoint} did not answer within {options.ConnectTimeout} ms.");
        }
        catch (Exception exception) when (exception is SocketException or AuthenticationException)
        {
            throw new IOException($"Redis at {endPoint} cannot be reached: {exception.Message}", exception);
        }
        finally
        {
            if (!isReady) socket.Dispose();
        }
    }

    /// <summary>Adds a command of two parts to what <see cref="FlushAsync"/> sends.</summary>
    public void Write(ReadOnlySpan<byte> command, ReadOnlySpan<byte> argument)
    {
        WriteHeader('*', 2);
        WriteBulk(command);
        WriteBulk(argument);
    }

    /// <summary>Adds a command of three parts to what <see cref="FlushAsync"/> sends.</summary>
    public void Write(ReadOnlySpan<byte> command, ReadOnlySpan<byte> argument1, ReadOnlySpan<byte> argument2)
    {
        WriteHeader('*', 3);
        WriteBulk(command);
        WriteBulk(argument1);
        WriteBulk(argument2);
    }

    /// <summary>Adds <c>RPUSH key value</c>, and what keeps no more than the last elements of the list and lets it expire, to what <see cref="FlushAsync"/> sends.</summary>
    /// <returns>The number of commands, each of which is answered.</returns>
    public int WriteAppend(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, int keep, long expirySeconds)
    {
        Write("RPUSH"u8, key, value);
        WriteHeader('*', 4);
        WriteBulk("LTRIM"u8);
        WriteBulk(key);
        WriteNumber(-keep);
        WriteNumber(-1);
        WriteHeader('*', 3);
        WriteBulk("EXPIRE"u8);
        WriteBulk(key);
        WriteNumber(expirySeconds);
        return 3;
    }

    /// <summary>Adds <c>SET key value EX seconds</c> to what <see cref="FlushAsync"/> sends.</summary>
    public void WriteSet(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long expirySeconds)
    {
        WriteHeader('*', 5);
        WriteBulk("SET"u8);
        WriteBulk(key);
        WriteBulk(value);
        WriteBulk("EX"u8);
        WriteNumber(expirySeconds);
    }

    /// <summary>Sends what was written.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await _stream.WriteAsync(_output.WrittenMemory, cancellationToken);
        _output.ResetWrittenCount();
    }

    /// <summary>Takes the next reply or message if it is wholly here. Its data is valid until the next read.</summary>
    /// <exception cref="IOException">What came is not RESP2.</exception>
    public bool TryRead(out RespReply reply)
    {
        int position = _start;
        if (!TryParse(ref position, out reply)) return false;
        _start = position;
        return true;
    }

    /// <summary>Reads the next reply or message. Its data is valid until the next read.</summary>
    /// <exception cref="IOException">The connection was closed or cut, or what came is not RESP2.</exception>
    public async ValueTask<RespReply> ReadAsync(CancellationToken cancellationToken)
    {
        RespReply reply;
        while (!TryRead(out reply))
        {
            MakeRoom();
            int read = await _stream.ReadAsync(_input.AsMemory(_end), cancellationToken);
            if (read == 0) throw new IOException("Redis closed the connection.");
            _end += read;
        }

        return reply;
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async Task GreetAsync(ConfigurationOptions options, string clientName, CancellationToken cancellationToken)
    {
        int expected = 1;
        if (!string.IsNullOrEmpty(options.Password))
        {
            var password = Encoding.UTF8.GetBytes(options.Password);
            if (string.IsNullOrEmpty(options.User)) Write("AUTH"u8, password);
            else Write("AUTH"u8, Encoding.UTF8.GetBytes(options.User), password);
            expected++;
        }

        Write("CLIENT"u8, "SETNAME"u8, Encoding.UTF8.GetBytes(clientName));
        await FlushAsync(cancellationToken);
        for (int i = 0; i < expected; i++) (await ReadAsync(cancellationToken)).ThrowIfError();
    }

    private void WriteHeader(char kind, int count)
    {
        var span = _output.GetSpan(16);
        span[0] = (byte)kind;
        Utf8Formatter.TryFormat(count, span[1..], out int length);
        span[length + 1] = (byte)'\r';
        span[length + 2] = (byte)'\n';
        _output.Advance(length + 3);
    }

    private void WriteNumber(long number)
    {
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(number, digits, out int length);
        WriteBulk(digits[..length]);
    }

    private void WriteBulk(ReadOnlySpan<byte> value)
    {
        WriteHeader('$', value.Length);
        _output.Write(value);
        _output.Write("\r\n"u8);
    }

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _input.AsSpan(_start, _end - _start).CopyTo(_input);
            _end -= _start;
            _start = 0;
        }

        if (_end < _input.Length) return;
        if (_input.Length >= MaxReplyBytes) throw new IOException($"Redis sent a reply of more than {MaxReplyBytes} bytes.");
        Array.Resize(ref _input, _input.Length * 2);
    }

    private bool TryParse(ref int position, out RespReply reply)
    {
        if (!TryParseScalar(ref position, out reply)) return false;
        if (reply.Kind != RespKind.Array) return true;
        int count = (int)reply.Number;
        if (count > _items.Length) throw new IOException($"Redis sent an array of {count} items where at most {_items.Length} are expected.");
        for (int i = 0; i < count; i++)
        {
            if (!TryParseScalar(ref position, out _items[i])) return false;
            if (_items[i].Kind == RespKind.Array) throw new IOException("Redis sent a nested array where none is expected.");
        }

        reply = reply with { Items = _items.AsMemory(0, count) };
        return true;
    }

    private bool TryParseScalar(ref int position, out RespReply reply)
    {
        reply = default;
        var rest = _input.AsSpan(position, _end - position);
        int lineEnd = rest.IndexOf("\r\n"u8);
        if (lineEnd < 0) return false;
        if (lineEnd == 0) throw new IOException("Redis sent an empty line.");
        var line = rest[1..lineEnd];
        int next = position + lineEnd + 2;
        long number = 0;
        if (rest[0] is (byte)':' or (byte)'$' or (byte)'*'
            && (!Utf8Parser.TryParse(line, out number, out int used) || used != line.Length || (rest[0] != ':' && number is < -1 or > MaxReplyBytes)))
            throw new IOException($"Redis sent '{Encoding.ASCII.GetString(line[..Math.Min(line.Length, 32)])}' where a number is expected.");

        switch (rest[0])
        {
            case (byte)'+':
                reply = new RespReply(RespKind.Simple, 0, _input.AsMemory(position + 1, lineEnd - 1), default);
                break;
            case (byte)'-':
                reply = new RespReply(RespKind.Error, 0, _input.AsMemory(position + 1, lineEnd - 1), default);
                break;
            case (byte)':':
                reply = new RespReply(RespKind.Number, number, default, default);
                break;
            case (byte)'*' when number >= 0:
                reply = new RespReply(RespKind.Array, number, default, default);
                break;
            case (byte)'$' when number >= 0:
                int length = (int)number;
                if (_end - next < length + 2) return false;
                if (!_input.AsSpan(next + length, 2).SequenceEqual("\r\n"u8)) throw new IOException("Redis sent a bulk string that does not end where it says.");
                reply = new RespReply(RespKind.Bulk, 0, _input.AsMemory(next, length), default);
                next += length + 2;
                break;
            case (byte)'$' or (byte)'*':
                reply = new RespReply(RespKind.Null, 0, default, default);
                break;
            default:
                throw new IOException($"Redis sent 0x{rest[0]:x2}, which begins no RESP2 reply.");
        }

        position = next;
        return true;
    }
}
