using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MarketData.Tests.Unit.ServiceDefaults;

public sealed class HealthEndpointTests
{
    [Theory]
    [InlineData("Development")]
    [InlineData("Production")]
    public async Task Health_lists_every_check_in_every_environment(string environment)
    {
        var builder = ServiceHost.CreateBuilder(environment: environment);
        builder.Services.AddHealthChecks()
            .AddCheck("upstream", () => HealthCheckResult.Healthy("connected"))
            .AddCheck("relay", () => HealthCheckResult.Degraded("two seconds behind"));
        await using var host = await ServiceHost.StartAsync(builder);

        var report = await host.GetAsync("/health");

        Assert.Equal(200, report.StatusCode);
        Assert.Equal("application/json", report.MediaType);
        Assert.True(report.NoStore);
        Assert.Equal(["status", "durationMs", "checks"], report.Json.EnumerateObject().Select(property => property.Name));
        Assert.Equal("Degraded", report.Json.GetProperty("status").GetString());
        Assert.True(report.Json.GetProperty("durationMs").GetDouble() >= 0);
        Assert.Equal(
            [("self", "Healthy", null), ("upstream", "Healthy", "connected"), ("relay", "Degraded", "two seconds behind")],
            report.Json.GetProperty("checks").EnumerateArray().Select(check =>
                (check.GetProperty("name").GetString(), check.GetProperty("status").GetString(), check.GetProperty("reason").GetString())));
        Assert.All(report.Json.GetProperty("checks").EnumerateArray(), check =>
            Assert.Equal(JsonValueKind.Number, check.GetProperty("durationMs").ValueKind));
    }

    [Fact]
    public async Task An_unhealthy_check_answers_503_on_health_and_leaves_alive_alone()
    {
        var builder = ServiceHost.CreateBuilder();
        builder.Services.AddHealthChecks().AddCheck("upstream", () => HealthCheckResult.Unhealthy("no route to the exchange"));
        await using var host = await ServiceHost.StartAsync(builder);

        var health = await host.GetAsync("/health");
        var alive = await host.GetAsync("/alive");

        Assert.Equal((503, "Unhealthy"), (health.StatusCode, health.Json.GetProperty("status").GetString()));
        Assert.Equal("no route to the exchange", health.Reason("upstream"));
        Assert.Equal((200, "Healthy"), (alive.StatusCode, alive.Json.GetProperty("status").GetString()));
        Assert.Equal(["self"], alive.Json.GetProperty("checks").EnumerateArray().Select(check => check.GetProperty("name").GetString()));
        Assert.True(alive.NoStore);
    }

    [Theory]
    [InlineData("cannot connect with 127.0.0.1:6379,password=hunter2,ssl=true")]
    [InlineData("cannot connect with Password = hunter2")]
    [InlineData("cannot connect to redis://:hunter2@127.0.0.1:6379")]
    [InlineData("WRONGPASS hunter2 was refused")]
    public async Task A_password_in_an_exception_is_not_told(string message)
    {
        var builder = ServiceHost.CreateBuilder(new() { ["ConnectionStrings:redis"] = "127.0.0.1:6379,password=hunter2" });
        builder.Services.AddHealthChecks()
            .AddCheck("throws", () => throw new InvalidOperationException(message))
            .AddCheck("describes", () => HealthCheckResult.Unhealthy(message));
        await using var host = await ServiceHost.StartAsync(builder);

        var report = await host.GetAsync("/health");

        Assert.Equal(503, report.StatusCode);
        Assert.DoesNotContain("hunter2", report.Body, StringComparison.Ordinal);
        Assert.Contains("***", report.Reason("throws"), StringComparison.Ordinal);
        Assert.Equal(report.Reason("throws"), report.Reason("describes"));
    }

    [Fact]
    public async Task A_check_that_blocks_its_thread_is_left_behind_after_its_timeout()
    {
        using var release = new ManualResetEventSlim();
        var builder = ServiceHost.CreateBuilder();
        builder.Services.AddHealthChecks()
            .AddCheck("stuck", () => Block(release), timeout: TimeSpan.FromMilliseconds(100))
            .AddCheck("quick", () => HealthCheckResult.Healthy());
        await using var host = await ServiceHost.StartAsync(builder);

        var report = await host.GetAsync("/health");
        release.Set();

        Assert.Equal(("Unhealthy", "Healthy"), (report.Status("stuck"), report.Status("quick")));
        Assert.Contains("timeout", report.Reason("stuck"), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_check_without_a_timeout_of_its_own_gets_one_of_five_seconds()
    {
        var builder = ServiceHost.CreateBuilder();
        builder.Services.AddHealthChecks().AddCheck("mine", () => HealthCheckResult.Healthy());
        await using var host = await ServiceHost.StartAsync(builder);

        var options = host.Services.GetRequiredService<Microsoft.Extensions.Options.IOptions<HealthCheckServiceOptions>>().Value;

        Assert.All(options.Registrations, check => Assert.Equal(TimeSpan.FromSeconds(5), check.Timeout));
    }

    private static HealthCheckResult Block(ManualResetEventSlim release)
    {
        Assert.True(release.Wait(TimeSpan.FromSeconds(20)));
        return HealthCheckResult.Healthy();
    }
}
