using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway.Admission;

/// <summary>Puts admission into the application.</summary>
internal static class AdmissionServices
{
    // Both write whole request targets into the log, and with them keys in queries, from the level on that an operator sets for them.
    private static readonly string[] LogsOfTargets = ["Microsoft.AspNetCore.Hosting.Diagnostics", "Microsoft.AspNetCore.Server.Kestrel.BadRequests"];

    public static void AddAdmission(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<AdmissionOptions>().BindConfiguration(GatewayOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IValidateOptions<AdmissionOptions>, AdmissionRules>();
        services.AddOptions<CredentialOptions>().BindConfiguration(CredentialOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<CredentialOptions>, CredentialRules>();

        services.AddTokens();
        services.AddSingleton<ApiKeyRing>();
        services.AddSingleton<Authenticator>();
        services.AddSingleton<ConnectionSlots>();
        services.AddSingleton<AdmissionGate>();
        services.AddSingleton<HandshakeDeadline>();
        services.AddSingleton<IConfigureOptions<KestrelServerOptions>>(provider => provider.GetRequiredService<HandshakeDeadline>());
        foreach (var category in LogsOfTargets) builder.Logging.AddFilter(category, LogLevel.Warning);
    }

    public static void UseAdmission(this WebApplication app)
    {
        app.Use(HandshakeDeadline.MeetAsync);
        var proxies = AdmissionRules.ProxyNetworks(app.Services.GetRequiredService<IOptions<AdmissionOptions>>().Value).ToList();
        if (proxies.Count == 0) return;
        // Without a limit: every hop is believed as far as it is a trusted proxy, and the first that is not is the client.
        var forwarded = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = null };
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var network in proxies) forwarded.KnownIPNetworks.Add(network);
        app.UseForwardedHeaders(forwarded);
    }
}
