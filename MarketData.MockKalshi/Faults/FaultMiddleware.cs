using MarketData.MockKalshi.Faults.Kinds;

namespace MarketData.MockKalshi.Faults;

/// <summary>Faults of HTTP requests, handshakes among them, before anything else sees the request.</summary>
internal static class FaultMiddleware
{
    public static void UseFaults(this IApplicationBuilder application)
    {
        var registry = application.ApplicationServices.GetRequiredService<FaultRegistry>();
        var timeProvider = application.ApplicationServices.GetRequiredService<TimeProvider>();
        application.Use(async (HttpContext context, RequestDelegate next) =>
        {
            StatusFault? refusal = null;
            foreach (var fault in registry.Active)
            {
                if (fault is not RequestFault request || !request.Concerns(context.Request)) continue;
                if (refusal is not null && fault is StatusFault) continue;
                if (!registry.TryFire(fault)) continue;
                if (fault is SlowRestFault slow) await Task.Delay(slow.Delay, timeProvider, context.RequestAborted);
                else refusal = (StatusFault)fault;
            }

            await (refusal is null ? next(context) : refusal.AnswerAsync(context));
        });
    }
}
