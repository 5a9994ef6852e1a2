using Confluent.Kafka;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace MarketData.Tests.Unit.ServiceDefaults;

public sealed class DependencyHealthTests
{
    private const string Password = "correct-horse-battery-staple";

    [Fact]
    public async Task A_service_starts_with_Kafka_and_Redis_down_and_says_why_it_is_unhealthy()
    {
        using ClosedPort kafka = new(), redis = new();
        await using var host = await ServiceHost.StartAsync(WithRedis(WithKafka(CreateBuilder(kafka.Address, redis.Address))));

        var alive = await host.GetAsync("/alive");
        var health = await host.WaitForAsync("redis", "Unhealthy");

        Assert.Equal(200, alive.StatusCode);
        Assert.Equal(503, health.StatusCode);
        Assert.Equal("Unhealthy", health.Status("kafka"));
        Assert.Contains(kafka.Address, health.Reason("kafka"), StringComparison.Ordinal);
        Assert.Contains("Connection refused", health.Reason("kafka"), StringComparison.Ordinal);
        Assert.DoesNotContain(Password, health.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redis_becomes_healthy_when_it_appears_and_unhealthy_when_it_goes()
    {
        var redis = new ClosedPort();
        await using var host = await ServiceHost.StartAsync(WithRedis(CreateBuilder(redis: redis.Address)));
        var port = redis.Number;
        var down = await WaitForReasonAsync(host, $"127.0.0.1:{port}: Connection refused");

        redis.Dispose();
        ServiceHost.Report up;
        await using (new RedisServer(port, Password)) up = await host.WaitForAsync("redis", "Healthy");
        var gone = await host.WaitForAsync("redis", "Unhealthy");

        Assert.Contains($"127.0.0.1:{port} answered PING", up.Reason("redis"), StringComparison.Ordinal);
        Assert.All([down, up, gone], report => Assert.DoesNotContain(Password, report.Body, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wrong_Redis_password_is_suspected_and_not_told()
    {
        var redis = new ClosedPort();
        var port = redis.Number;
        redis.Dispose();
        await using var server = new RedisServer(port, "another");
        await using var host = await ServiceHost.StartAsync(WithRedis(CreateBuilder(redis: $"127.0.0.1:{port}")));

        var report = await WaitForReasonAsync(host, "the password or the ssl setting is wrong");

        Assert.Equal(503, report.StatusCode);
        Assert.DoesNotContain(Password, report.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kafka_is_healthy_while_the_cluster_answers()
    {
        // librdkafka's mock cluster: real brokers on real ports, in this process.
        var config = new ProducerConfig { BootstrapServers = "unused" };
        config.Set("test.mock.num.brokers", "2");
        var cluster = new ProducerBuilder<Null, Null>(config).SetLogHandler((_, _) => { }).Build();
        string bootstrap;
        using (var admin = new DependentAdminClientBuilder(cluster.Handle).Build())
        {
            bootstrap = string.Join(',', admin.GetMetadata(TimeSpan.FromSeconds(10)).Brokers.Select(broker => $"{broker.Host}:{broker.Port}"));
        }

        await using var host = await ServiceHost.StartAsync(WithKafka(CreateBuilder(bootstrap)));
        var up = await host.WaitForAsync("kafka", "Healthy");
        cluster.Dispose();
        var down = await host.WaitForAsync("kafka", "Unhealthy");

        Assert.Equal($"2 broker(s) behind {bootstrap}", up.Reason("kafka"));
        Assert.Contains($"no metadata from {bootstrap}", down.Reason("kafka"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_connection_strings_stop_the_start_with_their_names_and_an_example()
    {
        var builder = ServiceHost.CreateBuilder(new() { ["ConnectionStrings:redis"] = " " });
        var error = await Assert.ThrowsAsync<AggregateException>(() => ServiceHost.StartAsync(WithRedis(WithKafka(builder))));

        Assert.Equal(
            [
                "ConnectionStrings:kafka is not set. Set it in the configuration or in the environment, for example ConnectionStrings__kafka=127.0.0.1:9092",
                "ConnectionStrings:redis is not set. Set it in the configuration or in the environment, for example ConnectionStrings__redis=127.0.0.1:6379,password=…",
            ],
            error.InnerExceptions.Cast<OptionsValidationException>().Select(inner => inner.Message));
    }

    private static WebApplicationBuilder WithKafka(WebApplicationBuilder builder)
    {
        builder.AddKafkaProducer<string, byte[]>("kafka", configureSettings: settings => settings.DisableHealthChecks = true);
        builder.AddKafkaHealthCheck("kafka");
        return builder;
    }

    private static WebApplicationBuilder WithRedis(WebApplicationBuilder builder)
    {
        builder.AddRedisClient("redis", settings => settings.DisableHealthChecks = true);
        builder.AddRedisHealthCheck("redis");
        return builder;
    }

    private static WebApplicationBuilder CreateBuilder(string? kafka = null, string? redis = null)
    {
        var settings = new Dictionary<string, string?>();
        if (kafka is not null) settings["ConnectionStrings:kafka"] = kafka;
        if (redis is not null) settings["ConnectionStrings:redis"] = $"{redis},password={Password}";
        return ServiceHost.CreateBuilder(settings);
    }

    private static async Task<ServiceHost.Report> WaitForReasonAsync(ServiceHost host, string text)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var report = await host.GetAsync("/health");
            if (report.Reason("redis")!.Contains(text, StringComparison.Ordinal)) return report;
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromMinutes(1), report.Body);
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
