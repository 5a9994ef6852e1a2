using MarketData.MockKalshi.Authentication;
using MarketData.MockKalshi.Dialects;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Protocol;
using MarketData.MockKalshi.Replay;
using MarketData.MockKalshi.Rest;
using Microsoft.Extensions.Options;

namespace MarketData.MockKalshi;

/// <summary>Binds and checks the exchange's option types.</summary>
internal static class Settings
{
    private const int MaxCallsPerSecond = 1_000_000;

    public static void AddSettings(this IServiceCollection services)
    {
        services.AddOptions<SimulationOptions>().BindConfiguration(SimulationOptions.Section)
            .Validate(options => options.Markets is >= 1 and <= 20_000, "Simulation:Markets (--markets) must be between 1 and 20,000.")
            .Validate(
                options => options.Rate is >= 0 and <= 100_000,
                "Simulation:Rate (--rate) must be between 0 and 100,000 book changes a second.")
            .Validate(options => options.Burst is >= 1 and <= 10_000, "Simulation:Burst (--burst) must be between 1 and 10,000.")
            .Validate(
                options => options.Start is null or { Year: >= 1970 and <= 2500 },
                "Simulation:Start must be a time between the years 1970 and 2500, such as 2026-11-25T12:00:00Z.")
            .Validate(
                options => options.ClockSpeed is >= 0.001 and <= 100_000,
                "Simulation:ClockSpeed (--clock-speed) must be between 0.001 and 100,000.")
            .Validate(
                options => Within(options.ShortMarketLife, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
                "Simulation:ShortMarketLife must be between 1 s and 1 day.");
        services.AddOptions<DialectOptions>().BindConfiguration(DialectOptions.Section)
            .Validate(
                options => Dialect.Names.Contains(options.Dialect),
                $"Protocol:Dialect (--dialect) must be one of {string.Join(", ", Dialect.Names)}.");
        services.AddOptions<ReplayOptions>().BindConfiguration(ReplayOptions.Section)
            .Validate(
                options => options.Speed is >= 0 and <= 1_000_000,
                "Replay:Speed (--speed) must be between 0 (unpaced) and 1,000,000.")
            .Validate(
                options => options.Multiply is >= 1 and <= 1000,
                "Replay:Multiply (--multiply) must be between 1 and 1,000 copies of each market.")
            .Validate(options => Enum.IsDefined(options.Seq), "Replay:Seq (--seq) must be renumbered or recorded.")
            .Validate(
                options => string.IsNullOrEmpty(options.File) || options.Files.Count is >= 1 and <= ReplayOptions.MaxFiles,
                $"Replay:File (--replay) must name 1 to {ReplayOptions.MaxFiles} recordings.");
        services.AddOptions<AuthenticationOptions>().BindConfiguration(AuthenticationOptions.Section)
            .Validate(
                options => !options.Enabled || Directory.Exists(options.KeysDirectory),
                "Authentication:KeysDirectory (--keys) must be a directory that exists; create-key makes one.")
            .Validate(
                options => Within(options.ClockSkew, TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(1)),
                "Authentication:ClockSkew must be between 100 ms and 1 day.");
        services.AddOptions<RateLimitOptions>().BindConfiguration(RateLimitOptions.Section)
            .Validate(
                options => options.ReadPerSecond is >= 0 and <= MaxCallsPerSecond && options.WritePerSecond is >= 0 and <= MaxCallsPerSecond,
                "RateLimit:ReadPerSecond and RateLimit:WritePerSecond must be between 0 (no limit) and 1,000,000.");
        services.AddOptions<ConnectionOptions>().BindConfiguration(ConnectionOptions.Section)
            .Validate(
                options => Within(options.PingInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1)),
                "Connection:PingInterval must be between 10 ms and 1 h.")
            .Validate(
                options => options.StreamBuffer is >= 1 and <= 10_000_000,
                "Connection:StreamBuffer must be between 1 and 10,000,000 frames.")
            .Validate(
                options => options.MaxMessageBytes is >= 1024 and <= 1 << 30,
                "Connection:MaxMessageBytes must be between 1,024 and 1,073,741,824.")
            .Validate(
                options => options.MaxMarketsPerSubscription is >= 1 and <= 10_000_000,
                "Connection:MaxMarketsPerSubscription must be between 1 and 10,000,000 markets.")
            .Validate(
                options => options.CommandsPerSecond is >= 1 and <= 10_000_000,
                "Connection:CommandsPerSecond must be between 1 and 10,000,000 commands.")
            .Validate(
                options => Within(options.CommandTimeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1)),
                "Connection:CommandTimeout must be between 1 ms and 1 h.")
            .Validate(
                options => Within(options.StallTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)),
                "Connection:StallTimeout must be between 100 ms and 1 h.")
            .Validate(
                options => Within(options.CloseTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1)),
                "Connection:CloseTimeout must be between 100 ms and 1 min.");
    }

    /// <summary>Reads every section, so that a wrong value ends the start before anything listens.</summary>
    /// <exception cref="StartupException">A value has the wrong form or is out of range.</exception>
    public static void Check(IServiceProvider services)
    {
        try
        {
            _ = services.GetRequiredService<IOptions<SimulationOptions>>().Value;
            _ = services.GetRequiredService<IOptions<DialectOptions>>().Value;
            _ = services.GetRequiredService<IOptions<ReplayOptions>>().Value;
            _ = services.GetRequiredService<IOptions<AuthenticationOptions>>().Value;
            _ = services.GetRequiredService<IOptions<RateLimitOptions>>().Value;
            _ = services.GetRequiredService<IOptions<ConnectionOptions>>().Value;
        }
        catch (OptionsValidationException exception)
        {
            throw new StartupException(string.Join(" ", exception.Failures), exception);
        }
        catch (InvalidOperationException exception)
        {
            // The binder's message names the key, the value and the type it should have had.
            throw new StartupException(exception.Message, exception);
        }
    }

    private static bool Within(TimeSpan value, TimeSpan least, TimeSpan most) => value >= least && value <= most;
}
