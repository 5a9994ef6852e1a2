using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace MarketData.ServiceDefaults.Health;

/// <summary>Gives every registered check, whoever wrote it, a time after which the report goes on without it.</summary>
internal static class BoundedHealthChecks
{
    /// <summary>For a check that names none itself: shorter than the usual probe's patience, longer than one reconnect.</summary>
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    public static IHealthChecksBuilder AddBoundedHealthChecks(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<HealthCheckServiceOptions>, Bound>());
        return services.AddHealthChecks();
    }

    private sealed class Bound : IPostConfigureOptions<HealthCheckServiceOptions>
    {
        public void PostConfigure(string? name, HealthCheckServiceOptions options)
        {
            foreach (var registration in options.Registrations)
            {
                if (registration.Timeout == Timeout.InfiniteTimeSpan) registration.Timeout = DefaultTimeout;
                var create = registration.Factory;
                registration.Factory = services => new BoundedHealthCheck(() => create(services));
            }
        }
    }

    /// <summary>
    /// The registration's timeout only cancels a token. A check that ignores it, or blocks its thread, would hold the report up without end, so
    /// it is left behind.
    /// </summary>
    private sealed class BoundedHealthCheck(Func<IHealthCheck> create) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.Run(() => create().CheckHealthAsync(context, cancellationToken), CancellationToken.None).WaitAsync(cancellationToken);
    }
}
