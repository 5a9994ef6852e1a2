using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;

namespace MarketData.Tests.Unit.ServiceDefaults;

public sealed class HttpClientTests
{
    [Fact]
    public async Task A_service_name_is_resolved_from_the_services_section()
    {
        await using var server = await ServiceHost.StartAsync(
            ServiceHost.CreateBuilder(), app => app.MapGet("/markets", () => "the markets"));
        await using var host = await ServiceHost.StartAsync(CreateBuilder(server));

        using var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient();

        Assert.Equal("the markets", await client.GetStringAsync("http://mock-kalshi/markets", TestContext.Current.CancellationToken));
        Assert.Equal("the markets", await client.GetStringAsync("https+http://mock-kalshi/markets", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_failed_read_is_tried_again_and_a_failed_write_is_not()
    {
        var tries = new ConcurrentDictionary<string, int>();
        await using var server = await ServiceHost.StartAsync(ServiceHost.CreateBuilder(), app => app.Map("/markets", (HttpRequest request) =>
            tries.AddOrUpdate(request.Method, 1, (_, count) => count + 1) < 3 ? Results.StatusCode(503) : Results.Ok()));
        var builder = CreateBuilder(server);
        builder.Services.ConfigureAll<HttpStandardResilienceOptions>(options => options.Retry.Delay = TimeSpan.FromMilliseconds(1));
        await using var host = await ServiceHost.StartAsync(builder);
        using var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient();

        using var read = await client.GetAsync("http://mock-kalshi/markets", TestContext.Current.CancellationToken);
        using var write = await client.PostAsync("http://mock-kalshi/markets", null, TestContext.Current.CancellationToken);

        Assert.Equal((200, 3), ((int)read.StatusCode, tries["GET"]));
        Assert.Equal((503, 1), ((int)write.StatusCode, tries["POST"]));
    }

    private static WebApplicationBuilder CreateBuilder(ServiceHost server) => ServiceHost.CreateBuilder(new()
    {
        ["services:mock-kalshi:http:0"] = server.Client.BaseAddress!.ToString(),
    });
}
