using System.Threading.RateLimiting;
using MarketData.MockKalshi.Authentication;
using Microsoft.Extensions.Options;

namespace MarketData.MockKalshi.Rest;

/// <summary>
/// A token bucket of one second's calls for each key and kind of call. An empty one is answered as the exchange does: 429 without a hint
/// when to come back, and without a penalty (protocol reference, section 3).
/// </summary>
internal sealed class RateLimitFilter : IEndpointFilter, IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly PartitionedRateLimiter<HttpContext> _limiter;

    public RateLimitFilter(IOptions<RateLimitOptions> options)
    {
        var limits = options.Value;
        _limiter = PartitionedRateLimiter.Create<HttpContext, (bool IsRead, string Key)>(context =>
        {
            bool isRead = HttpMethods.IsGet(context.Request.Method);
            int perSecond = isRead ? limits.ReadPerSecond : limits.WritePerSecond;
            var partition = (isRead, context.Request.Headers[RequestAuthenticator.KeyHeader].ToString());
            return perSecond == 0
                ? RateLimitPartition.GetNoLimiter(partition)
                : RateLimitPartition.GetTokenBucketLimiter(
                    partition,
                    _ => new TokenBucketRateLimiterOptions { TokenLimit = perSecond, TokensPerPeriod = perSecond, ReplenishmentPeriod = Period });
        });
    }

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        using var lease = _limiter.AttemptAcquire(context.HttpContext);
        if (lease.IsAcquired) return await next(context);
        await RestError.WriteTooManyRequestsAsync(context.HttpContext);
        return Results.Empty;
    }

    public void Dispose() => _limiter.Dispose();
}
