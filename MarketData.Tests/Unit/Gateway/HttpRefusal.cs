using System.Net;
using System.Text.Json;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>An answer that says no, and why.</summary>
internal sealed record HttpRefusal(HttpStatusCode Status, string Error, int? RetryAfter, string? Challenge)
{
    public static async Task<HttpRefusal> ReadAsync(HttpResponseMessage response)
    {
        using (response)
        {
            // Nothing to read after an upgrade but the WebSocket itself.
            Assert.NotEqual(HttpStatusCode.SwitchingProtocols, response.StatusCode);
            using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            return new HttpRefusal(
                response.StatusCode, body.RootElement.GetProperty("error").GetString()!, (int?)response.Headers.RetryAfter?.Delta?.TotalSeconds, response.Headers.WwwAuthenticate.FirstOrDefault()?.Scheme);
        }
    }
}
