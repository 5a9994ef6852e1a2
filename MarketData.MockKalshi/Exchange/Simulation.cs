using MarketData.MockKalshi.Exchange.Truth;

namespace MarketData.MockKalshi.Exchange;

/// <summary>
/// Lets the participants act at the configured rate: some markets are busy and most are quiet, and now and then one has a burst.
/// Owned by the exchange's loop.
/// </summary>
internal sealed class Simulation
{
    private const int ShortLivedEvery = 8;
    private const double BurstChance = 0.003, ActivityExponent = 0.8;

    /// <summary>Three years: at the smallest rates a pause would not fit a <see cref="TimeSpan"/>.</summary>
    private const double LongestPauseSeconds = 1e8;

    private readonly Random _random;
    private readonly OrderFlow _flow;
    private readonly Timeline _timeline;
    private readonly ChangeHistory _history;
    private readonly SimulatedMarket[] _slots;
    private readonly Dictionary<SimulatedMarket, int> _slotOf = [];
    private readonly double[] _cumulativeActivity;
    private readonly double _rate;
    private readonly int _burst;

    public Simulation(
        SimulationOptions options, Random random, OrderFlow flow, MarketLifecycle lifecycle, Timeline timeline, ChangeHistory history)
    {
        (_random, _flow, _timeline, _history) = (random, flow, timeline, history);
        (_rate, _burst) = (options.Rate, options.Burst);
        lifecycle.Succeeded = Replace;
        _slots = new SimulatedMarket[options.Markets];
        for (int i = 0; i < _slots.Length; i++)
        {
            _slots[i] = lifecycle.OpenInitial(IsShortLived(i), timeline.Now);
            _slotOf.Add(_slots[i], i);
        }

        _cumulativeActivity = Activity(_slots.Length);
        if (_rate > 0) timeline.Schedule(timeline.Now, Step);
    }

    /// <summary>Markets of daily events among so many.</summary>
    public static int DailyMarkets(int markets) => markets - markets / ShortLivedEvery;

    private static bool IsShortLived(int slot) => slot % ShortLivedEvery == ShortLivedEvery - 1;

    private void Step(DateTimeOffset now)
    {
        var market = PickMarket();
        int acts = _random.NextDouble() < BurstChance ? _burst : 1;
        long before = _history.Last;
        for (int i = 0; i < acts && market.Status == MarketStatus.Active; i++) _flow.Step(market, now);

        // Exponential pauses make a Poisson stream of the configured mean.
        long changes = Math.Max(_history.Last - before, 1);
        double pause = -Math.Log(1 - _random.NextDouble()) * changes / _rate;
        _timeline.Schedule(now + TimeSpan.FromSeconds(Math.Min(pause, LongestPauseSeconds)), Step);
    }

    private SimulatedMarket PickMarket()
    {
        int index = Array.BinarySearch(_cumulativeActivity, _random.NextDouble() * _cumulativeActivity[^1]);
        return _slots[Math.Min(index < 0 ? ~index : index, _slots.Length - 1)];
    }

    private void Replace(SimulatedMarket closed, SimulatedMarket successor)
    {
        _slotOf.Remove(closed, out int slot);
        _slotOf.Add(successor, slot);
        _slots[slot] = successor;
    }

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
