using MarketData.MockKalshi;
using MarketData.MockKalshi.Replay;
using Microsoft.Extensions.Options;

try
{
    await MockKalshiApplication.Build(args).RunAsync();
    return 0;
}
catch (Exception exception) when (exception is OptionsValidationException or RecordingException)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}
