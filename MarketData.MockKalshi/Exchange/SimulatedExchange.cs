using System.Threading.Channels;
using MarketData.MockKalshi.Exchange.Truth;
using MarketData.MockKalshi.Protocol;
using Microsoft.Extensions.Options;

namespace MarketData.MockKalshi.Exchange;

/// <summary>
/// The simulated exchange: one loop owns every market, book and live subscription. Commands and REST queries come to it as work
/// through a bounded channel and run between two steps of the simulation.
/// </summary>
internal sealed class SimulatedExchange : BackgroundService, IExchange
{
    private const int PendingWork = 1024;

    /// <summary>Events in one go, so that commands do not wait long behind a busy exchange.</summary>
    private const int LongestRun = 500;

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(10);

    private readonly Channel<Action> _work =
        Channel.CreateBounded<Action>(new BoundedChannelOptions(PendingWork) { SingleReader = true });

    private readonly TimeProvider _timeProvider;
    private readonly ExchangeClock _clock;
    private readonly Timeline _timeline;
    private readonly ChangeHistory _history = new();
    private readonly TradeTape _tape = new();
    private readonly MarketBoard _board = new();
    private readonly MarketPublisher _publisher;
    private readonly OrderDesk _desk;

    public SimulatedExchange(IOptions<SimulationOptions> options, MockKalshiMetrics metrics, TimeProvider timeProvider)
    {
        var settings = options.Value;
        _timeProvider = timeProvider;
        _clock = new ExchangeClock(timeProvider, settings.ClockSpeed);
        _timeline = new Timeline((settings.Start ?? timeProvider.GetUtcNow()).ToUniversalTime());
        _publisher = new MarketPublisher(_board, _history, _timeline, metrics);
        var floor = new TradingFloor(_publisher, new TickerConflation(_publisher, _timeline), _history, _tape);

        // One source each, so that customers' orders draw nothing from what the participants and the life cycle draw.
        Random random = new(settings.Seed), tradeIds = new(~settings.Seed), orderIds = new(settings.Seed ^ int.MinValue);
        var flow = new OrderFlow(floor, random);
        var catalog = new MarketCatalog(random, _timeline.Now, Simulation.DailyMarkets(settings.Markets), settings.WholeUnits);
        var lifecycle = new MarketLifecycle(
            _board, _publisher, catalog, flow, floor, _timeline, random, () => RandomUuid.Next(tradeIds), settings.ShortMarketLife);
        _desk = new OrderDesk(_board, floor, _publisher, _timeline, orderIds);
        new Simulation(settings, random, flow, lifecycle, _timeline, _history).Begin();
    }

    public async Task ServeAsync(Session session, ChannelReader<Command> commands, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var command in commands.ReadAllAsync(cancellationToken))
            {
                // The answers to one command may be large; the next waits until most of them has been sent.
                await session.Outbound.WaitForRoomAsync(cancellationToken);
                await InLoopAsync(
                    () =>
                    {
                        session.Execute(command, _publisher);
                        return true;
                    },
                    cancellationToken);
            }
        }
        finally
        {
            await LeaveAsync(session);
        }
    }

    public async ValueTask<IReadOnlyList<MarketView>> ListMarketsAsync(
        MarketFilter filter, string? after, int limit, CancellationToken cancellationToken) =>
        await InLoopAsync(() => _board.List(filter, after, limit), cancellationToken);

    public async ValueTask<MarketView?> FindMarketAsync(string ticker, CancellationToken cancellationToken) =>
        await InLoopAsync(() => _board.Find(ticker)?.View, cancellationToken);

    public async ValueTask<BookView?> ReadBookAsync(string ticker, CancellationToken cancellationToken) =>
        await InLoopAsync(() => _board.Find(ticker) is { } market ? BookView.Of(market.Book) : null, cancellationToken);

    public async ValueTask<IReadOnlyList<TradeView>> ListTradesAsync(
        TradeFilter filter, Guid? before, int limit, CancellationToken cancellationToken) =>
        await InLoopAsync(() => _tape.List(filter, before, limit), cancellationToken);

    public async ValueTask<OrderOutcome> PlaceOrderAsync(string customer, OrderRequest request, CancellationToken cancellationToken) =>
        await InLoopAsync(() => _desk.Place(customer, request), cancellationToken);

    public async ValueTask<OrderOutcome> CancelOrderAsync(string customer, Guid orderId, CancellationToken cancellationToken) =>
        await InLoopAsync(() => _desk.Cancel(customer, orderId), cancellationToken);

    public async ValueTask<OrderView?> FindOrderAsync(string customer, Guid orderId, CancellationToken cancellationToken) =>
        await InLoopAsync(() => _desk.Find(customer, orderId)?.View, cancellationToken);

    public async ValueTask<IReadOnlyList<OrderView>> ListOrdersAsync(
        OrderFilter filter, Guid? before, int limit, CancellationToken cancellationToken) =>
        await InLoopAsync(() => _desk.List(filter, before, limit), cancellationToken);

    public async ValueTask<TruthAnswer> ReadTruthAsync(string ticker, long? atSeq, CancellationToken cancellationToken) =>
        await InLoopAsync(() => ReadTruth(ticker, atSeq), cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A full channel needs no wake-up: each item that is done wakes the exchange too.
        await using var timer = _timeProvider.CreateTimer(
            _ => _work.Writer.TryWrite(static () => { }), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        _clock.Set(_timeline.Now);
        try
        {
            while (await _work.Reader.WaitToReadAsync(stoppingToken))
            {
                await RunAsync(stoppingToken);
                timer.Change(UntilNext(), Timeout.InfiniteTimeSpan);
            }
        }
        finally
        {
            // Whoever waits for an answer still gets it; after this the channel refuses.
            _work.Writer.TryComplete();
            while (_work.Reader.TryRead(out var work)) work();
        }
    }

    /// <summary>Does the work that waits, each piece at the present of the exchange, and ends when exchange time has been caught up with.</summary>
    private async Task RunAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            stoppingToken.ThrowIfCancellationRequested();
            bool caughtUp = _timeline.RunUntil(_clock.Now, LongestRun);
            if (_work.Reader.TryRead(out var work)) work();
            else if (caughtUp) return;
            if (caughtUp) continue;
            _clock.Follow(_timeline.Now);
            await Task.Yield();
        }
    }

    private TimeSpan UntilNext()
    {
        if (_timeline.NextDue is not { } due) return LongestPause;
        // A timer takes whole milliseconds: what is less than one would fire at once, again and again.
        return TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling(_clock.Until(due).TotalMilliseconds), 1, LongestPause.TotalMilliseconds));
    }

    private TruthAnswer ReadTruth(string ticker, long? atSeq)
    {
        if (_board.Find(ticker) is not { } market) return TruthAnswer.Missing(TruthGap.UnknownMarket);
        if (atSeq is not { } seq) return new TruthAnswer(BookView.Of(market.Book), _history.Last, null);
        // Who subscribed last stands last.
        if (market.BookSubscriptions is not [.., var subscription]) return TruthAnswer.Missing(TruthGap.NotSubscribed);
        if (seq > subscription.LastSeq) return TruthAnswer.Missing(TruthGap.SeqNotReached);
        return subscription.Trail.PositionAt(seq) is { } change && _history.AsOf(market.Book, market.LastChange, change) is { } book
            ? new TruthAnswer(BookView.Of(book), change, null)
            : TruthAnswer.Missing(TruthGap.NoLongerHeld);
    }

    private async Task LeaveAsync(Session session)
    {
        try
        {
            await InLoopAsync(
                () =>
                {
                    _publisher.Leave(session);
                    return true;
                },
                CancellationToken.None).WaitAsync(LeaveTimeout, _timeProvider);
        }
        catch (ChannelClosedException)
        {
            // The exchange has stopped, and its subscriptions went with it.
        }
    }

    /// <summary>Runs in the loop that owns the markets.</summary>
    private async Task<T> InLoopAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _work.Writer.WriteAsync(() => Complete(completion, work), cancellationToken);
        return await completion.Task.WaitAsync(cancellationToken);
    }

    private static void Complete<T>(TaskCompletionSource<T> completion, Func<T> work)
    {
        try
        {
            completion.SetResult(work());
        }
#pragma warning disable CA1031 // The failure belongs to whoever asked; the exchange goes on.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            completion.SetException(exception);
        }
    }
}
