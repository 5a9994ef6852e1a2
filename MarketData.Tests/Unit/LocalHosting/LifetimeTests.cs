using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;

namespace MarketData.Tests.Unit.LocalHosting;

public sealed class LifetimeTests
{
    [Fact]
    public async Task Stopping_ends_processes_that_ignore_SIGTERM_and_what_they_started()
    {
        await using var builder = DistributedApplicationTestingBuilder.Create();
        var stubborn = builder.AddExecutable("stubborn", "sh", ".", "-c", "trap '' TERM; sleep 600 & echo child $!; wait");
        // The time to stop is shared by the stages, so a longer chain makes a shorter test.
        var second = builder.AddExecutable("second", "sleep", ".", "600").WaitFor(stubborn);
        var third = builder.AddExecutable("third", "sleep", ".", "600").WaitFor(second);
        builder.AddExecutable("fourth", "sleep", ".", "600").WaitFor(third);
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        await app.RunningAsync("fourth");
        var grandchild = int.Parse((await app.WaitForLineAsync("stubborn", l => l.StartsWith("child ", StringComparison.Ordinal)))[6..], CultureInfo.InvariantCulture);
        int[] all = [grandchild, .. new[] { "stubborn", "second", "third", "fourth" }.Select(app.ProcessId)];

        await app.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

        await Processes.AllEndAsync(all, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Dependents_stop_before_what_they_depend_on()
    {
        var order = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.txt");
        string[] Script(string name) => ["-c", $"trap 'echo {name} >> {order}; exit 0' TERM; echo up; while :; do sleep 0.05; done"];
        await using var builder = DistributedApplicationTestingBuilder.Create();
        var broker = builder.AddExecutable("broker", "sh", ".", Script("broker"));
        var ingest = builder.AddExecutable("ingest", "sh", ".", Script("ingest")).WaitFor(broker);
        builder.AddExecutable("reader", "sh", ".", Script("reader")).WaitFor(ingest);
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        foreach (var name in new[] { "broker", "ingest", "reader" })
            await app.WaitForLineAsync(name, l => l == "up");
        try
        {
            await app.StopAsync(TestContext.Current.CancellationToken);

            Assert.Equal(["reader", "ingest", "broker"], await File.ReadAllLinesAsync(order, TestContext.Current.CancellationToken));
        }
        finally
        {
            File.Delete(order);
        }
    }

    [Fact]
    public async Task A_resource_can_be_stopped_started_and_restarted_on_the_same_port()
    {
        await using var builder = DistributedApplicationTestingBuilder.Create();
        builder.AddRedis("redis").WithDataVolume("kept");
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        await app.HealthyAsync("redis");
        var (first, address) = (app.ProcessId("redis"), await app.GetConnectionStringAsync("redis", TestContext.Current.CancellationToken));

        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("redis", KnownResourceCommands.StopCommand, TestContext.Current.CancellationToken)).Success);
        await app.ResourceNotifications.WaitForResourceAsync("redis", KnownResourceStates.Exited, TestContext.Current.CancellationToken);
        Assert.False(Processes.IsRunning(first));
        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("redis", KnownResourceCommands.StartCommand, TestContext.Current.CancellationToken)).Success);
        await app.HealthyAsync("redis");
        var second = app.ProcessId("redis");
        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("redis", KnownResourceCommands.RestartCommand, TestContext.Current.CancellationToken)).Success);
        await app.HealthyAsync("redis");

        Assert.Distinct([first, second, app.ProcessId("redis")]);
        Assert.Equal(address, await app.GetConnectionStringAsync("redis", TestContext.Current.CancellationToken));
        Assert.False((await app.ResourceCommands.ExecuteCommandAsync("absent", KnownResourceCommands.StartCommand, TestContext.Current.CancellationToken)).Success);
        Assert.False((await app.ResourceCommands.ExecuteCommandAsync("redis", "resource-paint", TestContext.Current.CancellationToken)).Success);
    }

    [Fact]
    public async Task A_killed_resource_can_be_started_again()
    {
        await using var builder = DistributedApplicationTestingBuilder.Create();
        builder.AddRedis("redis");
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        await app.HealthyAsync("redis");

        using (var redis = Process.GetProcessById(app.ProcessId("redis")))
            redis.Kill();
        await app.ResourceNotifications.WaitForResourceAsync("redis", KnownResourceStates.Finished, TestContext.Current.CancellationToken);
        await app.ResourceCommands.ExecuteCommandAsync("redis", KnownResourceCommands.StartCommand, TestContext.Current.CancellationToken);

        await app.HealthyAsync("redis");
    }
}
