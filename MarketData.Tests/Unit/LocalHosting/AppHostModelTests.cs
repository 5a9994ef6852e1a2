using System.Reflection;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;

namespace MarketData.Tests.Unit.LocalHosting;

public sealed class AppHostModelTests
{
    [Fact]
    public async Task The_AppHost_declares_five_resources_and_what_waits_for_what()
    {
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.MarketData_AppHost>(TestContext.Current.CancellationToken);

        string[] WaitsOf(string name) => [.. builder.Resources.Single(r => r.Name == name).Annotations.OfType<WaitAnnotation>().Select(w => w.Resource.Name)];
        Assert.Equal(["kafka", "redis", "mock-kalshi", "ingest", "gateway"], builder.Resources.Select(r => r.Name));
        Assert.Equal(["kafka", "redis", "mock-kalshi"], WaitsOf("ingest"));
        Assert.Equal(["kafka", "redis"], WaitsOf("gateway"));
        Assert.Equal(Projects.MarketData_AppHost.ProjectPath, builder.AppHostDirectory);
    }

    [Fact]
    public async Task Ports_of_the_AppHost_are_those_that_clients_know()
    {
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.MarketData_AppHost>(TestContext.Current.CancellationToken);

        int? PortOf(string name) => builder.Resources.Single(r => r.Name == name).Annotations.OfType<EndpointAnnotation>().Single().Port;
        Assert.Equal(8084, PortOf("gateway"));
        Assert.Equal(9090, PortOf("mock-kalshi"));
        Assert.True(builder.Resources.Single(r => r.Name == "gateway").Annotations.OfType<EndpointAnnotation>().Single().IsExternal);
    }

    [Fact]
    public void A_referenced_project_has_a_class_that_tells_where_it_lies()
    {
        var type = typeof(Projects.MarketData_Gateway);
        var gateway = new Projects.MarketData_Gateway();

        Assert.True(type.IsPublic);
        Assert.IsType<IProjectMetadata>(gateway, exactMatch: false);
        Assert.True(gateway.SuppressBuild);
        Assert.True(File.Exists(gateway.ProjectPath), gateway.ProjectPath);
        Assert.Equal("MarketData.Gateway.csproj", Path.GetFileName(gateway.ProjectPath));
        Assert.Equal(["ProjectPath", "SuppressBuild"], type.GetProperties().Select(p => p.Name).Order());
    }

    [Fact]
    public void The_AppHost_itself_has_a_class_that_cannot_be_added_as_a_project()
    {
        var type = typeof(Projects.MarketData_AppHost);

        Assert.Empty(type.GetConstructors());
        Assert.Empty(type.GetInterfaces());
        Assert.Equal(["ProjectPath"], type.GetProperties(BindingFlags.Public | BindingFlags.Static).Select(p => p.Name));
        Assert.True(Directory.Exists(Projects.MarketData_AppHost.ProjectPath));
    }

    [Fact]
    public async Task Arguments_of_a_test_reach_the_AppHost()
    {
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.MarketData_AppHost>(
            ["--MockKalshi:Replay=session.jsonl"], TestContext.Current.CancellationToken);

        Assert.Equal("session.jsonl", builder.Configuration["MockKalshi:Replay"]);
    }

    [Fact]
    public async Task Two_resources_cannot_have_the_same_name()
    {
        await using var builder = DistributedApplicationTestingBuilder.Create();
        builder.AddRedis("cache");

        Assert.Throws<DistributedApplicationException>(() => builder.AddKafka("Cache"));
    }

    [Theory]
    [InlineData("with space")]
    [InlineData("-leading")]
    [InlineData("under_score")]
    public async Task A_resource_name_that_Aspire_refuses_is_refused(string name)
    {
        await using var builder = DistributedApplicationTestingBuilder.Create();

        Assert.Throws<ArgumentException>(() => builder.AddRedis(name));
    }
}
