using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>What settings belong to, by Kafka's codes.</summary>
internal static class ConfigResource
{
    public const sbyte Topic = 2, Broker = 4;

    /// <summary>What is wrong with changing a setting, or null. A wrong value is another error here than at the making of a topic.</summary>
    public static (ErrorCode Error, string Message)? CheckChange(string name, string? value) => TopicSettings.Check(name, value) switch
    {
        null => null,
        { } problem when TopicSettings.Known.ContainsKey(name) => (ErrorCode.InvalidRequest, problem),
        { } problem => (ErrorCode.InvalidConfig, problem),
    };
}
