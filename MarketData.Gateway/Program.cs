using MarketData.Gateway;
using MarketData.ServiceDefaults;

return await ServiceProgram.RunAsync(() => GatewayApplication.Build(args));
