using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MarketData.MockKalshi.Exchange;

/// <summary>Healthy when the exchange answers a query within the check's timeout: its loop runs.</summary>
internal sealed class ExchangeHealthCheck(IExchange exchange) : IHealthCheck
{
    private static readonly MarketFilter AnyMarket = new();

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var markets = await exchange.ListMarketsAsync(AnyMarket, after: null, limit: 1, cancellationToken);
        return markets.Count > 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("the exchange lists no market");
    }
}
