using MarketData.MockKalshi.Authentication;
using Microsoft.AspNetCore.Http.Features;

namespace MarketData.MockKalshi.Rest;

/// <summary>Whose request it is, for the endpoints that need to know.</summary>
internal sealed record Customer(string Id)
{
    public static string Of(HttpContext context) => context.Features.GetRequiredFeature<Customer>().Id;
}

/// <summary>Lets through what a customer signed; anything else is a 401.</summary>
internal sealed class AuthenticationFilter(RequestAuthenticator authenticator) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var result = authenticator.Authenticate(context.HttpContext.Request);
        if (result.Customer is not { } customer)
        {
            await result.WriteAsync(context.HttpContext);
            return Results.Empty;
        }

        context.HttpContext.Features.Set(new Customer(customer));
        return await next(context);
    }
}
