using System.Globalization;
using System.Net;
using MarketData.Domain.Channels;

namespace MarketData.Benchmarks.Load;

/// <summary>What the load's own publisher sends.</summary>
internal enum MessageKind : byte
{
    /// <summary>Trades, padded to <see cref="LoadOptions.MessageBytes"/>.</summary>
    Trade,

    /// <summary>Changes of an order book whose snapshot key is kept, as the relay keeps it.</summary>
    Book,
}

/// <summary>What a load is made of: a scenario, and what was said differently on the command line.</summary>
internal sealed record LoadOptions
{
    /// <summary>Stands in a channel for each of <see cref="PerClient"/> markets.</summary>
    public const string MarketPlace = "{market}";

    public const string Usage = """
        Usage: MarketData.Benchmarks load [SCENARIO] [--option value ...]
          s1      1,000 clients of 'all', 5,000 messages a second      s2     1,000 clients, 100 messages a second
          s3      10,000 clients, 5 messages a second                  idle   10,000 clients, no messages
          churn   as s3, and 2,000 clients leave and return each second
          --clients N          --rate N (messages a second, 0 for none)      --seconds N (measured)   --warmup N (seconds before)
          --channels LIST      comma-separated; {market} stands for --per-client N random ones of --markets (a number, or tickers)
          --kind trade|book    what is published                             --bytes N (of a trade)   --seed N
          --check N            clients that rebuild books and check every stream's numbers
          --churn N            clients a second that leave and return        --threads N (of clients)
          --grain N            microseconds a client thread pauses when it has read all: a kinder reader gets more at once
          --receive-buffer N   bytes of each socket; 0 for the system's own
          --gateway URL        a running gateway on loopback; with --redis HOST:PORT messages are published there, with --pid N the process is measured
          --json true          one JSON object instead of the table
        """;

    private const int MaxClients = 200_000;

    public string Scenario { get; private init; } = "s2";

    public int Clients { get; private init; } = 1000;

    /// <summary>Messages a second; 0 for none.</summary>
    public int Rate { get; private init; } = 100;

    /// <summary>Seconds that are measured.</summary>
    public int Seconds { get; private init; } = 10;

    /// <summary>Seconds of the same load before.</summary>
    public int WarmUpSeconds { get; private init; } = 4;

    public IReadOnlyList<string> Channels { get; private init; } = ["all"];

    public IReadOnlyList<string> Markets { get; private init; } = ["LOAD-1"];

    public int PerClient { get; private init; } = 1;

    public MessageKind Kind { get; private init; }

    public int MessageBytes { get; private init; } = 300;

    public int Seed { get; private init; } = 1;

    /// <summary>Clients that look at every message.</summary>
    public int Check { get; private init; }

    /// <summary>Clients a second that leave and return.</summary>
    public int Churn { get; private init; }

    public int Threads { get; private init; } = 1;

    /// <summary>Microseconds.</summary>
    public int Grain { get; private init; } = 300;

    public int ReceiveBufferBytes { get; private init; }

    /// <summary>Null for one of the load's own.</summary>
    public IPEndPoint? Gateway { get; private init; }

    /// <summary>Where messages are published to a given gateway; null for none.</summary>
    public string? Redis { get; private init; }

    /// <summary>The given gateway's process; null when it is not measured.</summary>
    public int? ProcessId { get; private init; }

    public bool Json { get; private init; }

    /// <exception cref="FormatException">The message names the option and what would be right.</exception>
    public static LoadOptions Parse(IReadOnlyList<string> args)
    {
        bool isNamed = args.Count > 0 && !args[0].StartsWith("--", StringComparison.Ordinal);
        var options = isNamed ? Preset(args[0]) : new LoadOptions();
        for (int i = isNamed ? 1 : 0; i < args.Count; i += 2)
        {
            if (i + 1 == args.Count) throw new FormatException($"{args[i]} needs a value.");
            options = options.With(args[i], args[i + 1]);
        }

        if (options.Check > options.Clients) throw new FormatException($"--check {options.Check} is more than --clients {options.Clients}.");
        if (options.PerClient > options.Markets.Count) throw new FormatException($"--per-client {options.PerClient} is more than the {options.Markets.Count} of --markets.");
        if (options is { Gateway: null, Redis: not null }) throw new FormatException("--redis goes with --gateway: a gateway of the load's own has a Redis of its own.");
        if (options is { Gateway: null, ProcessId: not null }) throw new FormatException("--pid goes with --gateway.");
        return options;
    }

    private static LoadOptions Preset(string scenario) => scenario switch
    {
        "s1" => new LoadOptions { Scenario = scenario, Rate = 5000, ReceiveBufferBytes = 1_000_000 },
        "s2" => new LoadOptions { Scenario = scenario },
        "s3" => new LoadOptions { Scenario = scenario, Clients = 10_000, Rate = 5, Seconds = 12, Grain = 0 },
        "idle" => new LoadOptions { Scenario = scenario, Clients = 10_000, Rate = 0, Seconds = 30 },
        "churn" => new LoadOptions { Scenario = scenario, Clients = 10_000, Rate = 5, Seconds = 20, Grain = 0, Churn = 2000, Threads = 2 },
        _ => throw new FormatException($"'{scenario}' is no scenario: use s1, s2, s3, idle or churn."),
    };

    private LoadOptions With(string option, string value) => option switch
    {
        "--clients" => this with { Clients = Number(option, value, 1, MaxClients) },
        "--rate" => this with { Rate = Number(option, value, 0, 1_000_000) },
        "--seconds" => this with { Seconds = Number(option, value, 1, 3600) },
        "--warmup" => this with { WarmUpSeconds = Number(option, value, 0, 600) },
        "--channels" => this with { Channels = List(option, value) },
        "--markets" => this with { Markets = MarketsOf(option, value) },
        "--per-client" => this with { PerClient = Number(option, value, 1, 10_000) },
        "--kind" => this with { Kind = value switch { "trade" => MessageKind.Trade, "book" => MessageKind.Book, _ => throw new FormatException($"--kind must be trade or book, not '{value}'.") } },
        "--bytes" => this with { MessageBytes = Number(option, value, 300, 60_000) },
        "--seed" => this with { Seed = Number(option, value, 0, int.MaxValue) },
        "--check" => this with { Check = Number(option, value, 0, MaxClients) },
        "--churn" => this with { Churn = Number(option, value, 0, MaxClients) },
        "--threads" => this with { Threads = Number(option, value, 1, 64) },
        "--grain" => this with { Grain = Number(option, value, 0, 100_000) },
        "--receive-buffer" => this with { ReceiveBufferBytes = Number(option, value, 0, 64 << 20) },
        "--gateway" => this with { Gateway = Loopback(option, value) },
        "--redis" => this with { Redis = Loopback(option, $"redis://{value}").ToString() },
        "--pid" => this with { ProcessId = Number(option, value, 1, int.MaxValue) },
        "--json" => this with { Json = bool.TryParse(value, out bool json) ? json : throw new FormatException($"--json must be true or false, not '{value}'.") },
        _ => throw new FormatException($"There is no option '{option}'."),
    };

    private static int Number(string option, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{option} must be a number from {least} to {most}, not '{value}'.");

    private static string[] List(string option, string value)
    {
        var list = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return list.Length > 0 ? list : throw new FormatException($"{option} must be a list separated by commas, not '{value}'.");
    }

    private static string[] MarketsOf(string option, string value)
    {
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            return [.. Enumerable.Range(1, Number(option, value, 1, 100_000)).Select(number => $"LOAD-{number}")];
        var tickers = List(option, value);
        return Array.Find(tickers, ticker => !PlainName.IsValid(System.Text.Encoding.UTF8.GetBytes(ticker))) is { } wrong
            ? throw new FormatException($"{option}: '{wrong}' is no ticker, which {PlainName.Rule}.")
            : tickers;
    }

    // Load belongs on the machine that makes it: nobody else's server is to be flooded by a slip of the hand.
    private static IPEndPoint Loopback(string option, string value)
    {
        if (!Uri.TryCreate(value, UriKind.Absolute, out var uri) || uri.Port <= 0) throw new FormatException($"{option} must be an address with a port, not '{value}'.");
        if (uri.Host == "localhost") return new IPEndPoint(IPAddress.Loopback, uri.Port);
        if (uri.HostNameType == UriHostNameType.IPv4 && IPAddress.IsLoopback(IPAddress.Parse(uri.Host))) return new IPEndPoint(IPAddress.Parse(uri.Host), uri.Port);
        throw new FormatException($"{option} must be on this machine, localhost or 127.x.x.x, not '{uri.Host}'.");
    }
}
