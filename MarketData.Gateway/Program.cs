using MarketData.Gateway;
using MarketData.Gateway.Admission;
using MarketData.ServiceDefaults;

if (args is [CreateApiKeyCommand.Name, .. var arguments]) return CreateApiKeyCommand.Run(arguments);

return await ServiceProgram.RunAsync(() => GatewayApplication.Build(args));
