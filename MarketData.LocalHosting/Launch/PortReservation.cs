using System.Net;
using System.Net.Sockets;

namespace Aspire.Hosting;

/// <summary>A loopback port held from its choice until the process that is to listen on it starts.</summary>
internal sealed class PortReservation : IDisposable
{
    // Below the range from which operating systems take the ports of outgoing connections.
    private const int FirstFree = 20_000;
    private const int LastFree = 32_000;
    private const int Attempts = 200;
    private readonly List<Socket> _listeners = [];

    private PortReservation(int port) => Port = port;

    public int Port { get; }

    /// <summary>Holds a port; null if somebody listens on it.</summary>
    public static PortReservation? TryTake(int port)
    {
        var reservation = new PortReservation(port);
        try
        {
            // Listening, because a port that is only bound can be bound a second time.
            foreach (var address in Socket.OSSupportsIPv6 ? new[] { IPAddress.Loopback, IPAddress.IPv6Loopback } : [IPAddress.Loopback])
            {
                var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                reservation._listeners.Add(socket);
                socket.Bind(new IPEndPoint(address, port));
                socket.Listen();
            }
            return reservation;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            return reservation; // no IPv6 loopback on this machine: IPv4 is held
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            reservation.Dispose();
            return null;
        }
    }

    /// <summary>Holds a port on which nobody listens.</summary>
    public static PortReservation TakeFree()
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (TryTake(Random.Shared.Next(FirstFree, LastFree)) is { } reservation)
                return reservation;
        }
        throw new DistributedApplicationException($"No free port between {FirstFree} and {LastFree} in {Attempts} attempts.");
    }

    public void Dispose() => _listeners.ForEach(l => l.Dispose());
}
