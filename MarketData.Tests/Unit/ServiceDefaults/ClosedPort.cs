using System.Net;
using System.Net.Sockets;

namespace MarketData.Tests.Unit.ServiceDefaults;

/// <summary>A port that refuses connections and that nobody else can take, until it is disposed.</summary>
internal sealed class ClosedPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ClosedPort() => _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    public int Number => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public string Address => $"127.0.0.1:{Number}";

    public void Dispose() => _socket.Dispose();
}
