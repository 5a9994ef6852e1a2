namespace MarketData.MockKalshi.Rest;

/// <summary>A query parameter or a field of a body is wrong; the message names it and what would be right.</summary>
internal sealed class BadRequestException(string message, string code = BadRequestException.Wrong) : Exception(message)
{
    public const string Wrong = "bad_request", Missing = "missing_parameters";

    /// <summary>The answer's error code.</summary>
    public string Code { get; } = code;
}
