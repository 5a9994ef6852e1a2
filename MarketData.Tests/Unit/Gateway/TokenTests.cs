using System.Net;
using MarketData.Tests.Unit.ServiceDefaults;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>JSON web tokens as credentials.</summary>
public sealed class TokenTests
{
    private readonly TokenIssuer _issuer = new();

    [Fact]
    public async Task A_token_opens_the_WebSocket_and_the_api_as_bearer_and_in_the_query()
    {
        await using var gateway = await GatewayHost.StartAsync(_issuer.Settings);

        await using var bearer = await gateway.ConnectAsync(("Authorization", $"Bearer {_issuer.Token()}"));
        await using var query = await GatewayConnection.OpenAsync(new Uri($"{gateway.Endpoint}?api_key={_issuer.Token()}"));
        using var stats = await gateway.Http.GetAsync($"/stats?api_key={_issuer.Token()}", TestContext.Current.CancellationToken);

        await bearer.PingAsync();
        await query.PingAsync();
        Assert.Equal(HttpStatusCode.OK, stats.StatusCode);
    }

    [Fact]
    public async Task A_token_that_is_not_good_is_refused_with_what_is_wrong()
    {
        await using var gateway = await GatewayHost.StartAsync(_issuer.Settings);
        (string Token, string Error)[] cases =
        [
            (_issuer.Token(life: TimeSpan.FromMinutes(-10)), "The token has expired: connect with a new one."),
            (_issuer.Token(audience: "another-service"), "The token is for another audience: its aud must be 'market-data'."),
            (_issuer.Token(issuer: "https://other.example"), "The token comes from an issuer that is not accepted here."),
            (_issuer.Token(subject: null), "The token has no subject: it needs a claim sub."),
            (new TokenIssuer().Token(), "The token is not valid: it is no JSON web token that an accepted key has signed."),
            ("not.a.token", "The token is not valid: it is no JSON web token that an accepted key has signed."),
            // RFC 7519, section 6: no signature at all.
            ("eyJhbGciOiJub25lIn0." + _issuer.Token().Split('.')[1] + ".", "The token is not valid: it is no JSON web token that an accepted key has signed."),
        ];

        foreach (var (token, error) in cases)
        {
            var refusal = await gateway.RefusalAsync(("Authorization", $"Bearer {token}"));

            Assert.Equal((HttpStatusCode.Unauthorized, error), (refusal.Status, refusal.Error));
        }
    }

    [Fact]
    public async Task Limits_hold_for_each_subject()
    {
        await using var gateway = await GatewayHost.StartAsync([.. _issuer.Settings, "--Authentication:Jwt:MaxConnections=1"]);
        await using var alice = await gateway.ConnectAsync(("Authorization", $"Bearer {_issuer.Token("alice")}"));
        await using var bob = await gateway.ConnectAsync(("Authorization", $"Bearer {_issuer.Token("bob")}"));

        var refusal = await gateway.RefusalAsync(("Authorization", $"Bearer {_issuer.Token("alice")}"));

        Assert.Equal(HttpStatusCode.TooManyRequests, refusal.Status);
    }

    [Fact]
    public async Task A_connection_ends_with_its_token()
    {
        await using var gateway = await GatewayHost.StartAsync(_issuer.Settings);
        await using var lasting = await gateway.ConnectAsync(("Authorization", $"Bearer {_issuer.Token()}"));
        // Expired by less than what clocks may differ by.
        await using var ending = await gateway.ConnectAsync(("Authorization", $"Bearer {_issuer.Token(life: TimeSpan.FromSeconds(-1))}"));

        Assert.Equal((1008, "The token has expired: connect again with a new one."), await ending.ClosedAsync());
        await lasting.PingAsync();
    }

    [Fact]
    public async Task Tokens_of_an_authority_are_checked_with_the_keys_that_it_publishes()
    {
        await using var authority = await TokenAuthority.StartAsync();
        await using var other = await TokenAuthority.StartAsync();
        await using var gateway = await GatewayHost.StartAsync(
            "--Authentication:Enabled=true", $"--Authentication:Jwt:Authority={authority.Address}", $"--Authentication:Jwt:Audience={TokenIssuer.Audience}");

        await using var client = await gateway.ConnectAsync(("Authorization", $"Bearer {authority.Token("alice", TokenIssuer.Audience)}"));
        var foreign = await gateway.RefusalAsync(("Authorization", $"Bearer {other.Token("alice", TokenIssuer.Audience)}"));
        var elsewhere = await gateway.RefusalAsync(("Authorization", $"Bearer {authority.Token("alice", "another-service")}"));
        var homemade = await gateway.RefusalAsync(("Authorization", $"Bearer {_issuer.Token(issuer: authority.Address)}"));

        await client.PingAsync();
        Assert.All([foreign, elsewhere, homemade], refusal => Assert.Equal(HttpStatusCode.Unauthorized, refusal.Status));
    }

    [Fact]
    public async Task While_the_authority_does_not_answer_a_token_is_neither_good_nor_bad()
    {
        using var authority = new ClosedPort();
        await using var gateway = await GatewayHost.StartAsync(
            "--Authentication:Enabled=true", $"--Authentication:Jwt:Authority=http://{authority.Address}", $"--Authentication:Jwt:Audience={TokenIssuer.Audience}");

        var refusal = await gateway.RefusalAsync(("Authorization", $"Bearer {_issuer.Token()}"));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "The token cannot be verified now: its authority does not answer."), (refusal.Status, refusal.Error));
        Assert.True(refusal.RetryAfter > 0);
    }
}
