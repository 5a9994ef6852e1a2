using System.Net;

namespace MarketData.LocalKafka;

/// <summary>When an append counts as done.</summary>
internal enum FlushMode
{
    /// <summary>When the operating system has the data: survives the death of the process, not of the machine.</summary>
    Os,

    /// <summary>When the disk has the data: survives power loss. Appends that wait at the same time share one fsync.</summary>
    Fsync,
}

/// <summary>What the command line says. Defaults are Kafka's unless a comment says otherwise.</summary>
internal sealed record BrokerOptions
{
    public const int NodeId = 1;

    /// <summary>TCP port to listen on; 0 takes a free one.</summary>
    public int Port { get; init; } = 9092;

    /// <summary>Address to listen on. Loopback by default, because there is no authentication.</summary>
    public IPAddress BindAddress { get; init; } = IPAddress.Loopback;

    /// <summary>Host that clients are told to connect to.</summary>
    public string AdvertisedHost { get; init; } = "127.0.0.1";

    /// <summary>Directory of the logs and all other state; made when missing.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Topics made at start when absent, with their numbers of partitions.</summary>
    public IReadOnlyDictionary<string, int> Topics { get; init; } = new Dictionary<string, int>();

    /// <summary>Settings of all topics that do not set their own, by Kafka's topic-level name.</summary>
    public IReadOnlyDictionary<string, string> TopicDefaults { get; init; } = new Dictionary<string, string>();

    public FlushMode Flush { get; init; } = FlushMode.Os;

    public bool AutoCreateTopics { get; init; } = true;

    /// <summary>Partitions of a topic that does not say.</summary>
    public int DefaultPartitions { get; init; } = 1;

    /// <summary>Kafka waits 3 s before the first assignment of a group; on one machine nothing is gained by it, so the default is 0.</summary>
    public TimeSpan GroupInitialRebalanceDelay { get; init; } = TimeSpan.Zero;

    /// <summary>Kafka's minimum is 6 s; tests on one machine want less, so the default is 1 s.</summary>
    public TimeSpan GroupMinSessionTimeout { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan GroupMaxSessionTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How long committed offsets outlive the last member of their group.</summary>
    public TimeSpan OffsetsRetention { get; init; } = TimeSpan.FromDays(7);

    public TimeSpan OffsetsRetentionCheckInterval { get; init; } = TimeSpan.FromMinutes(10);

    public TimeSpan RetentionCheckInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often logs are flushed to disk and their indexes saved, which bounds the work of a start after a crash.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Largest request, in bytes.</summary>
    public int MaxRequestBytes { get; init; } = 100 * 1024 * 1024;

    /// <summary>A connection on which nothing happens this long is closed.</summary>
    public TimeSpan ConnectionMaxIdle { get; init; } = TimeSpan.FromMinutes(10);

    public int MaxConnections { get; init; } = 2000;
}

/// <summary>The broker cannot start; the message says why and what would be right.</summary>
internal sealed class BrokerStartException(string message, Exception? inner = null) : Exception(message, inner);
