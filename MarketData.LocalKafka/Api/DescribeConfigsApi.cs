using System.Globalization;
using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Tells the settings in force, of topics and of the broker.</summary>
internal sealed class DescribeConfigsApi(TopicRegistry topics, BrokerOptions options) : IApi
{
    private const sbyte SourceTopic = 1, SourceStaticBroker = 4, SourceDefault = 5;

    public ApiVersions Versions => new(ApiKey.DescribeConfigs, 0, 2);

    private sealed record Setting(string Name, string Value, bool IsReadOnly, sbyte Source, IReadOnlyList<(string Name, string Value, sbyte Source)> Synonyms);

    private sealed record Resource(sbyte Type, string Name, IReadOnlySet<string>? Wanted);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var (body, version) = (response.Body, request.Version);
        var resources = new List<Resource>();
        var count = reader.ReadArrayLength(7);
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var (type, name) = (reader.ReadInt8(), reader.ReadString());
            var wantedCount = reader.ReadNullableArrayLength(2);
            HashSet<string>? wanted = wantedCount is null ? null : [];
            for (var w = 0; w < wantedCount && !reader.Failed; w++) wanted!.Add(reader.ReadString());
            resources.Add(new Resource(type, name, wanted));
        }
        var withSynonyms = version >= 1 && reader.ReadBoolean();
        if (reader.Failed) return new(Outcome.Close);
        body.WriteInt32(0); // throttle time
        body.WriteInt32(resources.Count);
        foreach (var resource in resources)
        {
            var (error, message, settings) = Describe(resource);
            body.WriteError(error);
            body.WriteErrorMessage(message);
            body.WriteInt8(resource.Type);
            body.WriteString(resource.Name);
            body.WriteInt32(settings.Count);
            foreach (var setting in settings) Write(body, version, setting, withSynonyms);
        }
        return new(Outcome.Reply);
    }

    private (ErrorCode Error, string? Message, IReadOnlyList<Setting> Settings) Describe(Resource resource)
    {
        IEnumerable<Setting> all;
        switch (resource.Type)
        {
            case ConfigResource.Topic when !TopicRegistry.IsLegalName(resource.Name):
                return (ErrorCode.InvalidTopic, $"Topic name \"{resource.Name}\" is illegal.", []);
            case ConfigResource.Topic when topics.Find(resource.Name) is not { }:
                return (ErrorCode.UnknownTopicOrPartition, null, []);
            case ConfigResource.Topic:
                var topicSettings = topics.Find(resource.Name)!.Settings;
                all = TopicSettings.Known.Keys.Select(name => OfTopic(topicSettings, name));
                break;
            case ConfigResource.Broker when resource.Name.Length == 0: // what is set for all brokers at run time: nothing
                return (ErrorCode.None, null, []);
            case ConfigResource.Broker when resource.Name != BrokerOptions.NodeId.ToString(CultureInfo.InvariantCulture):
                return (ErrorCode.InvalidRequest, $"Unexpected broker id, expected {BrokerOptions.NodeId} or empty string, but received {resource.Name}", []);
            case ConfigResource.Broker:
                all = OfBroker();
                break;
            default:
                return (ErrorCode.InvalidRequest, $"Unsupported resource type: {resource.Type}", []);
        }
        return (ErrorCode.None, null, [.. all.Where(setting => resource.Wanted?.Contains(setting.Name) != false).OrderBy(setting => setting.Name, StringComparer.Ordinal)]);
    }

    private static Setting OfTopic(TopicSettings settings, string name)
    {
        var synonyms = new List<(string, string, sbyte)>();
        if (settings.Given.TryGetValue(name, out var own)) synonyms.Add((name, own, SourceTopic));
        if (settings.BrokerDefault(name) is { } common) synonyms.Add((name, common, SourceStaticBroker));
        synonyms.Add((name, TopicSettings.Known[name].Default, SourceDefault));
        return new Setting(name, settings[name], IsReadOnly: false, synonyms[0].Item3, synonyms);
    }

    private IEnumerable<Setting> OfBroker()
    {
        yield return ReadOnly("auto.create.topics.enable", options.AutoCreateTopics ? "true" : "false");
        yield return ReadOnly("broker.id", BrokerOptions.NodeId.ToString(CultureInfo.InvariantCulture));
        yield return ReadOnly("default.replication.factor", "1");
        yield return ReadOnly("group.initial.rebalance.delay.ms", Milliseconds(options.GroupInitialRebalanceDelay));
        yield return ReadOnly("group.max.session.timeout.ms", Milliseconds(options.GroupMaxSessionTimeout));
        yield return ReadOnly("group.min.session.timeout.ms", Milliseconds(options.GroupMinSessionTimeout));
        yield return ReadOnly("log.dirs", options.DataDirectory);
        yield return ReadOnly("num.partitions", options.DefaultPartitions.ToString(CultureInfo.InvariantCulture));
        yield return ReadOnly("offsets.retention.minutes", ((long)options.OffsetsRetention.TotalMinutes).ToString(CultureInfo.InvariantCulture));
    }

    private static Setting ReadOnly(string name, string value) => new(name, value, IsReadOnly: true, SourceStaticBroker, [(name, value, SourceStaticBroker)]);

    private static string Milliseconds(TimeSpan duration) => ((long)duration.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);

    private static void Write(WireWriter body, short version, Setting setting, bool withSynonyms)
    {
        body.WriteString(setting.Name);
        body.WriteNullableString(setting.Value);
        body.WriteBoolean(setting.IsReadOnly);
        if (version == 0) body.WriteBoolean(setting.Source == SourceDefault);
        else body.WriteInt8(setting.Source);
        body.WriteBoolean(false); // sensitive
        if (version == 0) return;
        body.WriteInt32(withSynonyms ? setting.Synonyms.Count : 0);
        if (!withSynonyms) return;
        foreach (var (name, value, source) in setting.Synonyms)
        {
            body.WriteString(name);
            body.WriteNullableString(value);
            body.WriteInt8(source);
        }
    }
}
