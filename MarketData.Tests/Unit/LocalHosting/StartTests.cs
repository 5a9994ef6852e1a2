using System.Net;
using System.Net.Sockets;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;

namespace MarketData.Tests.Unit.LocalHosting;

public sealed class StartTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    [Fact]
    public async Task A_resource_starts_when_what_it_waits_for_is_healthy()
    {
        await using var builder = DistributedApplicationTestingBuilder.Create();
        var redis = builder.AddRedis("redis");
        builder.AddExecutable("consumer", "sh", ".", "-c", "REDISCLI_AUTH=$REDIS_PASSWORD redis-cli -p $REDIS_PORT ping").WithReference(redis).WaitFor(redis);
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);

        await app.WaitForLineAsync("consumer", l => l == "PONG");
    }

    [Fact]
    public async Task A_resource_does_not_start_while_what_it_waits_for_is_not_healthy_and_the_wait_says_why()
    {
        await using var builder = DistributedApplicationTestingBuilder.Create();
        var mute = builder.AddExecutable("mute", "sh", ".", "-c", "echo here I am; exec sleep 600").WithHttpEndpoint(name: "http").WithHttpHealthCheck("/health");
        builder.AddExecutable("consumer", "sleep", ".", "600").WaitFor(mute);
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        await app.WaitForLineAsync("mute", l => l == "here I am");

        // The first check may take longer than one wait.
        var gaveUp = "";
        await Eventually.TrueAsync(
            async () =>
            {
                using var limit = new CancellationTokenSource(Patience);
                gaveUp = (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => app.ResourceNotifications.WaitForResourceHealthyAsync("mute", limit.Token))).Message;
                return gaveUp.Contains("refused", StringComparison.Ordinal);
            },
            () => $"the reason in: {gaveUp}");

        Assert.Contains("mute_http_/health_200_check", gaveUp, StringComparison.Ordinal);
        Assert.Contains("here I am", gaveUp, StringComparison.Ordinal);
        Assert.True(app.ResourceNotifications.TryGetCurrentState("consumer", out var consumer));
        Assert.Equal(KnownResourceStates.Waiting, consumer.Snapshot.State?.Text);
    }

    [Fact]
    public async Task A_wait_for_a_process_that_dies_fails_with_its_exit_code_and_last_lines()
    {
        await using var builder = DistributedApplicationTestingBuilder.Create();
        var dying = builder.AddExecutable("dying", "sh", ".", "-c", "echo the reason >&2; exit 3").WithHttpEndpoint(name: "http").WithHttpHealthCheck();
        builder.AddExecutable("consumer", "sleep", ".", "600").WaitFor(dying);
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<DistributedApplicationException>(() => app.HealthyAsync("dying"));
        var dependent = await Assert.ThrowsAsync<DistributedApplicationException>(() => app.HealthyAsync("consumer"));

        Assert.Contains("exit code 3", failure.Message, StringComparison.Ordinal);
        Assert.Contains("the reason", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'dying'", dependent.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_port_is_said_before_anything_starts()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var builder = DistributedApplicationTestingBuilder.Create("DcpPublisher:RandomizePorts=false");
        builder.AddExecutable("web", "sleep", ".", "600").WithHttpEndpoint(port: port, name: "http");
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<DistributedApplicationException>(() => app.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains($"Port {port}", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'web'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_executable_is_said_before_anything_starts()
    {
        await using var builder = DistributedApplicationTestingBuilder.Create();
        builder.AddExecutable("absent", "no-such-program", ".");
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<DistributedApplicationException>(() => app.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains("'no-such-program'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'absent'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resources_that_wait_for_each_other_are_an_error()
    {
        await using var builder = DistributedApplicationTestingBuilder.Create();
        var first = builder.AddExecutable("first", "sleep", ".", "600");
        var second = builder.AddExecutable("second", "sleep", ".", "600").WaitFor(first);
        first.WaitFor(second);
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<DistributedApplicationException>(() => app.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains("first, second", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replicas_cannot_share_a_fixed_target_port()
    {
        await using var builder = DistributedApplicationTestingBuilder.Create();
        builder.AddProject<Projects.MarketData_MockKalshi>("web").WithHttpEndpoint(targetPort: 5000, name: "http").WithReplicas(2);
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<DistributedApplicationException>(() => app.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains("target port", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--operation", "publish")]
    [InlineData("--publisher", "manifest")]
    public async Task Publishing_is_refused_with_the_way_to_do_it(params string[] args)
    {
        await using var builder = DistributedApplicationTestingBuilder.Create(args);
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);

        var refusal = await Assert.ThrowsAsync<DistributedApplicationException>(() => app.StartAsync(TestContext.Current.CancellationToken));

        Assert.True(builder.ExecutionContext.IsPublishMode);
        Assert.Contains("UseAspire=true", refusal.Message, StringComparison.Ordinal);
    }
}
