using System.Net;
using System.Text.Json.Nodes;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>The control API of faults as a test uses it.</summary>
internal static class FaultControl
{
    private const string Path = "/mock/faults";

    /// <summary>Adds a fault and gives its id.</summary>
    public static async Task<int> AddFaultAsync(this MockExchange exchange, string description)
    {
        using var answer = await exchange.PostFaultAsync(description);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (int)(await ReadAsync(answer))["id"]!;
    }

    public static async Task<HttpResponseMessage> PostFaultAsync(this MockExchange exchange, string description)
    {
        using var content = new StringContent(description);
        return await exchange.Http.PostAsync(Path, content, TestContext.Current.CancellationToken);
    }

    public static async Task RemoveFaultAsync(this MockExchange exchange, int id)
    {
        using var answer = await exchange.Http.DeleteAsync($"{Path}/{id}", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    public static async Task<JsonNode> RemoveAllFaultsAsync(this MockExchange exchange)
    {
        using var answer = await exchange.Http.DeleteAsync(Path, TestContext.Current.CancellationToken);
        return await ReadAsync(answer);
    }

    public static async Task<JsonArray> FaultsAsync(this MockExchange exchange) => (await exchange.GetAsync(Path))["faults"]!.AsArray();

    /// <summary>A fault's state and counters, as <c>spent 12/1</c>: seen, then fired.</summary>
    public static async Task<string> FaultAsync(this MockExchange exchange, int id)
    {
        var fault = (await exchange.FaultsAsync()).Single(fault => (int)fault!["id"]! == id)!;
        return $"{fault["state"]} {fault["seen"]}/{fault["fired"]}";
    }

    public static async Task<JsonNode> ReadAsync(HttpResponseMessage answer) =>
        JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
}
