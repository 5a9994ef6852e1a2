using MarketData.MockKalshi.Authentication;
using Microsoft.Net.Http.Headers;

namespace MarketData.MockKalshi.Rest;

/// <summary>The REST API, <c>/trade-api/v2</c>: what holds for every call of it (protocol reference, section 3).</summary>
internal static class RestEndpoints
{
    public static void MapRest(this IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup("/trade-api/v2");
        // One for all: a filter given by its type would be made anew for each call.
        api.AddEndpointFilter((invocation, next) =>
            invocation.HttpContext.RequestServices.GetRequiredService<RateLimitFilter>().InvokeAsync(invocation, next));
        api.AddEndpointFilter(AnswerBadRequestsAsync);

        var marketData = api.MapGroup("");
        marketData.AddEndpointFilter(AllowCachingAsync);
        marketData.MapExchange();
        marketData.MapMarkets();
        marketData.MapEvents();

        var portfolio = api.MapGroup("/portfolio");
        portfolio.AddEndpointFilter<AuthenticationFilter>();
        portfolio.MapOrders();

        // The pattern of its own: the default one leaves out paths whose last part has a dot, as many tickers have.
        api.MapFallback("{*path}", (HttpContext context) => RestError.WriteAsync(
            context, StatusCodes.Status404NotFound, "not_found", $"no such resource: {context.Request.Method} {context.Request.Path}"));
    }

    private static async ValueTask<object?> AnswerBadRequestsAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        try
        {
            return await next(invocation);
        }
        catch (BadRequestException exception)
        {
            await RestError.WriteAsync(invocation.HttpContext, StatusCodes.Status400BadRequest, exception.Code, exception.Message);
        }
        catch (BadHttpRequestException exception)
        {
            // The server refuses a body that is too long, or broken in its framing, when it is read.
            await RestError.WriteAsync(invocation.HttpContext, exception.StatusCode, BadRequestException.Wrong, exception.Message);
        }

        return Results.Empty;
    }

    /// <summary>What nobody signed comes from a cache that may be 15 s old; this exchange only says so.</summary>
    private static ValueTask<object?> AllowCachingAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var response = invocation.HttpContext.Response;
        if (!invocation.HttpContext.Request.Headers.ContainsKey(RequestAuthenticator.KeyHeader))
        {
            response.OnStarting(() =>
            {
                if (response.StatusCode == StatusCodes.Status200OK) response.Headers[HeaderNames.CacheControl] = "public, max-age=15";
                return Task.CompletedTask;
            });
        }

        return next(invocation);
    }
}
