using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Rest;

/// <summary>The query of <c>GET /markets</c> (protocol reference, section 3), read and checked.</summary>
internal sealed record MarketQuery(MarketFilter Filter, int Limit, string? After)
{
    private const int DefaultLimit = 100, MaxLimit = 1000;

    /// <exception cref="BadRequestException">A parameter is wrong.</exception>
    public static MarketQuery Parse(RestQuery query)
    {
        var filter = new MarketFilter
        {
            Tickers = query.List("tickers")?.ToHashSet(StringComparer.Ordinal),
            EventTicker = query.Text("event_ticker"),
            SeriesTicker = query.Text("series_ticker"),
            Statuses = Statuses(query),
            Multivariate = Multivariate(query),
            Created = query.Interval("min_created_ts", "max_created_ts"),
            Close = query.Interval("min_close_ts", "max_close_ts"),
            Settled = query.Interval("min_settled_ts", "max_settled_ts"),
            MinUpdated = query.Integer("min_updated_ts"),
        };
        bool[] timed = [!filter.Created.IsOpen, !filter.Close.IsOpen, !filter.Settled.IsOpen, filter.MinUpdated is not null];
        if (timed.Count(isSet => isSet) > 1)
        {
            throw new BadRequestException(
                "the timestamp filters exclude each other: one of min/max_created_ts, min/max_close_ts, min/max_settled_ts, min_updated_ts");
        }

        return new MarketQuery(filter, query.Limit(DefaultLimit, MaxLimit), query.Cursor());
    }

    /// <summary>The states that a <c>status</c> word selects; null for any.</summary>
    public static IReadOnlySet<MarketStatus>? Statuses(RestQuery query) => query.Text("status") switch
    {
        null => null,
        "unopened" => new HashSet<MarketStatus> { MarketStatus.Initialized },
        "open" => new HashSet<MarketStatus> { MarketStatus.Active },
        "paused" => new HashSet<MarketStatus> { MarketStatus.Inactive },
        "closed" => new HashSet<MarketStatus> { MarketStatus.Closed, MarketStatus.Determined },
        "settled" => new HashSet<MarketStatus> { MarketStatus.Finalized },
        var other => throw new BadRequestException($"status must be one of unopened, open, paused, closed, settled, not {other}"),
    };

    private static bool? Multivariate(RestQuery query) => query.Text("mve_filter") switch
    {
        null => null,
        "only" => true,
        "exclude" => false,
        var other => throw new BadRequestException($"mve_filter must be only or exclude, not {other}"),
    };
}
