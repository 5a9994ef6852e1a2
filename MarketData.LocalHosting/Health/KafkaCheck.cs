using System.Buffers.Binary;
using System.Net.Sockets;

namespace Aspire.Hosting;

/// <summary>Healthy while the broker answers an ApiVersions request, version 0, which every broker understands.</summary>
internal static class KafkaCheck
{
    private const int CorrelationId = 0x4d44;

    // https://kafka.apache.org/protocol.html: size; API key 18, version 0, correlation id, null client id.
    private static readonly byte[] Request = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, CorrelationId >> 8, CorrelationId & 0xff, 0xff, 0xff];

    public static async Task<string?> RunAsync(int port, CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", port, cancellationToken);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Request, cancellationToken);
        var head = new byte[10];
        await stream.ReadExactlyAsync(head, cancellationToken); // size, correlation id, error code
        var (correlationId, error) = (BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4)), BinaryPrimitives.ReadInt16BigEndian(head.AsSpan(8)));
        if (correlationId != CorrelationId)
            return $"port {port} does not speak the Kafka protocol: correlation id {correlationId} in answer to {CorrelationId}";
        return error == 0 ? null : $"ApiVersions answered error code {error}";
    }
}
