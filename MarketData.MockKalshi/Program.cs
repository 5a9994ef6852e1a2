using MarketData.MockKalshi;
using MarketData.ServiceDefaults;

if (args is ["--help" or "-h"])
{
    Console.WriteLine(CommandLine.Usage);
    return 0;
}

return await ServiceProgram.RunAsync(() => MockKalshiApplication.Build(args));
