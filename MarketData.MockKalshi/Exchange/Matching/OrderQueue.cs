namespace MarketData.MockKalshi.Exchange.Matching;

/// <summary>The orders that rest at one price, oldest first: linked through the orders, so that one in the midst leaves at no cost.</summary>
internal sealed class OrderQueue
{
    private Order? _last;

    public Order? First { get; private set; }

    public void Add(Order order)
    {
        order.Queue = this;
        order.Previous = _last;
        if (_last is { } last) last.Next = order;
        else First = order;
        _last = order;
    }

    public void Remove(Order order)
    {
        if (order.Previous is { } previous) previous.Next = order.Next;
        else First = order.Next;
        if (order.Next is { } next) next.Previous = order.Previous;
        else _last = order.Previous;
        (order.Queue, order.Previous, order.Next) = (null, null, null);
    }
}
