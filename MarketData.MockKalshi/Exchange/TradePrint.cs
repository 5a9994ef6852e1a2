using MarketData.Domain.Books;

namespace MarketData.MockKalshi.Exchange;

/// <summary>One trade. YES price in 1/10,000 dollar, count in 1/100 contract.</summary>
/// <param name="Id">Unique.</param>
/// <param name="Taker">The outcome that the taker bought.</param>
/// <param name="YesPrice">What YES cost; NO cost the rest of a dollar.</param>
/// <param name="Count">Contracts.</param>
internal readonly record struct TradePrint(Guid Id, Side Taker, int YesPrice, long Count);
