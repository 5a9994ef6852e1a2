using MarketData.MockKalshi.Authentication;
using MarketData.MockKalshi.Dialects;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Faults;
using MarketData.MockKalshi.Protocol;
using MarketData.MockKalshi.Replay;
using MarketData.MockKalshi.Rest;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace MarketData.MockKalshi;

/// <summary>Builds the mock exchange from its command line and environment.</summary>
public static class MockKalshiApplication
{
    private static readonly Dictionary<string, string?> QuietRequests = new() { ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning" };

    /// <summary>A host that is ready to run; a recording is already loaded.</summary>
    /// <exception cref="StartupException">An argument, a setting or the recording is wrong.</exception>
    public static WebApplication Build(string[] args)
    {
        CommandLine.Check(args);
        args = CommandLine.Normalize(args);
        var builder = WebApplication.CreateSlimBuilder(args);
        // Below every other source: one log line for each REST call would drown the rest, but whoever wants them can have them.
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = QuietRequests });
        builder.Configuration.AddCommandLine(args, CommandLine.Switches);
        builder.AddServiceDefaults();
        builder.AddMockKalshi();

        var app = builder.Build();
        app.UseFaults();
        app.MapDefaultEndpoints();
        app.MapFaults();
        app.MapWebSocket();
        app.MapRest();
        app.MapTruth();
        // What is wrong with settings or recording ends the start here, before anything listens.
        Settings.Check(app.Services);
        app.Services.GetRequiredService<IExchange>();
        app.AddConfiguredFaults();
        return app;
    }

    private static void AddMockKalshi(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<MockKalshiMetrics>();
        services.AddSingleton<RequestAuthenticator>();
        services.AddSingleton<RateLimitFilter>();
        services.AddSingleton(provider => Dialect.Create(provider.GetRequiredService<IOptions<DialectOptions>>().Value.Dialect));
        services.AddOptions<SimulationOptions>().PostConfigure<Dialect>((simulation, dialect) => simulation.WholeUnits |= dialect.WholeUnits);
        services.AddSingleton<FaultRegistry>();
        services.AddHealthChecks().AddCheck<ExchangeHealthCheck>("exchange", timeout: TimeSpan.FromSeconds(2));

        if (string.IsNullOrEmpty(builder.Configuration["Replay:File"]))
        {
            services.AddSingleton<SimulatedExchange>();
            services.AddSingleton<IExchange>(provider => Hiding(provider, provider.GetRequiredService<SimulatedExchange>()));
            services.AddHostedService(provider => provider.GetRequiredService<SimulatedExchange>());
        }
        else
        {
            services.AddSingleton<IExchange>(provider => Hiding(provider, LoadRecording(provider)));
        }
    }

    private static HidingExchange Hiding(IServiceProvider services, IExchange exchange) =>
        new HidingExchange(exchange, services.GetRequiredService<FaultRegistry>());

    private static void AddConfiguredFaults(this WebApplication app)
    {
        var registry = app.Services.GetRequiredService<FaultRegistry>();
        foreach (var setting in app.Configuration.GetSection("Faults").GetChildren())
        {
            try
            {
                registry.Add(FaultCatalog.Create(setting.Value ?? ""));
            }
            catch (BadFaultException exception)
            {
                throw new StartupException($"{setting.Path} (--fault '{setting.Value}'): {exception.Message}", exception);
            }
        }
    }

    private static ReplayExchange LoadRecording(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<ReplayOptions>>().Value;
        var timeProvider = services.GetRequiredService<TimeProvider>();
        string dialect = services.GetRequiredService<IOptions<DialectOptions>>().Value.Dialect;
        if (!services.GetRequiredService<Dialect>().Plays)
            throw new StartupException($"Replay:File (--replay) needs another dialect than {dialect} (--dialect): no recording can be played in it.");

        RecordedFile[] files = [.. options.Files.Select(RecordingReader.Read)];
        foreach (var file in files) RecordedDialect.Check(file, dialect);
        return new ReplayExchange(Recording.Combine(files, options.Multiply, timeProvider), options, timeProvider);
    }
}
