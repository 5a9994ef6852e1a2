using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MarketData.Tests.Unit.ServiceDefaults;

/// <summary>A service with the defaults on a real Kestrel and a free port.</summary>
internal sealed class ServiceHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ServiceHost(WebApplication app)
    {
        _app = app;
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()), Timeout = TimeSpan.FromSeconds(20) };
    }

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>A builder with the given settings and the service defaults, without logging to the console.</summary>
    public static WebApplicationBuilder CreateBuilder(
        Dictionary<string, string?>? settings = null, string environment = "Production", string? applicationName = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = environment, ApplicationName = applicationName });
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        return builder.AddServiceDefaults();
    }

    public static async Task<ServiceHost> StartAsync(WebApplicationBuilder builder, Action<WebApplication>? configure = null)
    {
        var app = builder.Build();
        app.MapDefaultEndpoints();
        configure?.Invoke(app);
        try
        {
            await app.StartAsync(TestContext.Current.CancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        return new ServiceHost(app);
    }

    /// <summary>The report at <paramref name="path"/>, with the response it came in.</summary>
    public async Task<Report> GetAsync(string path)
    {
        using var response = await Client.GetAsync(path, TestContext.Current.CancellationToken);
        return new Report(
            (int)response.StatusCode,
            response.Headers.CacheControl?.NoStore ?? false,
            response.Content.Headers.ContentType?.MediaType,
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Asks <c>/health</c> until the check has the status, and fails with the last report when it does not get it.</summary>
    public async Task<Report> WaitForAsync(string check, string status)
    {
        var deadline = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var report = await GetAsync("/health");
            if (report.Status(check) == status) return report;
            Assert.True(TimeProvider.System.GetElapsedTime(deadline) < TimeSpan.FromMinutes(1), $"{check} did not become {status}: {report.Body}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    public Task StopAsync() => _app.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        // Disposing alone would take its clients from under a service's hands.
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    internal sealed record Report(int StatusCode, bool NoStore, string? MediaType, string Body)
    {
        public JsonElement Json => JsonDocument.Parse(Body).RootElement;

        public string? Status(string check) => Check(check).GetProperty("status").GetString();

        public string? Reason(string check) => Check(check).GetProperty("reason").GetString();

        private JsonElement Check(string name) =>
            Json.GetProperty("checks").EnumerateArray().Single(check => check.GetProperty("name").GetString() == name);
    }
}
