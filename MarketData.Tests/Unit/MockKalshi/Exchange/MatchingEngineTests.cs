using CsCheck;
using MarketData.Domain.Books;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Exchange.Matching;

namespace MarketData.Tests.Unit.MockKalshi.Exchange;

/// <summary>What must hold after every order, whatever the orders are.</summary>
public class MatchingEngineTests
{
    private const int OrdersInOneRun = 500;

    private static readonly int Runs = Environment.GetEnvironmentVariable("MARKETDATA_SOAK") == "1" ? 2_000 : 60;

    private static readonly string[] Customers = ["ann", "ben", "cem", "dora"];

    /// <summary>An order, or the cancellation of one of those that rest when <c>Cancels</c> is set.</summary>
    private static readonly Gen<(bool Yes, int Price, int Count, int Customer, bool MayRest, int? Cancels)> Request =
        from yes in Gen.Bool
        from price in Gen.OneOf(Gen.Int[40, 60], Gen.Int[1, 99])
        from count in Gen.OneOf(Gen.Int[1, 500], Gen.Int[1, 100_000])
        from customer in Gen.Int[0, Customers.Length - 1]
        from mayRest in Gen.Frequency((4, Gen.Const(true)), (1, Gen.Const(false)))
        from cancels in Gen.Frequency((3, Gen.Const((int?)null)), (1, Gen.Int[0, 1_000].Select(index => (int?)index)))
        select (yes, price * 100, count, customer, mayRest, cancels);

    [Fact]
    public void Orders_trade_by_price_then_time_and_the_book_is_what_rests() => Request.Array[OrdersInOneRun].Sample(
        requests =>
        {
            var naive = new NaiveMatching();
            foreach (var step in Play(requests))
            {
                if (step.Placed is { } order)
                {
                    var trades = step.Execution.Fills.Select(fill => (fill.Resting, fill.Print.Count, fill.Print.YesPrice));
                    Assert.Equal(naive.Place(order, step.Count, step.MayRest), trades);
                }
                else
                {
                    naive.Cancel(step.Cancelled!);
                }

                foreach (var side in Sides) Assert.Equal(naive.Levels(side), step.Engine.Book.Levels(side).ToArray());
            }
        },
        iter: Runs);

    [Fact]
    public void The_book_never_crosses_and_its_changes_are_the_trades_and_what_rests() => Request.Array[OrdersInOneRun].Sample(
        requests =>
        {
            var rebuilt = new OrderBook();
            foreach (var step in Play(requests))
            {
                var (changes, fills) = (step.Execution.Changes, step.Execution.Fills);
                foreach (var change in changes) Assert.True(rebuilt.TryApply(change.Side, change.Price, change.Delta), $"{change} does not fit");
                Assert.True(rebuilt.ContentEquals(step.Engine.Book), "the changes do not add up to the book");
                Assert.True(Best(rebuilt, Side.Yes) + Best(rebuilt, Side.No) < FixedPoint.PriceScale, "the book is crossed");

                for (int i = 0; i < fills.Count; i++)
                    Assert.Equal((fills[i].Resting.Side, fills[i].Resting.Price, -fills[i].Print.Count), (changes[i].Side, changes[i].Price, changes[i].Delta));
                if (step.Placed is not { } order) continue;
                long traded = fills.Sum(fill => fill.Print.Count), rests = changes.Skip(fills.Count).Sum(change => change.Delta);
                Assert.Equal(step.Count, traded + order.Remaining);
                Assert.Equal(step.MayRest ? order.Remaining : 0, rests);
                Assert.All(fills, fill => Assert.True(CostTo(order.Side, fill.Print.YesPrice) <= order.Price, "an order paid more than its limit"));
            }
        },
        iter: Runs);

    [Fact]
    public void Contracts_are_conserved() => Request.Array[OrdersInOneRun].Sample(
        requests =>
        {
            var positions = new PositionBook();
            long traded = 0;
            foreach (var step in Play(requests))
            {
                foreach (var fill in step.Execution.Fills)
                {
                    positions.Record(fill.Print, step.Placed!.Customer, fill.Resting.Customer);
                    traded += fill.Print.Count;
                }

                var net = positions.ByCustomer.Values.Select(position => position.Net).ToList();
                Assert.Equal(net.Where(count => count > 0).Sum(), -net.Where(count => count < 0).Sum());
                Assert.Equal(net.Where(count => count > 0).Sum(), positions.OpenInterest);
            }

            Assert.Equal(2 * traded, positions.ByCustomer.Values.Sum(position => position.Volume));
            // Of every pair of contracts one dollar is paid in: it is in what is held, or was realized by somebody.
            long held = positions.ByCustomer.Values.Sum(position => position.Cost - position.RealizedProfit);
            Assert.Equal(positions.OpenInterest * FixedPoint.PriceScale, held);
        },
        iter: Runs);

    [Fact]
    public void Whether_an_order_would_trade_and_could_fill_is_known_before() => Request.Array[OrdersInOneRun].Sample(
        requests =>
        {
            foreach (var step in Play(requests))
            {
                if (step.Placed is not { } order) continue;
                Assert.Equal(step.Execution.Fills.Count > 0, step.Crossed);
                Assert.Equal(step.Execution.Fills.Sum(fill => fill.Print.Count) == step.Count, step.CouldFill);
            }
        },
        iter: Runs);

    [Fact]
    public void Selling_into_a_bid_trades_at_the_price_that_rested()
    {
        var engine = new MatchingEngine(Guid.NewGuid);
        var execution = new Execution();
        engine.Place(new Order("ann", Side.Yes, 4_700, 300), mayRest: true, execution);
        execution.Clear();

        // To sell YES at 0.45 is to bid 0.55 for NO.
        engine.Place(new Order("ben", Side.No, 5_500, 1_000), mayRest: true, execution);

        var fill = Assert.Single(execution.Fills);
        Assert.Equal((Side.No, 4_700, 300L), (fill.Print.Taker, fill.Print.YesPrice, fill.Print.Count));
        Assert.Equal([new BookChange(Side.Yes, 4_700, -300), new BookChange(Side.No, 5_500, 700)], execution.Changes);
    }

    private static readonly Side[] Sides = [Side.Yes, Side.No];

    /// <summary>One request as the engine took it.</summary>
    private sealed record Step(MatchingEngine Engine, Execution Execution)
    {
        public Order? Placed { get; init; }
        public Order? Cancelled { get; init; }
        public long Count { get; init; }
        public bool MayRest { get; init; }
        public bool Crossed { get; init; }
        public bool CouldFill { get; init; }
    }

    private static IEnumerable<Step> Play((bool Yes, int Price, int Count, int Customer, bool MayRest, int? Cancels)[] requests)
    {
        var engine = new MatchingEngine(Guid.NewGuid);
        var execution = new Execution();
        var placed = new List<Order>();
        foreach (var (yes, price, count, customer, mayRest, cancels) in requests)
        {
            execution.Clear();
            placed.RemoveAll(order => order.Queue is null);
            if (cancels is { } index && placed.Count > 0)
            {
                var cancelled = placed[index % placed.Count];
                engine.Cancel(cancelled, execution);
                yield return new Step(engine, execution) { Cancelled = cancelled };
                continue;
            }

            var order = new Order(Customers[customer], yes ? Side.Yes : Side.No, price, count);
            bool crossed = engine.Crosses(order.Side, price), couldFill = engine.CanFill(order.Side, price, count);
            engine.Place(order, mayRest, execution);
            placed.Add(order);
            yield return new Step(engine, execution) { Placed = order, Count = count, MayRest = mayRest, Crossed = crossed, CouldFill = couldFill };
        }
    }

    private static int CostTo(Side side, int yesPrice) => side == Side.Yes ? yesPrice : FixedPoint.PriceScale - yesPrice;

    private static int Best(OrderBook book, Side side) => book.Levels(side) is [.., var best] ? best.Price : 0;
}
