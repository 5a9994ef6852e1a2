namespace MarketData.Gateway.Admission;

/// <summary>Asks for the same credentials on an HTTP endpoint as on the WebSocket.</summary>
internal sealed class CallerFilter(AdmissionGate gate) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if ((await gate.AdmitAsync(context.HttpContext)).Refusal is not { } refusal) return await next(context);
        await refusal.WriteAsync(context.HttpContext.Response);
        return Results.Empty;
    }
}
