using MarketData.Ingest;
using MarketData.ServiceDefaults;

return await ServiceProgram.RunAsync(() =>
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddServiceDefaults();
    builder.AddIngest();

    var app = builder.Build();
    app.MapDefaultEndpoints();
    app.MapStats();
    return app;
});
