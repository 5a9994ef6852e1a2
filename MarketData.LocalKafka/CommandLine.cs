using System.Globalization;
using System.Net;
using MarketData.LocalKafka.Log;

namespace MarketData.LocalKafka;

/// <summary>Reads <see cref="BrokerOptions"/> from arguments of the form <c>--name value</c> or <c>--name=value</c>.</summary>
internal static class CommandLine
{
    public const string Usage = """
        Usage: MarketData.LocalKafka --data DIR [--port 9092] [--host 127.0.0.1] [--topic NAME:PARTITIONS]... [options]

        A one-node broker that speaks the Kafka protocol, for development and tests on one machine.

          --data DIR                               where logs and all other state live; made when missing
          --port N                                 TCP port, 0 for a free one (9092)
          --host ADDRESS                           IP address to listen on (127.0.0.1)
          --advertised.host NAME                   what clients are told to connect to (the address listened on)
          --topic NAME[:PARTITIONS]                make this topic at start when it is absent; may be repeated
          --flush os|fsync                         when an append is acknowledged: given to the system, or on disk (os)
          --auto.create.topics.enable BOOL         make a topic when a client first asks for it (true)
          --num.partitions N                       partitions of a topic that does not say (1)
          --log.segment.bytes N                    size at which a segment is closed (1073741824)
          --log.retention.ms N                     age at which a segment is deleted, -1 for never (604800000)
          --log.retention.bytes N                  bytes of a partition to keep, -1 for all (-1)
          --log.roll.ms N                          age at which a segment is closed (604800000)
          --log.retention.check.interval.ms N      how often retention looks (300000)
          --log.checkpoint.interval.ms N           how often logs are flushed and their indexes saved (60000)
          --message.max.bytes N                    largest batch (1048588)
          --group.initial.rebalance.delay.ms N     wait before a new group's first assignment (0)
          --group.min.session.timeout.ms N         (1000)
          --group.max.session.timeout.ms N         (1800000)
          --offsets.retention.minutes N            how long a dead group's offsets are kept (10080)
          --offsets.retention.check.interval.ms N  how often that is looked at (600000)
          --connections.max.idle.ms N              (600000)
          --max.connections N                      (2000)
        """;

    private static readonly Dictionary<string, string> TopicDefaultNames = new()
    {
        ["log.segment.bytes"] = "segment.bytes",
        ["log.retention.ms"] = "retention.ms",
        ["log.retention.bytes"] = "retention.bytes",
        ["log.roll.ms"] = "segment.ms",
        ["log.index.interval.bytes"] = "index.interval.bytes",
        ["message.max.bytes"] = "max.message.bytes",
        ["log.message.timestamp.type"] = "message.timestamp.type",
    };

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="BrokerStartException">An argument is unknown, lacks its value, or its value is not acceptable; the message names it.</exception>
    public static BrokerOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new BrokerOptions { DataDirectory = "" };
        var topics = new Dictionary<string, int>();
        var defaults = new Dictionary<string, string>();
        string? advertised = null;
        for (var i = 0; i < arguments.Count; i++)
        {
            var (name, value) = Split(arguments, ref i);
            options = name switch
            {
                "data" => options with { DataDirectory = Path.GetFullPath(value) },
                "port" => options with { Port = Int(name, value, 0, 65535) },
                "host" => options with { BindAddress = Address(name, value) },
                "flush" => options with { Flush = Flush(value) },
                "auto.create.topics.enable" => options with { AutoCreateTopics = Bool(name, value) },
                "num.partitions" => options with { DefaultPartitions = Int(name, value, 1, TopicRegistry.MaxPartitions) },
                "log.retention.check.interval.ms" => options with { RetentionCheckInterval = Milliseconds(name, value, 1) },
                "log.checkpoint.interval.ms" => options with { CheckpointInterval = Milliseconds(name, value, 1) },
                "group.initial.rebalance.delay.ms" => options with { GroupInitialRebalanceDelay = Milliseconds(name, value, 0) },
                "group.min.session.timeout.ms" => options with { GroupMinSessionTimeout = Milliseconds(name, value, 1) },
                "group.max.session.timeout.ms" => options with { GroupMaxSessionTimeout = Milliseconds(name, value, 1) },
                "offsets.retention.minutes" => options with { OffsetsRetention = TimeSpan.FromMinutes(Int(name, value, 1, int.MaxValue)) },
                "offsets.retention.check.interval.ms" => options with { OffsetsRetentionCheckInterval = Milliseconds(name, value, 1) },
                "connections.max.idle.ms" => options with { ConnectionMaxIdle = Milliseconds(name, value, 1) },
                "max.connections" => options with { MaxConnections = Int(name, value, 1, int.MaxValue) },
                _ => options,
            };
            if (name == "topic") AddTopic(topics, value);
            else if (name == "advertised.host") advertised = value;
            else if (TopicDefaultNames.TryGetValue(name, out var setting)) defaults[setting] = CheckTopicSetting(name, setting, value);
        }
        if (options.DataDirectory.Length == 0) throw new BrokerStartException("--data is missing: name the directory where the logs live, as in --data ./kafka-data.");
        return options with { Topics = topics, TopicDefaults = defaults, AdvertisedHost = advertised ?? DefaultAdvertisedHost(options.BindAddress) };
    }

    private static readonly HashSet<string> Names =
    [
        "data", "port", "host", "flush", "auto.create.topics.enable", "num.partitions", "log.retention.check.interval.ms", "log.checkpoint.interval.ms",
        "group.initial.rebalance.delay.ms", "group.min.session.timeout.ms", "group.max.session.timeout.ms", "offsets.retention.minutes", "offsets.retention.check.interval.ms",
        "connections.max.idle.ms", "max.connections", "topic", "advertised.host", .. TopicDefaultNames.Keys,
    ];

    private static (string Name, string Value) Split(IReadOnlyList<string> arguments, ref int i)
    {
        var argument = arguments[i];
        if (!argument.StartsWith("--", StringComparison.Ordinal)) throw new BrokerStartException($"Unexpected argument '{argument}': options look like --port 9092.");
        var equals = argument.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? argument[2..] : argument[2..equals];
        if (!Names.Contains(name)) throw new BrokerStartException($"Unknown option --{name}: --help lists the options.");
        if (equals >= 0) return (name, argument[(equals + 1)..]);
        if (i + 1 >= arguments.Count) throw new BrokerStartException($"--{name} needs a value.");
        return (name, arguments[++i]);
    }

    private static void AddTopic(Dictionary<string, int> topics, string value)
    {
        var colon = value.LastIndexOf(':');
        var name = colon < 0 ? value : value[..colon];
        if (!TopicRegistry.IsLegalName(name))
            throw new BrokerStartException($"--topic {value}: '{name}' is not a legal topic name (1 to 249 of letters, digits, '.', '_', '-').");
        topics[name] = colon < 0 ? 1 : Int("topic " + name, value[(colon + 1)..], 1, TopicRegistry.MaxPartitions);
    }

    private static string CheckTopicSetting(string name, string setting, string value) =>
        TopicSettings.Check(setting, value) is { } problem ? throw new BrokerStartException($"--{name}: {problem}") : value;

    private static int Int(string name, string value, int min, int max) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new BrokerStartException($"--{name} is '{value}': it must be a whole number from {min} to {max}.");

    private static TimeSpan Milliseconds(string name, string value, int min) => TimeSpan.FromMilliseconds(Int(name, value, min, int.MaxValue));

    private static bool Bool(string name, string value) =>
        bool.TryParse(value, out var flag) ? flag : throw new BrokerStartException($"--{name} is '{value}': it must be true or false.");

    private static FlushMode Flush(string value) => value switch
    {
        "os" => FlushMode.Os,
        "fsync" => FlushMode.Fsync,
        _ => throw new BrokerStartException($"--flush is '{value}': it must be os or fsync."),
    };

    private static IPAddress Address(string name, string value)
    {
        if (value == "localhost") return IPAddress.Loopback;
        return IPAddress.TryParse(value, out var address) ? address : throw new BrokerStartException($"--{name} is '{value}': it must be an IP address, as 127.0.0.1.");
    }

    private static string DefaultAdvertisedHost(IPAddress bound) =>
        bound.Equals(IPAddress.Any) || bound.Equals(IPAddress.IPv6Any) ? Dns.GetHostName() : bound.ToString();
}
