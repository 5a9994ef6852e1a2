using MarketData.Domain.Books;

namespace MarketData.MockKalshi.Exchange.Matching;

/// <summary>A bid for contracts of one outcome. Owned by the loop of the engine that it is placed with.</summary>
/// <param name="customer">Whose it is.</param>
/// <param name="side">The ladder that it bids on.</param>
/// <param name="price">The most to pay for one contract of that outcome, 1/10,000 dollar.</param>
/// <param name="count">1/100 contract.</param>
internal class Order(string customer, Side side, int price, long count)
{
    public string Customer { get; } = customer;
    public Side Side { get; } = side;
    public int Price { get; } = price;

    /// <summary>Neither traded nor cancelled, 1/100 contract.</summary>
    public long Remaining { get; set; } = count;

    /// <summary>The customer's own name for the order, which only the customer sees.</summary>
    public virtual string? ClientOrderId => null;

    /// <summary>The queue in which it rests; null when it does not rest.</summary>
    public OrderQueue? Queue { get; set; }

    /// <summary>Its neighbours in that queue.</summary>
    public Order? Previous { get; set; }

    public Order? Next { get; set; }
}
