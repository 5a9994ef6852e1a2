using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Protocol;
using MarketData.MockKalshi.Replay;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace MarketData.MockKalshi;

/// <summary>Builds the mock exchange from its command line and environment.</summary>
public static class MockKalshiApplication
{
    /// <summary>Short names of the settings that are set most.</summary>
    private static readonly Dictionary<string, string> Switches = new(StringComparer.OrdinalIgnoreCase)
    {
        ["--replay"] = "Replay:File",
        ["--speed"] = "Replay:Speed",
        ["--markets"] = "Simulation:Markets",
        ["--rate"] = "Simulation:Rate",
        ["--seed"] = "Simulation:Seed",
    };

    /// <summary>A host that is ready to run; a recording is already loaded.</summary>
    /// <exception cref="OptionsValidationException">A setting is out of range; the message names its key.</exception>
    /// <exception cref="RecordingException">The recording cannot be read; the message names file and line.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.Configuration.AddCommandLine(args, Switches);
        builder.AddServiceDefaults();
        builder.AddMockKalshi();

        var app = builder.Build();
        app.MapDefaultEndpoints();
        app.MapWebSocket();
        app.MapRest();
        // A wrong setting or recording ends the start here, before anything listens.
        app.Services.GetRequiredService<IExchange>();
        return app;
    }

    private static void AddMockKalshi(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<ConnectionOptions>().BindConfiguration(ConnectionOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<SimulationOptions>().BindConfiguration(SimulationOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<ReplayOptions>().BindConfiguration(ReplayOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<MockKalshiMetrics>();

        if (string.IsNullOrEmpty(builder.Configuration["Replay:File"]))
        {
            services.AddSingleton<SimulatedExchange>();
            services.AddSingleton<IExchange>(provider => provider.GetRequiredService<SimulatedExchange>());
            services.AddHostedService(provider => provider.GetRequiredService<SimulatedExchange>());
        }
        else
        {
            services.AddSingleton(LoadRecording);
        }
    }

    private static IExchange LoadRecording(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<ReplayOptions>>().Value;
        var timeProvider = services.GetRequiredService<TimeProvider>();
        return new ReplayExchange(RecordingReader.Read(options.File!, timeProvider), options.Speed, timeProvider);
    }
}
