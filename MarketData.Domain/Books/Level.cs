namespace MarketData.Domain.Books;

/// <summary>The two bid ladders of a market; a NO bid at p is a YES ask at 1-p.</summary>
public enum Side : byte
{
    Yes,
    No,
}

/// <summary>Resting bids at one price.</summary>
/// <param name="Price">1/10,000 dollar.</param>
/// <param name="Count">1/100 contract, above zero.</param>
public readonly record struct Level(int Price, long Count);
