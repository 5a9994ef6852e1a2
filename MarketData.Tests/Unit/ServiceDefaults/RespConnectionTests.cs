using System.Net;
using System.Net.Sockets;
using System.Text;
using MarketData.ServiceDefaults.Redis;
using StackExchange.Redis;

namespace MarketData.Tests.Unit.ServiceDefaults;

public sealed class RespConnectionTests
{
    private const string EveryKind = "+OK\r\n-ERR no\r\n:-42\r\n$5\r\nhe\r\no\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\n\r\n\r\n*2\r\n+a\r\n:7\r\n";

    public static IEnumerable<TheoryDataRow<int>> Boundaries() => Enumerable.Range(1, EveryKind.Length - 1).Select(i => new TheoryDataRow<int>(i));

    [Theory]
    [MemberData(nameof(Boundaries))]
    public async Task Replies_are_the_same_wherever_the_network_splits_them(int boundary)
    {
        await using var server = new ScriptedServer("+OK\r\n", ":1\r\n" + EveryKind[..boundary], EveryKind[boundary..]);
        await using var redis = await server.ConnectAsync();
        server.SendNext();
        // With this reply the whole first part is in the client's buffer.
        await redis.ReadAsync(TestContext.Current.CancellationToken);

        var replies = new List<string>();
        while (redis.TryRead(out var early)) replies.Add(Text(early));
        server.SendNext();
        while (replies.Count < 10) replies.Add(Text(await redis.ReadAsync(TestContext.Current.CancellationToken)));

        Assert.Equal(
            ["Simple OK", "Error ERR no", "Number -42", "Bulk he\r\no", "Bulk ", "Null ", "Null ", "Array []", "Array [Bulk message,Bulk c,Bulk \r\n]", "Array [Simple a,Number 7]"],
            replies);
    }

    [Theory]
    [InlineData("*1\r\n*1\r\n:1\r\n", "nested array")]
    [InlineData("*9\r\n", "array of 9 items")]
    [InlineData("$99999999999\r\n", "'99999999999'")]
    [InlineData("$67108865\r\n", "'67108865'")]
    [InlineData("$-2\r\n", "'-2'")]
    [InlineData("*-7\r\n", "'-7'")]
    [InlineData("$five\r\n", "'five'")]
    [InlineData(":\r\n", "''")]
    [InlineData("$2\r\nabcd", "does not end where it says")]
    [InlineData("\r\n", "empty line")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n", "0x48")]
    public async Task What_is_no_RESP2_is_refused(string reply, string reason)
    {
        await using var server = new ScriptedServer("+OK\r\n", reply);
        await using var redis = await server.ConnectAsync();
        server.SendNext();

        var refused = await Assert.ThrowsAsync<IOException>(async () => await redis.ReadAsync(TestContext.Current.CancellationToken));

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_closed_connection_is_an_error_and_not_a_reply()
    {
        await using var server = new ScriptedServer("+OK\r\n", "$10\r\nhalf");
        await using var redis = await server.ConnectAsync();
        server.SendNext();
        server.End();

        await Assert.ThrowsAsync<IOException>(async () => await redis.ReadAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("password=secret", "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$4\r\ntest\r\n")]
    [InlineData("user=me,password=secret", "*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$6\r\nsecret\r\n*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$4\r\ntest\r\n")]
    public async Task User_and_password_are_given_first(string settings, string expected)
    {
        await using var server = new ScriptedServer("+OK\r\n+OK\r\n");
        await using var redis = await server.ConnectAsync(settings);

        Assert.Equal(expected, await server.ReceivedAsync(expected.Length));
    }

    [Fact]
    public async Task A_refused_password_is_said_in_Redis_own_words()
    {
        await using var server = new ScriptedServer("-WRONGPASS invalid username-password pair\r\n+OK\r\n");

        var refused = await Assert.ThrowsAsync<RedisException>(() => server.ConnectAsync("password=wrong"));

        Assert.Equal("WRONGPASS invalid username-password pair", refused.Message);
        await server.ClosedByClientAsync();
    }

    [Fact]
    public async Task A_server_that_accepts_and_never_answers_is_a_timeout()
    {
        await using var server = new ScriptedServer("");

        var refused = await Assert.ThrowsAsync<TimeoutException>(() => server.ConnectAsync("connectTimeout=300"));

        Assert.Contains("300 ms", refused.Message, StringComparison.Ordinal);
        await server.ClosedByClientAsync();
    }

    [Fact]
    public async Task A_port_where_nobody_listens_is_named()
    {
        using var closed = new ClosedPort();

        var refused = await Assert.ThrowsAsync<IOException>(
            () => RespConnection.ConnectAsync(ConfigurationOptions.Parse(closed.Address), "test", TestContext.Current.CancellationToken));

        Assert.Contains(closed.Address, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_wait_for_the_flush_and_then_go_together()
    {
        await using var server = new ScriptedServer("+OK\r\n");
        await using var redis = await server.ConnectAsync();
        await server.ReceivedAsync("*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$4\r\ntest\r\n".Length);

        redis.Write("GET"u8, "k"u8);
        redis.WriteSet("k"u8, "v\r\n"u8, 60);
        Assert.True(redis.PendingBytes > 0);
        await redis.FlushAsync(TestContext.Current.CancellationToken);

        const string Expected = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\nv\r\n\r\n$2\r\nEX\r\n$2\r\n60\r\n";
        Assert.Equal(Expected, await server.ReceivedAsync(Expected.Length));
        Assert.Equal(0, redis.PendingBytes);
    }

    [Fact]
    public async Task A_reply_larger_than_the_buffer_arrives_whole()
    {
        var value = new string('v', 1_000_000);
        await using var server = new ScriptedServer("+OK\r\n", $"$1000000\r\n{value}\r\n:1\r\n");
        await using var redis = await server.ConnectAsync();
        server.SendNext();

        Assert.Equal("Bulk " + value, Text(await redis.ReadAsync(TestContext.Current.CancellationToken)));
        Assert.Equal("Number 1", Text(await redis.ReadAsync(TestContext.Current.CancellationToken)));
    }

    private static string Text(RespReply reply) => reply.Kind switch
    {
        RespKind.Array => $"Array [{string.Join(',', reply.Items.ToArray().Select(Text))}]",
        RespKind.Number => $"Number {reply.Number}",
        _ => $"{reply.Kind} {Encoding.UTF8.GetString(reply.Data.Span)}",
    };

    /// <summary>Takes one connection, answers its greeting with the first part, and sends the others when told.</summary>
    private sealed class ScriptedServer : IAsyncDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly Queue<string> _parts;
        private readonly Task<Socket> _accepted;

        public ScriptedServer(params string[] parts)
        {
            _parts = new Queue<string>(parts);
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen();
            _accepted = AcceptAsync();
        }

        private Socket Connection => _accepted.GetAwaiter().GetResult();

        public Task<RespConnection> ConnectAsync(string settings = "") => RespConnection.ConnectAsync(
            ConfigurationOptions.Parse($"127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port},{settings}"), "test", TestContext.Current.CancellationToken);

        public void SendNext() => Connection.Send(Encoding.ASCII.GetBytes(_parts.Dequeue()));

        public void End() => Connection.Shutdown(SocketShutdown.Send);

        /// <summary>The next bytes from the client.</summary>
        public async Task<string> ReceivedAsync(int length)
        {
            var buffer = new byte[length];
            await using var stream = new NetworkStream(Connection);
            await stream.ReadExactlyAsync(buffer, TestContext.Current.CancellationToken);
            return Encoding.ASCII.GetString(buffer);
        }

        /// <summary>Waits until the client has closed its side.</summary>
        public async Task ClosedByClientAsync()
        {
            var buffer = new byte[1024];
            try
            {
                while (await Connection.ReceiveAsync(buffer, TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(60)) > 0)
                {
                    // The greeting.
                }
            }
            catch (SocketException)
            {
                // A reset closes as well.
            }
        }

        public async ValueTask DisposeAsync()
        {
            _listener.Dispose();
            (await _accepted).Dispose();
        }

        private async Task<Socket> AcceptAsync()
        {
            var connection = await _listener.AcceptAsync();
            connection.NoDelay = true;
            await connection.SendAsync(Encoding.ASCII.GetBytes(_parts.Dequeue()));
            return connection;
        }
    }
}
