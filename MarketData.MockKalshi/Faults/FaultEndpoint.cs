using System.Net;
using System.Text;
using System.Text.Json;
using MarketData.MockKalshi.Rest;

namespace MarketData.MockKalshi.Faults;

/// <summary>The control API of faults, <c>/mock/faults</c>: for peers on this machine only.</summary>
internal static class FaultEndpoint
{
    private const int MaxDescriptionBytes = 16 * 1024;

    public static void MapFaults(this IEndpointRouteBuilder endpoints)
    {
        var faults = endpoints.MapGroup("/mock/faults");
        faults.AddEndpointFilter(RefuseOthersAsync);
        faults.MapGet("", (FaultRegistry registry) => Results.Stream(body => WriteListAsync(body, registry), "application/json"));
        faults.MapPost("", AddAsync);
        faults.MapDelete("", (FaultRegistry registry) => Results.Text($$"""{"removed":{{registry.RemoveAll()}}}""", "application/json"));
        faults.MapDelete("/{id:int}", RemoveAsync);
    }

    private static async ValueTask<object?> RefuseOthersAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        if (IsThisMachine(context.Connection.RemoteIpAddress)) return await next(invocation);
        await RestError.WriteAsync(context, StatusCodes.Status403Forbidden, "forbidden", "faults are controlled from the exchange's own machine only");
        return Results.Empty;
    }

    private static bool IsThisMachine(IPAddress? peer) =>
        peer is not null && IPAddress.IsLoopback(peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer);

    private static async Task AddAsync(HttpContext context, FaultRegistry registry)
    {
        try
        {
            var added = registry.Add(FaultCatalog.Create(await ReadAsync(context)));
            context.Response.StatusCode = StatusCodes.Status201Created;
            context.Response.Headers.Location = $"/mock/faults/{added.Fault.Id}";
            await AnswerAsync(context, added);
        }
        catch (BadFaultException exception)
        {
            await RestError.WriteAsync(context, StatusCodes.Status400BadRequest, "bad_request", exception.Message);
        }
    }

    private static async Task RemoveAsync(HttpContext context, FaultRegistry registry, int id)
    {
        if (registry.Remove(id) is { } removed) await AnswerAsync(context, removed);
        else await RestError.WriteAsync(context, StatusCodes.Status404NotFound, "not_found", $"fault not found: {id}; GET /mock/faults lists them");
    }

    private static async Task<string> ReadAsync(HttpContext context)
    {
        byte[] buffer = new byte[MaxDescriptionBytes + 1];
        int length = await context.Request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, context.RequestAborted);
        if (length > MaxDescriptionBytes) throw new BadFaultException($"the description has more than {MaxDescriptionBytes} bytes");
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    private static async Task AnswerAsync(HttpContext context, FaultView fault)
    {
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        Write(json, fault);
    }

    private static async Task WriteListAsync(Stream body, FaultRegistry registry)
    {
        await using var json = new Utf8JsonWriter(body);
        json.WriteStartObject();
        json.WriteNumber("last_connection", registry.LastConnection);
        json.WriteStartArray("faults");
        foreach (var fault in registry.List()) Write(json, fault);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, FaultView view)
    {
        json.WriteStartObject();
        json.WriteNumber("id", view.Fault.Id);
        json.WriteString("kind", view.Fault.Kind);
        json.WriteString("state", view.State switch
        {
            FaultState.Active => "active",
            FaultState.Spent => "spent",
            _ => "removed",
        });
        json.WriteNumber("seen", view.Seen);
        json.WriteNumber("fired", view.Fired);
        json.WriteStartObject("fields");
        foreach (var (name, value) in view.Fault.Given) json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
