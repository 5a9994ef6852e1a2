namespace Aspire.Hosting;

/// <summary>Healthy while a GET answers with the expected status.</summary>
internal static class HttpCheck
{
    private static readonly HttpClient Client = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false })
    {
        Timeout = Timeout.InfiniteTimeSpan, // the monitor's token limits every check
    };

    public static async Task<string?> RunAsync(int port, string path, int expectedStatus, CancellationToken cancellationToken)
    {
        using var response = await Client.GetAsync(new Uri($"http://localhost:{port}/{path.TrimStart('/')}"), cancellationToken);
        if ((int)response.StatusCode == expectedStatus)
            return null;
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        return $"GET {path} answered {(int)response.StatusCode} {response.ReasonPhrase} instead of {expectedStatus}{(body.Length == 0 ? "" : ": ")}{body[..Math.Min(body.Length, 300)]}";
    }
}
