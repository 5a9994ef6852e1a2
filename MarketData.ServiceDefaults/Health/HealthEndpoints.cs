namespace MarketData.ServiceDefaults.Health;

/// <summary>Paths of the probes.</summary>
internal static class HealthEndpoints
{
    public const string Health = "/health";
    public const string Alive = "/alive";
}
