using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace MarketData.ServiceDefaults.Health;

/// <summary>A connection string that a service cannot do without, checked when the host starts. Options name: the connection's name.</summary>
internal sealed class RequiredConnectionString
{
    /// <summary>The connection string, null when nothing sets it.</summary>
    public string? Value { get; set; }

    /// <summary>What a right value looks like, for the message.</summary>
    public string Example { get; set; } = "";

    /// <summary>
    /// Makes the start fail, with a message that names the setting, when neither <c>ConnectionStrings:{name}</c> nor
    /// <paramref name="fallback"/> gives a value. May be called several times for a name; the first value counts.
    /// </summary>
    public static void Require(IServiceCollection services, string name, string example, string? fallback = null)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RequiredConnectionString>, Validator>());
        services.AddOptions<RequiredConnectionString>(name)
            .Configure<IConfiguration>((options, configuration) =>
            {
                options.Value ??= NullIfBlank(configuration.GetConnectionString(name)) ?? NullIfBlank(fallback);
                options.Example = example;
            })
            .ValidateOnStart();
    }

    private static string? NullIfBlank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    private sealed class Validator : IValidateOptions<RequiredConnectionString>
    {
        public ValidateOptionsResult Validate(string? name, RequiredConnectionString options) => options.Value is not null
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"ConnectionStrings:{name} is not set. Set it in the configuration or in the environment, for example ConnectionStrings__{name}={options.Example}");
    }
}
