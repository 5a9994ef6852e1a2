using System.Net.Sockets;
using System.Text;

namespace Aspire.Hosting;

/// <summary>Healthy while the server takes the password and answers PING; while it still loads its data it is not.</summary>
internal static class RedisCheck
{
    public static async Task<string?> RunAsync(int port, string? password, CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", port, cancellationToken);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"*2\r\n$4\r\nAUTH\r\n${Encoding.UTF8.GetByteCount(password ?? "")}\r\n{password}\r\n*1\r\n$4\r\nPING\r\n"), cancellationToken);
        using var reader = new StreamReader(stream);
        foreach (var (command, expected) in new[] { ("AUTH", "+OK"), ("PING", "+PONG") })
        {
            var answer = await reader.ReadLineAsync(cancellationToken);
            if (answer != expected)
                return $"{command} answered {answer ?? "by closing the connection"}";
        }
        return null;
    }
}
