var builder = DistributedApplication.CreateBuilder(args);

// The port is fixed because it is part of the broker's advertised address: another one would make another container.
var kafka = builder.AddKafka("kafka", port: 9092)
    .WithDataVolume("market-data-kafka")
    .WithLifetime(ContainerLifetime.Persistent);

var redis = builder.AddRedis("redis")
    .WithDataVolume("market-data-redis")
    .WithLifetime(ContainerLifetime.Persistent);

// Endpoints are declared here and not in launch profiles, so that this file says all there is to know.
var mockKalshi = builder.AddProject<Projects.MarketData_MockKalshi>("mock-kalshi", launchProfileName: null)
    .WithHttpEndpoint(port: 9090, name: "http")
    .WithHttpHealthCheck("/health");

var ingest = builder.AddProject<Projects.MarketData_Ingest>("ingest", launchProfileName: null)
    .WithHttpEndpoint(name: "http")
    .WithHttpHealthCheck("/health")
    .WithReference(kafka).WaitFor(kafka)
    .WithReference(redis).WaitFor(redis)
    .WithReference(mockKalshi).WaitFor(mockKalshi);

// --Upstream:RestUrl URL --Upstream:WebSocketUrl URL follow the real exchange in place of the mock, with a key from user secrets.
if (builder.Configuration["Upstream:RestUrl"] is { Length: > 0 } restUrl)
{
    ingest.WithEnvironment("Upstream__RestUrl", restUrl)
        .WithEnvironment("Upstream__WebSocketUrl", builder.Configuration["Upstream:WebSocketUrl"])
        .WithEnvironment("Upstream__KeyId", builder.AddParameter("kalshi-key-id"))
        .WithEnvironment("Upstream__PrivateKey", builder.AddParameter("kalshi-private-key", secret: true));
}

// Does not wait for ingest: clients may connect, and are told what is stale, while the exchange is away.
builder.AddProject<Projects.MarketData_Gateway>("gateway", launchProfileName: null)
    .WithHttpEndpoint(port: 8084, name: "http")
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck("/health")
    .WithReference(kafka).WaitFor(kafka)
    .WithReference(redis).WaitFor(redis);

// --MockKalshi:Replay FILE[,FILE] [--MockKalshi:Speed X] plays recorded sessions instead of the simulated market.
if (builder.Configuration["MockKalshi:Replay"] is { Length: > 0 } recordings)
    mockKalshi.WithArgs("--replay", string.Join(',', recordings.Split(',').Select(Path.GetFullPath)), "--speed", builder.Configuration["MockKalshi:Speed"] ?? "1");

builder.Build().Run();
