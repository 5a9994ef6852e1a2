using System.Net;
using MarketData.Gateway.Clients;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway.Admission;

/// <summary>Decides, before anything is upgraded, who comes in. Thread-safe.</summary>
internal sealed partial class AdmissionGate(
    Authenticator authenticator,
    ConnectionSlots slots,
    ConnectedClients clients,
    IOptions<AdmissionOptions> options,
    IOptions<GatewayOptions> clientOptions,
    GatewayMetrics metrics,
    TimeProvider time,
    ILogger<AdmissionGate> logger)
{
    // Enough to recognize; the header may be as long as all headers together.
    private const int MaxShownOrigin = 200;
    private readonly HashSet<string> _origins = AdmissionRules.Origins(options.Value);

    /// <summary>Decides about a WebSocket client. The permit takes its place until it is disposed.</summary>
    public async ValueTask<Decision<ClientPermit>> AdmitClientAsync(HttpContext context)
    {
        if (clients.IsDraining) return Count(context, ConnectedClients.Stopping);
        if (RefusalOfOrigin(context.Request.Headers.Origin.ToString()) is { } foreign) return Count(context, foreign);
        var (caller, unknown) = await AdmitAsync(context);
        if (caller == null) return unknown!;
        var (slot, full) = slots.Take(context.Connection.RemoteIpAddress ?? IPAddress.None, caller);
        return slot == null ? Count(context, full!) : new ClientPermit(caller, slot, clientOptions.Value, time);
    }

    /// <summary>Decides about a request that ends with its answer.</summary>
    public async ValueTask<Decision<Caller>> AdmitAsync(HttpContext context)
    {
        var decision = await authenticator.AuthenticateAsync(context);
        if (decision.Refusal is { } refusal) Count(context, refusal);
        return decision;
    }

    private Refusal? RefusalOfOrigin(string origin)
    {
        if (_origins.Count == 0 || origin.Length == 0 || _origins.Contains(origin)) return null;
        var shown = origin.Length <= MaxShownOrigin ? origin : origin[..MaxShownOrigin] + "…";
        return new Refusal(RefusalReason.Origin, StatusCodes.Status403Forbidden, $"Pages of origin '{shown}' may not connect: Gateway:AllowedOrigins does not name it.");
    }

    private Refusal Count(HttpContext context, Refusal refusal)
    {
        metrics.Refused(refusal.Reason);
        LogRefused(context.Request.Path, context.Connection.RemoteIpAddress, refusal.Status, refusal.Error);
        return refusal;
    }

    // Debug: whoever is refused would otherwise fill the log.
    [LoggerMessage(41, LogLevel.Debug, "Refused {Path} to {Address} with {Status}: {Reason}")]
    private partial void LogRefused(PathString path, IPAddress? address, int status, string reason);
}
