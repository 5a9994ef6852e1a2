using MarketData.MockKalshi.Authentication;
using MarketData.MockKalshi.Faults;

namespace MarketData.MockKalshi.Protocol;

/// <summary>What a session works with.</summary>
/// <param name="Outbound">Where its frames go.</param>
/// <param name="Faults">What goes wrong on its connection; null for a session without one.</param>
/// <param name="Metrics">Counts its frames.</param>
/// <param name="Options">The connection's limits.</param>
/// <param name="Time">The server's clock.</param>
internal sealed record SessionContext(
    OutboundQueue Outbound, ConnectionFaults? Faults, MockKalshiMetrics Metrics, ConnectionOptions Options, TimeProvider Time)
{
    /// <summary>Who is connected: the key id of the handshake's signature, <c>default</c> when none is needed, empty for nobody.</summary>
    public string Customer { get; init; } = RequestAuthenticator.DefaultCustomer;
}
