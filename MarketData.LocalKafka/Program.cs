using MarketData.LocalKafka;
using MarketData.LocalKafka.Server;

if (args is ["--help" or "-h"])
{
    Console.WriteLine(CommandLine.Usage);
    return 0;
}
try
{
    var options = CommandLine.Parse(args);
    var builder = Host.CreateApplicationBuilder();
    builder.AddServiceDefaults();
    builder.Logging.AddFilter("Microsoft", LogLevel.None);
    builder.Services.AddBroker(options);
    using var host = builder.Build();
    await host.RunAsync();
    return 0;
}
catch (BrokerStartException e)
{
    await Console.Error.WriteLineAsync($"LocalKafka: {e.Message}");
    return 1;
}
catch (Exception e) when (e.GetBaseException() is IOException or UnauthorizedAccessException)
{
    await Console.Error.WriteLineAsync($"LocalKafka: the data directory cannot be used: {e.GetBaseException().Message}");
    return 1;
}
