namespace MarketData.Gateway.Admission;

/// <summary>Why a request was not let in, for counters.</summary>
public enum RefusalReason : byte
{
    /// <summary>The gateway stops.</summary>
    Draining,

    /// <summary>A page of an origin that is not allowed.</summary>
    Origin,

    /// <summary>No credential, or one that is not accepted.</summary>
    Credential,

    /// <summary>What tells whether a token is good does not answer.</summary>
    Authority,

    /// <summary>Connections in total.</summary>
    Full,

    /// <summary>Connections of one address.</summary>
    Address,

    /// <summary>Connections of one API key or token subject.</summary>
    Caller,
}

/// <summary>A request that is not let in: its status and what the other side is told.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Error">What is wrong and what would be right.</param>
public sealed record Refusal(RefusalReason Reason, int Status, string Error)
{
    /// <summary>Seconds after which it may be different; null when waiting does not help.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>Answers with <c>{"error":"…"}</c>.</summary>
    public Task WriteAsync(HttpResponse response)
    {
        response.StatusCode = Status;
        response.Headers.CacheControl = "no-store";
        if (RetryAfter is { } seconds) response.Headers.RetryAfter = $"{seconds}";
        if (Status == StatusCodes.Status401Unauthorized) response.Headers.WWWAuthenticate = "Bearer";
        return response.WriteAsJsonAsync(new { error = Error }, response.HttpContext.RequestAborted);
    }
}

/// <summary>What was granted, or why not.</summary>
/// <param name="Granted">Null when refused.</param>
/// <param name="Refusal">Null when granted.</param>
public readonly record struct Decision<T>(T? Granted, Refusal? Refusal)
    where T : class
{
    public static implicit operator Decision<T>(T granted) => new(granted, null);

    public static implicit operator Decision<T>(Refusal refusal) => new(null, refusal);
}
