using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace MarketData.ServiceDefaults.Local;

/// <summary>
/// One line when the connection to Redis breaks and one when it is back. The client's own log writes a stack trace for each attempt.
/// </summary>
internal sealed partial class RedisConnectionLog(ILogger<RedisConnectionLog> logger)
{
    /// <summary>Logs the connection's state as it is now, and each change of it.</summary>
    public void Follow(IConnectionMultiplexer redis)
    {
        redis.ConnectionFailed += OnFailed;
        redis.ConnectionRestored += OnRestored;
        var endPoints = string.Join(", ", redis.GetEndPoints().Select(endPoint => endPoint.ToString()));
        if (!redis.IsConnected) LogNotConnected(endPoints);
    }

    private void OnFailed(object? sender, ConnectionFailedEventArgs e)
    {
        var endPoint = e.EndPoint?.ToString();
        LogFailed(endPoint, e.ConnectionType, e.FailureType);
    }

    private void OnRestored(object? sender, ConnectionFailedEventArgs e)
    {
        var endPoint = e.EndPoint?.ToString();
        LogRestored(endPoint, e.ConnectionType);
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "Redis does not answer at {EndPoints}; the client goes on trying")]
    private partial void LogNotConnected(string endPoints);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "The {Connection} connection to Redis at {EndPoint} failed ({Failure}); the client reconnects")]
    private partial void LogFailed(string? endPoint, ConnectionType connection, ConnectionFailureType failure);

    [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "The {Connection} connection to Redis at {EndPoint} is up")]
    private partial void LogRestored(string? endPoint, ConnectionType connection);
}
