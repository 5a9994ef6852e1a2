using MarketData.MockKalshi;
using Microsoft.AspNetCore.Connections;

if (args is ["--help" or "-h"])
{
    Console.WriteLine(CommandLine.Usage);
    return 0;
}

try
{
    await MockKalshiApplication.Build(args).RunAsync();
    return 0;
}
catch (Exception exception) when (exception is StartupException or IOException { InnerException: AddressInUseException })
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}
