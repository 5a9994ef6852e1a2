namespace Aspire.StackExchange.Redis;

/// <summary>Settings of the Redis client: section <c>Aspire:StackExchange:Redis</c>, then <c>…:{connectionName}</c>.</summary>
public sealed class StackExchangeRedisSettings
{
    /// <summary>
    /// Endpoints and options, for example <c>127.0.0.1:6379,password=…</c>. <c>ConnectionStrings:{connectionName}</c> overrides the sections.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary>No health check <c>StackExchange.Redis</c>. Default: false.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>
    /// No span for each command. The local client never starts one, because a span would cost more than its command; the setting is here for
    /// Aspire's client, which does unless told.
    /// </summary>
    public bool DisableTracing { get; set; }

    /// <summary>Connect at the first use instead of when the host starts. Default: false.</summary>
    public bool DisableAutoActivation { get; set; }
}
