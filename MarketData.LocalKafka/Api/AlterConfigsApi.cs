using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Replaces all settings that a topic was given.</summary>
internal sealed class AlterConfigsApi(TopicRegistry topics) : IApi
{
    public ApiVersions Versions => new(ApiKey.AlterConfigs, 0, 1);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var body = response.Body;
        var resources = new List<(sbyte Type, string Name, List<KeyValuePair<string, string?>> Settings)>();
        var count = reader.ReadArrayLength(7);
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var (type, name) = (reader.ReadInt8(), reader.ReadString());
            var settings = new List<KeyValuePair<string, string?>>();
            var settingCount = reader.ReadArrayLength(4);
            for (var s = 0; s < settingCount && !reader.Failed; s++) settings.Add(new(reader.ReadString(), reader.ReadNullableString()));
            resources.Add((type, name, settings));
        }
        var validateOnly = reader.ReadBoolean();
        if (reader.Failed) return new(Outcome.Close);
        body.WriteInt32(0); // throttle time
        body.WriteInt32(resources.Count);
        foreach (var (type, name, settings) in resources)
        {
            var (error, message) = Alter(type, name, settings, validateOnly);
            body.WriteError(error);
            body.WriteErrorMessage(message);
            body.WriteInt8(type);
            body.WriteString(name);
        }
        return new(Outcome.Reply);
    }

    private (ErrorCode Error, string? Message) Alter(sbyte type, string name, List<KeyValuePair<string, string?>> settings, bool validateOnly)
    {
        if (type != ConfigResource.Topic) return (ErrorCode.InvalidRequest, "Only the settings of topics can be changed; the broker's come from its command line.");
        if (topics.Find(name) is not { } topic) return (ErrorCode.UnknownTopicOrPartition, $"Topic '{name}' does not exist.");
        foreach (var (key, value) in settings)
            if (ConfigResource.CheckChange(key, value) is { } problem) return problem;
        if (!validateOnly) topics.ChangeSettings(topic, settings.GroupBy(setting => setting.Key).ToDictionary(setting => setting.Key, setting => setting.Last().Value!));
        return (ErrorCode.None, null);
    }
}
