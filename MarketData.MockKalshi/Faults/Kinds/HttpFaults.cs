using MarketData.MockKalshi.Authentication;
using MarketData.MockKalshi.Rest;

namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary>An HTTP request of which a fault may make something else.</summary>
internal abstract class RequestFault(FaultFields fields, string path) : Fault(fields, otherwiseCount: 1)
{
    /// <param name="request">A request below <c>/trade-api</c>.</param>
    public bool Concerns(HttpRequest request) => request.Path.StartsWithSegments(path, StringComparison.Ordinal);
}

/// <summary>
/// <c>handshake-status</c> and <c>rest-status</c>: a request is refused with 401, 429 or 503, in the words of the exchange (protocol
/// reference, sections 1.2 and 3).
/// </summary>
internal sealed class StatusFault(FaultFields fields, string path) : RequestFault(fields, path)
{
    private readonly int _status = int.Parse(fields.Choice("status", "503", "429", "401"), System.Globalization.CultureInfo.InvariantCulture);

    public Task AnswerAsync(HttpContext context) => _status switch
    {
        StatusCodes.Status401Unauthorized => AuthenticationResult.Refused("NOT_FOUND").WriteAsync(context),
        StatusCodes.Status429TooManyRequests => RestError.WriteTooManyRequestsAsync(context),
        _ => RestError.WriteAsync(context, _status, "service_unavailable", "the exchange is not available"),
    };
}

/// <summary><c>slow-rest</c>: a REST request waits before it is answered as usual.</summary>
internal sealed class SlowRestFault(FaultFields fields, string path) : RequestFault(fields, path)
{
    public TimeSpan Delay { get; } = TimeSpan.FromMilliseconds(fields.Number("milliseconds", 1000, 1, 600_000));
}
