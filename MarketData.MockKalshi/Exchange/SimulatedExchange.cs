using System.Threading.Channels;
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
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(10);

    private readonly Channel<Action> _work =
        Channel.CreateBounded<Action>(new BoundedChannelOptions(PendingWork) { SingleReader = true });

    private readonly TimeProvider _timeProvider;
    private readonly MarketBoard _board = new();
    private readonly MarketPublisher _publisher;
    private readonly Simulation _simulation;
    private readonly long _started;

    public SimulatedExchange(IOptions<SimulationOptions> options, MockKalshiMetrics metrics, TimeProvider timeProvider)
    {
        _timeProvider = timeProvider;
        _started = timeProvider.GetTimestamp();
        _publisher = new MarketPublisher(_board, metrics, timeProvider);
        _simulation = new Simulation(options.Value, _board, _publisher, timeProvider.GetUtcNow());
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

    public ValueTask<IReadOnlyList<TradeView>> ListTradesAsync(TradeFilter filter, Guid? before, int limit, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<TradeView>>([]);

    public ValueTask<OrderOutcome> PlaceOrderAsync(string customer, OrderRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(OrderOutcome.Refused(OrderRefusal.NoOrderEntry));

    public ValueTask<OrderOutcome> CancelOrderAsync(string customer, Guid orderId, CancellationToken cancellationToken) =>
        ValueTask.FromResult(OrderOutcome.Refused(OrderRefusal.NoOrderEntry));

    public ValueTask<OrderView?> FindOrderAsync(string customer, Guid orderId, CancellationToken cancellationToken) =>
        ValueTask.FromResult<OrderView?>(null);

    public ValueTask<IReadOnlyList<OrderView>> ListOrdersAsync(
        OrderFilter filter, Guid? before, int limit, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<OrderView>>([]);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A full channel needs no wake-up: each item that is done wakes the simulation too.
        await using var timer = _timeProvider.CreateTimer(
            _ => _work.Writer.TryWrite(static () => { }), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        try
        {
            await foreach (var work in _work.Reader.ReadAllAsync(stoppingToken))
            {
                work();
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

    private TimeSpan UntilNext()
    {
        var pause = _simulation.Advance(_timeProvider.GetUtcNow(), _timeProvider.GetElapsedTime(_started));
        // A timer takes whole milliseconds: what is less than one would fire at once, again and again.
        return TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling(pause.TotalMilliseconds), 1, LongestPause.TotalMilliseconds));
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
