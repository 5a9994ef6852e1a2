using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Sets or resets single settings of topics.</summary>
internal sealed class IncrementalAlterConfigsApi(TopicRegistry topics) : IApi
{
    private const sbyte Set = 0, Delete = 1;

    public ApiVersions Versions => new(ApiKey.IncrementalAlterConfigs, 0, 0);

    private readonly record struct Change(string Name, sbyte Operation, string? Value);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var body = response.Body;
        var resources = new List<(sbyte Type, string Name, List<Change> Changes)>();
        var count = reader.ReadArrayLength(7);
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var (type, name) = (reader.ReadInt8(), reader.ReadString());
            var changes = new List<Change>();
            var changeCount = reader.ReadArrayLength(5);
            for (var c = 0; c < changeCount && !reader.Failed; c++) changes.Add(new Change(reader.ReadString(), reader.ReadInt8(), reader.ReadNullableString()));
            resources.Add((type, name, changes));
        }
        var validateOnly = reader.ReadBoolean();
        if (reader.Failed) return new(Outcome.Close);
        body.WriteInt32(0); // throttle time
        body.WriteInt32(resources.Count);
        foreach (var (type, name, changes) in resources)
        {
            var (error, message) = Alter(type, name, changes, validateOnly);
            body.WriteError(error);
            body.WriteErrorMessage(message);
            body.WriteInt8(type);
            body.WriteString(name);
        }
        return new(Outcome.Reply);
    }

    private (ErrorCode Error, string? Message) Alter(sbyte type, string name, List<Change> changes, bool validateOnly)
    {
        if (type != ConfigResource.Topic) return (ErrorCode.InvalidRequest, "Only the settings of topics can be changed; the broker's come from its command line.");
        if (topics.Find(name) is not { } topic) return (ErrorCode.UnknownTopicOrPartition, $"Topic '{name}' does not exist.");
        if (changes.DistinctBy(change => change.Name).Count() < changes.Count) return (ErrorCode.InvalidRequest, "Error due to duplicate config keys.");
        var settings = new Dictionary<string, string>(topic.Settings.Given);
        foreach (var change in changes)
        {
            if (change.Operation is not (Set or Delete)) return (ErrorCode.InvalidRequest, $"Operation {change.Operation} on {change.Name} is not possible: the setting is not a list.");
            var value = change.Operation == Delete ? TopicSettings.Known.GetValueOrDefault(change.Name)?.Default : change.Value;
            if (ConfigResource.CheckChange(change.Name, value) is { } problem) return problem;
            if (change.Operation == Delete) settings.Remove(change.Name);
            else settings[change.Name] = value!;
        }
        if (!validateOnly) topics.ChangeSettings(topic, settings);
        return (ErrorCode.None, null);
    }
}
