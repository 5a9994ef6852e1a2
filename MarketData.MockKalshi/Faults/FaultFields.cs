using System.Globalization;
using System.Text.Json;

namespace MarketData.MockKalshi.Faults;

/// <summary>A fault's description is wrong; the message names the field and what would be right.</summary>
internal sealed class BadFaultException(string message) : Exception(message);

/// <summary>
/// A fault's description, field by field: <c>{"kind":"skip","count":3,"channel":"trade"}</c> or, shorter,
/// <c>skip:count=3,channel=trade</c>. A kind takes the fields that it knows; what is left over is an error. Not thread-safe.
/// </summary>
internal sealed class FaultFields
{
    private const int MaxTextLength = 200;

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    private FaultFields()
    {
    }

    public string Kind { get; private set; } = "";

    /// <summary>The fields without the kind, as they were given.</summary>
    public IReadOnlyDictionary<string, string> Given => _values;

    /// <exception cref="BadFaultException">Neither of the two forms, or a field twice.</exception>
    public static FaultFields Parse(string text)
    {
        var fields = new FaultFields();
        string description = text.Trim();
        if (description.StartsWith('{')) fields.ReadJson(description);
        else fields.ReadShortForm(description);
        return fields;
    }

    /// <summary>A whole number within a range; <paramref name="otherwise"/> when absent.</summary>
    public int Number(string name, int otherwise, int least, int most)
    {
        if (Take(name) is not { } text) return otherwise;
        bool isNumber = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value);
        if (isNumber && value >= least && value <= most) return value;
        throw new BadFaultException(string.Create(
            CultureInfo.InvariantCulture, $"field {name}: must be a whole number from {least:N0} to {most:N0}, but is {text}"));
    }

    /// <summary>One of a few words, of which the first stands when the field is absent.</summary>
    public string Choice(string name, params string[] allowed)
    {
        string value = Take(name) ?? allowed[0];
        if (allowed.Contains(value, StringComparer.Ordinal)) return value;
        throw new BadFaultException($"field {name}: must be one of {string.Join(", ", allowed)}, but is {value}");
    }

    /// <summary>Null when absent.</summary>
    public string? Text(string name)
    {
        if (Take(name) is not { } value) return null;
        if (value.Length is > 0 and <= MaxTextLength) return value;
        throw new BadFaultException($"field {name}: must have 1 to {MaxTextLength} characters, but has {value.Length}");
    }

    /// <exception cref="BadFaultException">A field was given that the kind does not take.</exception>
    public void RefuseUnknown()
    {
        string? unknown = _values.Keys.FirstOrDefault(name => !_known.Contains(name));
        if (unknown is null) return;
        string known = _known.Count == 0 ? "no fields" : string.Join(", ", _known.Order(StringComparer.Ordinal));
        throw new BadFaultException($"field {unknown}: {Kind} takes {known}");
    }

    private string? Take(string name)
    {
        _known.Add(name);
        return _values.GetValueOrDefault(name);
    }

    private void ReadJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            foreach (var property in document.RootElement.EnumerateObject()) Set(property.Name, TextOf(property));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The second kind: a string that is no text, such as half of a surrogate pair.
            throw new BadFaultException($"the description is no JSON object: {exception.Message}");
        }

        Kind = _values.Remove("kind", out string? kind) ? kind : throw new BadFaultException("field kind: is missing");
    }

    private static string TextOf(JsonProperty property) => property.Value.ValueKind switch
    {
        JsonValueKind.String => property.Value.GetString()!,
        JsonValueKind.Number => property.Value.GetRawText(),
        _ => throw new BadFaultException($"field {property.Name}: must be a string or a number"),
    };

    private void ReadShortForm(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        Kind = (colon < 0 ? text : text[..colon]).Trim();
        if (colon < 0) return;
        foreach (string field in text[(colon + 1)..].Split(',', StringSplitOptions.TrimEntries))
        {
            int equals = field.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw new BadFaultException($"{field}: a field is name=value, as in skip:count=3,channel=trade");
            Set(field[..equals].TrimEnd(), field[(equals + 1)..].TrimStart());
        }
    }

    private void Set(string name, string value)
    {
        if (!_values.TryAdd(name, value)) throw new BadFaultException($"field {name}: is given twice");
    }
}
