using System.Diagnostics;

namespace MarketData.Tests.Unit.LocalHosting;

public sealed class AppHostProcessTests
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task After_kill_9_of_the_AppHost_no_process_and_no_temporary_file_is_left()
    {
        await using var appHost = new AppHostProcess([]);
        await appHost.StartedAsync();
        var children = appHost.ProcessIds.Values.ToArray();
        Assert.All(children, id => Assert.True(Processes.IsRunning(id)));

        appHost.Kill();

        await Processes.AllEndAsync(children, StopTimeout);
        await Eventually.TrueAsync(() => !appHost.SessionDirectories.Any(), StopTimeout, () => "removal of the session directory");
    }

    [Fact]
    public async Task The_AppHost_after_a_killed_one_waits_until_its_processes_have_let_go_of_the_data()
    {
        await using var killed = new AppHostProcess([]);
        await killed.StartedAsync();
        var children = killed.ProcessIds.Values.ToArray();
        killed.Kill();

        await using var next = new AppHostProcess([], predecessor: killed);
        await next.StartedAsync();

        Assert.DoesNotContain(children, Processes.IsRunning);
    }

    [Fact]
    public async Task Only_one_AppHost_at_a_time_has_the_data()
    {
        await using var first = new AppHostProcess([]);
        await first.StartedAsync();

        await using var second = new AppHostProcess([], predecessor: first);

        Assert.Equal(1, await second.ExitCodeAsync(StopTimeout));
        Assert.Contains("Another AppHost is using the data", second.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_stops_everything_and_leaves_nothing_behind()
    {
        await using var appHost = new AppHostProcess([]);
        await appHost.StartedAsync();
        var children = appHost.ProcessIds.Values.ToArray();

        appHost.Interrupt();

        Assert.Equal(0, await appHost.ExitCodeAsync(StopTimeout));
        Assert.DoesNotContain(children, Processes.IsRunning);
        Assert.Empty(appHost.SessionDirectories);
    }

    [Fact]
    public async Task A_resource_that_dies_ends_the_AppHost_with_one_error_and_exit_code_1()
    {
        await using var appHost = new AppHostProcess([]);
        await appHost.StartedAsync();

        using (var redis = Process.GetProcessById(appHost.ProcessIds["redis"]))
            redis.Kill();

        Assert.Equal(1, await appHost.ExitCodeAsync(StopTimeout));
        Assert.Contains("error: resource 'redis' ended with exit code 137", appHost.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_Redis_server_the_error_says_what_to_install()
    {
        await using var appHost = new AppHostProcess([], environment => environment["PATH"] = "/nowhere");

        Assert.Equal(1, await appHost.ExitCodeAsync(StopTimeout));
        Assert.Contains("apt-get install redis-server", appHost.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publishing_ends_with_exit_code_1_and_says_that_it_needs_Aspire()
    {
        await using var appHost = new AppHostProcess(["--operation", "publish", "--step", "publish"]);

        Assert.Equal(1, await appHost.ExitCodeAsync(StopTimeout));
        Assert.Contains("UseAspire=true", appHost.Output, StringComparison.Ordinal);
    }
}
