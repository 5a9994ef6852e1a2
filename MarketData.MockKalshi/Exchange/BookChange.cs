using MarketData.Domain.Books;

namespace MarketData.MockKalshi.Exchange;

/// <summary>A signed change of one level: price in 1/10,000 dollar, delta in 1/100 contract.</summary>
internal readonly record struct BookChange(Side Side, int Price, long Delta);
