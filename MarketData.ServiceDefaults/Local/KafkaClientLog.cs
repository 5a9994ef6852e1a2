using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace MarketData.ServiceDefaults.Local;

/// <summary>What librdkafka has to say, in the category that Aspire's clients use.</summary>
internal sealed partial class KafkaClientLog(ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger("Aspire.Confluent.Kafka");

    public void Write(LogMessage message)
    {
        var level = (LogLevel)message.LevelAs(LogLevelType.MicrosoftExtensionsLogging);
        LogLibrary(level, message.Name, message.Facility, message.Message);
    }

    /// <summary>Runs <paramref name="set"/>. A builder refuses a handler when it has one, and then the application's own is kept.</summary>
    public void SetUnlessSet(string handler, Action set)
    {
        try
        {
            set();
        }
        catch (InvalidOperationException)
        {
            LogHandlerKept(handler);
        }
    }

    [LoggerMessage(EventId = 1, Message = "{Client} {Facility}: {Message}")]
    private partial void LogLibrary(LogLevel level, string client, string facility, string message);

    [LoggerMessage(EventId = 2, Level = LogLevel.Debug, Message = "The Kafka client's builder has a {Handler} handler of its own, which is kept")]
    private partial void LogHandlerKept(string handler);
}
