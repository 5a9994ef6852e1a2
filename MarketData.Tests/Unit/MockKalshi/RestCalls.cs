using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>An answer with its body; every body of the exchange is JSON.</summary>
internal sealed record RestAnswer(HttpStatusCode Status, string? CacheControl, JsonNode Body)
{
    public string? Code => (string?)Body["error"]!["code"];

    public string Message => (string)Body["error"]!["message"]!;
}

/// <summary>Calls whose answer may be an error.</summary>
internal static class RestCalls
{
    public static Task<RestAnswer> AskAsync(this MockExchange exchange, string path) => exchange.SendAsync(HttpMethod.Get, path);

    public static Task<RestAnswer> PostAsync(this MockExchange exchange, string path, string body) => exchange.SendAsync(HttpMethod.Post, path, body);

    public static Task<RestAnswer> DeleteAsync(this MockExchange exchange, string path) => exchange.SendAsync(HttpMethod.Delete, path);

    public static async Task<RestAnswer> SendAsync(this MockExchange exchange, HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await exchange.SendAsync(request);
    }

    public static async Task<RestAnswer> SendAsync(this MockExchange exchange, HttpRequestMessage request)
    {
        using var answer = await exchange.Http.SendAsync(request, TestContext.Current.CancellationToken);
        string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        return new RestAnswer(answer.StatusCode, answer.Headers.CacheControl?.ToString(), JsonNode.Parse(text)!);
    }

    public static string[] Texts(this JsonNode array, string field) => array.AsArray().Select(entry => (string)entry![field]!).ToArray();
}
