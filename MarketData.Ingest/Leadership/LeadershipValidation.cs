using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Leadership;

/// <summary>Checks what concerns two settings.</summary>
public sealed class LeadershipValidation : IValidateOptions<LeadershipOptions>
{
    public ValidateOptionsResult Validate(string? name, LeadershipOptions options) => options.HeartbeatMs * 4 <= options.LeaseMs
        ? ValidateOptionsResult.Success
        : ValidateOptionsResult.Fail(
            $"Leadership:HeartbeatMs must be at most a quarter of Leadership:LeaseMs ({options.LeaseMs}), but is {options.HeartbeatMs}: a sign that is late once must not end a lease.");
}
