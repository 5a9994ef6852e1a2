using MarketData.MockKalshi;
using MarketData.MockKalshi.Authentication;
using MarketData.ServiceDefaults;

if (args is ["--help" or "-h"])
{
    Console.WriteLine(CommandLine.Usage);
    return 0;
}

if (args is [CreateKeyCommand.Name, .. var arguments]) return CreateKeyCommand.Run(arguments);

return await ServiceProgram.RunAsync(() => MockKalshiApplication.Build(args));
