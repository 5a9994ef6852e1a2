using System.Buffers.Text;
using System.Globalization;
using System.Text;
using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Protocol;

/// <summary>A query parameter is wrong; the message names it and what would be right.</summary>
internal sealed class BadQueryException(string message) : Exception(message);

/// <summary>The query of <c>GET /markets</c> (protocol reference, section 3), read and checked.</summary>
internal sealed record MarketQuery(MarketFilter Filter, int Limit, string? After)
{
    private const int DefaultLimit = 100, MaxLimit = 1000;

    /// <exception cref="BadQueryException">A parameter is wrong.</exception>
    public static MarketQuery Parse(IQueryCollection query)
    {
        var created = Interval(query, "min_created_ts", "max_created_ts");
        var close = Interval(query, "min_close_ts", "max_close_ts");
        var settled = Interval(query, "min_settled_ts", "max_settled_ts");
        if (new[] { created, close, settled }.Count(interval => !interval.IsOpen) > 1)
            throw new BadQueryException("the created, close and settled timestamp filters exclude each other");

        var filter = new MarketFilter
        {
            Tickers = Text(query, "tickers") is { } tickers ? tickers.Split(',').ToHashSet(StringComparer.Ordinal) : null,
            EventTicker = Text(query, "event_ticker"),
            SeriesTicker = Text(query, "series_ticker"),
            Statuses = Statuses(query),
            Multivariate = Multivariate(query),
            Created = created,
            Close = close,
            Settled = settled,
            MinUpdated = Integer(query, "min_updated_ts"),
        };
        // A limit of zero means the default.
        int limit = Bounded(query, "limit", MaxLimit);
        return new MarketQuery(filter, limit == 0 ? DefaultLimit : limit, ReadCursor(query));
    }

    /// <summary>An integer from 0 to <paramref name="max"/>; 0 when absent.</summary>
    public static int Bounded(IQueryCollection query, string name, int max)
    {
        long value = Integer(query, name) ?? 0;
        if (value < 0 || value > max) throw new BadQueryException($"{name} must be between 0 and {max}, not {value}");
        return (int)value;
    }

    /// <summary>The cursor that continues after a ticker: opaque to clients.</summary>
    public static string CursorAfter(string ticker) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(ticker));

    private static string? ReadCursor(IQueryCollection query)
    {
        if (Text(query, "cursor") is not { } cursor) return null;
        try
        {
            return Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor));
        }
        catch (FormatException)
        {
            throw new BadQueryException("cursor must be one that an earlier answer gave");
        }
    }

    private static HashSet<MarketStatus>? Statuses(IQueryCollection query) => Text(query, "status") switch
    {
        null => null,
        "unopened" => [MarketStatus.Initialized],
        "open" => [MarketStatus.Active],
        "paused" => [MarketStatus.Inactive],
        "closed" => [MarketStatus.Closed, MarketStatus.Determined],
        "settled" => [MarketStatus.Finalized],
        var other => throw new BadQueryException($"status must be one of unopened, open, paused, closed, settled, not {other}"),
    };

    private static bool? Multivariate(IQueryCollection query) => Text(query, "mve_filter") switch
    {
        null => null,
        "only" => true,
        "exclude" => false,
        var other => throw new BadQueryException($"mve_filter must be only or exclude, not {other}"),
    };

    private static TimeInterval Interval(IQueryCollection query, string min, string max) => new(Integer(query, min), Integer(query, max));

    private static long? Integer(IQueryCollection query, string name)
    {
        if (Text(query, name) is not { } text) return null;
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
            throw new BadQueryException($"{name} must be an integer, not {text}");
        return value;
    }

    /// <summary>An empty value counts as absent.</summary>
    private static string? Text(IQueryCollection query, string name) => query[name].ToString() is { Length: > 0 } text ? text : null;
}
