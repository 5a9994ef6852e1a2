namespace MarketData.MockKalshi.Exchange;

/// <summary>
/// Lets the participants act at the configured rate: some markets are busy and most are quiet, and now and then one has a burst.
/// Owned by the exchange's loop.
/// </summary>
internal sealed class Simulation
{
    /// <summary>Between two ticker frames of one market at least this much time passes.</summary>
    private static readonly TimeSpan TickerInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>After a pause longer than this the changes that were missed are left out.</summary>
    private static readonly TimeSpan LongestLag = TimeSpan.FromSeconds(1);

    /// <summary>Steps in one go, so that commands do not wait long behind a busy exchange.</summary>
    private const int LongestRun = 500;

    private const int ShortLivedEvery = 8, BurstSteps = 25;
    private const double BurstChance = 0.003, ActivityExponent = 0.8;

    private readonly Random _random;
    private readonly OrderFlow _flow;
    private readonly MarketPublisher _publisher;
    private readonly MarketLifecycle _lifecycle;
    private readonly SimulatedMarket[] _slots;
    private readonly double[] _cumulativeActivity;
    private readonly double _rate;
    private readonly List<SimulatedMarket> _tickersDue = [];
    private TimeSpan _nextStep, _nextTickers;

    public Simulation(SimulationOptions options, MarketBoard board, MarketPublisher publisher, DateTimeOffset now)
    {
        _random = new Random(options.Seed);
        _publisher = publisher;
        _rate = options.Rate;
        _flow = new OrderFlow(_random, options.WholeUnits);
        var catalog = new MarketCatalog(_random, options.WholeUnits);
        _lifecycle = new MarketLifecycle(board, publisher, catalog, _flow, _random, options.ShortMarketLife) { Succeeded = Replace };
        _slots = new SimulatedMarket[options.Markets];
        for (int i = 0; i < _slots.Length; i++) _slots[i] = _lifecycle.OpenInitial(i % ShortLivedEvery == ShortLivedEvery - 1, now);
        _cumulativeActivity = Activity(_slots.Length);
        _nextStep = _rate > 0 ? TimeSpan.Zero : TimeSpan.MaxValue;
    }

    /// <summary>Does what is due and returns how long to wait before coming again.</summary>
    /// <param name="now">Exchange time, which messages carry and markets close by.</param>
    /// <param name="elapsed">Time since the start on a clock that never steps: it paces the participants.</param>
    public TimeSpan Advance(DateTimeOffset now, TimeSpan elapsed)
    {
        _lifecycle.Advance(now);
        if (_nextStep < elapsed - LongestLag) _nextStep = elapsed - LongestLag;
        for (int i = 0; i < LongestRun && _nextStep <= elapsed; i++) Step(now);
        if (_tickersDue.Count > 0 && _nextTickers <= elapsed) PublishTickers(now, elapsed);

        var pause = Shorter(_nextStep - elapsed, _lifecycle.NextDue - now);
        if (_tickersDue.Count > 0) pause = Shorter(pause, _nextTickers - elapsed);
        return pause > TimeSpan.Zero ? pause : TimeSpan.Zero;
    }

    private void Step(DateTimeOffset now)
    {
        var market = PickMarket();
        int steps = _random.NextDouble() < BurstChance ? BurstSteps : 1;
        int changes = 0;
        for (int i = 0; i < steps && market.Status == MarketStatus.Active; i++)
        {
            var before = market.Quotes;
            _flow.Step(market);
            foreach (var change in _flow.Changes) _publisher.PublishChange(market, change, now);
            foreach (var trade in _flow.Trades) _publisher.PublishTrade(market, trade, now);
            changes += _flow.Changes.Count;
            if (!market.TickerDue && before != market.Quotes)
            {
                market.TickerDue = true;
                _tickersDue.Add(market);
            }
        }

        // Exponential pauses make a Poisson stream of the configured mean.
        _nextStep += TimeSpan.FromSeconds(-Math.Log(1 - _random.NextDouble()) * Math.Max(changes, 1) / _rate);
    }

    private void PublishTickers(DateTimeOffset now, TimeSpan elapsed)
    {
        foreach (var market in _tickersDue)
        {
            market.TickerDue = false;
            _publisher.PublishTicker(market, now);
        }

        _tickersDue.Clear();
        _nextTickers = elapsed + TickerInterval;
    }

    private SimulatedMarket PickMarket()
    {
        int index = Array.BinarySearch(_cumulativeActivity, _random.NextDouble() * _cumulativeActivity[^1]);
        return _slots[Math.Min(index < 0 ? ~index : index, _slots.Length - 1)];
    }

    private void Replace(SimulatedMarket closed, SimulatedMarket successor) => _slots[Array.IndexOf(_slots, closed)] = successor;

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    /// <summary>Activity falls off as 1/rank^0.8, with ranks dealt out at random.</summary>
    private double[] Activity(int count)
    {
        int[] ranks = Enumerable.Range(1, count).ToArray();
        _random.Shuffle(ranks);
        double[] cumulative = new double[count];
        double sum = 0;
        for (int i = 0; i < count; i++) cumulative[i] = sum += Math.Pow(ranks[i], -ActivityExponent);
        return cumulative;
    }
}
