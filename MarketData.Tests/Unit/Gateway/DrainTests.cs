using System.Net;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>A gateway that stops leaves its clients and its load balancer the time to go elsewhere.</summary>
public sealed class DrainTests
{
    [Fact]
    public async Task While_it_stops_health_is_bad_new_clients_are_sent_on_and_the_process_still_answers()
    {
        await using var gateway = await GatewayHost.StartAsync();
        // Keeps the gateway waiting for its part of the closing handshake.
        await using var asleep = await gateway.ConnectAsync();
        await using var awake = await gateway.ConnectAsync();
        asleep.Stall();
        Assert.Equal("Healthy", await gateway.HealthAsync("clients"));

        var stopping = gateway.StopAsync();
        Assert.Equal((1001, "The gateway is stopping: connect to another one, or later."), await awake.ClosedAsync());
        var refusal = await gateway.RefusalAsync();
        using var alive = await gateway.Http.GetAsync("/alive", TestContext.Current.CancellationToken);
        string? health = await gateway.HealthAsync("clients");
        asleep.Resume();
        await asleep.ClosedAsync();
        await stopping.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "The gateway is stopping: connect to another one, or later."), (refusal.Status, refusal.Error));
        Assert.True(refusal.RetryAfter > 0);
        Assert.Equal((HttpStatusCode.OK, "Unhealthy"), (alive.StatusCode, health));
    }
}
