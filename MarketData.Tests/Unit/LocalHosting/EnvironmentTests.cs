using Aspire.Hosting;
using Aspire.Hosting.Testing;

namespace MarketData.Tests.Unit.LocalHosting;

public sealed class EnvironmentTests
{
    [Fact]
    public async Task A_consumer_gets_connection_strings_their_parts_and_service_addresses()
    {
        await using var builder = DistributedApplicationTestingBuilder.Create("Parameters:redis-password=p+w");
        var kafka = builder.AddKafka("kafka");
        var redis = builder.AddRedis("redis");
        var exchange = builder.AddProject<Projects.MarketData_MockKalshi>("mock-kalshi", launchProfileName: null).WithHttpEndpoint(port: 9090, name: "http");
        builder.AddExecutable("consumer", "env", ".").WithReference(kafka).WithReference(redis).WithReference(redis, connectionName: "second-cache").WithReference(exchange);
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);

        await app.WaitForLineAsync("consumer", l => l.StartsWith("MOCK_KALSHI_HTTP=", StringComparison.Ordinal));
        var variables = Parse(await app.OutputAsync("consumer"));

        var kafkaAddress = await app.GetConnectionStringAsync("kafka", TestContext.Current.CancellationToken);
        Assert.Equal(kafkaAddress, variables["ConnectionStrings__kafka"]);
        Assert.Equal(kafkaAddress, $"{variables["KAFKA_HOST"]}:{variables["KAFKA_PORT"]}");
        Assert.Equal("localhost", variables["KAFKA_HOST"]);
        Assert.Equal($"localhost:{variables["REDIS_PORT"]},password=p+w", variables["ConnectionStrings__redis"]);
        Assert.Equal(variables["ConnectionStrings__redis"], variables["ConnectionStrings__second-cache"]);
        Assert.Equal("p+w", variables["REDIS_PASSWORD"]);
        Assert.Equal($"redis://:p%2Bw@localhost:{variables["REDIS_PORT"]}", variables["REDIS_URI"]);
        Assert.Equal(variables["REDIS_URI"], variables["SECOND_CACHE_URI"]);
        var exchangeAddress = app.GetEndpoint("mock-kalshi").ToString().TrimEnd('/');
        Assert.Equal(exchangeAddress, variables["services__mock-kalshi__http__0"]);
        Assert.Equal(exchangeAddress, variables["MOCK_KALSHI_HTTP"]);
    }

    [Fact]
    public async Task A_project_gets_its_own_address_and_telemetry_identity_and_nothing_of_the_AppHosts()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        await using var builder = DistributedApplicationTestingBuilder.Create();
        builder.AddProject<Projects.MarketData_MockKalshi>("exchange").WithHttpEndpoint(name: "http").WithEnvironment("Some__Option", "value");
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        await app.RunningAsync("exchange");

        // Between fork and exec the process still has ours.
        var variables = new Dictionary<string, string>();
        await Eventually.TrueAsync(() => (variables = Parse(File.ReadAllText($"/proc/{app.ProcessId("exchange")}/environ").Split('\0'))).ContainsKey("Some__Option"), Applications.StartTimeout, () => "the option");

        Assert.Equal(app.GetEndpoint("exchange").ToString().TrimEnd('/'), variables["ASPNETCORE_URLS"]);
        Assert.Equal("exchange", variables["OTEL_SERVICE_NAME"]);
        Assert.Contains("service.instance.id=exchange", variables["OTEL_RESOURCE_ATTRIBUTES"], StringComparison.Ordinal);
        Assert.Equal("in_memory", variables["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"]);
        Assert.Equal("value", variables["Some__Option"]);
        Assert.DoesNotContain("ASPNETCORE_ENVIRONMENT", variables);
        Assert.DoesNotContain("DOTNET_ENVIRONMENT", variables);
        Assert.DoesNotContain("DOTNET_LAUNCH_PROFILE", variables);
        Assert.Equal(Environment.GetEnvironmentVariable("PATH"), variables["PATH"]);
    }

    [Theory]
    [InlineData("Parameters:exchange-key=abc")]
    [InlineData("Parameters:exchange_key=abc")]
    public async Task A_consumer_gets_the_value_of_a_parameter(string argument)
    {
        await using var builder = DistributedApplicationTestingBuilder.Create(argument);
        builder.AddExecutable("consumer", "env", ".").WithEnvironment("KEY", builder.AddParameter("exchange-key", secret: true));
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);

        await app.WaitForLineAsync("consumer", line => line == "KEY=abc");
    }

    [Fact]
    public async Task A_parameter_without_a_value_ends_the_start_of_who_needs_it_and_says_how_to_set_it()
    {
        await using var builder = DistributedApplicationTestingBuilder.Create();
        builder.AddExecutable("consumer", "env", ".").WithEnvironment("KEY", builder.AddParameter("exchange-key", secret: true));
        await using var app = await builder.BuildAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);

        await app.WaitForLineAsync("consumer", line => line.Contains("dotnet user-secrets set Parameters:exchange-key VALUE", StringComparison.Ordinal));
    }

    private static Dictionary<string, string> Parse(IEnumerable<string> lines) =>
        lines.Select(l => l.Split('=', 2)).Where(p => p.Length == 2).DistinctBy(p => p[0]).ToDictionary(p => p[0], p => p[1]);
}
