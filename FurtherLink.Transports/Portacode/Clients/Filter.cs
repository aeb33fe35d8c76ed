using System.Text.Json;
using System.Text.Json.Nodes;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Clients;

/// <summary>
/// One filter of a client session: it matches an event in which every field that it names stands with a matching value. A text is a pattern in
/// which "*" stands for any characters, none included, and everything else for itself, from the first character to the last, case as it is; it
/// is compared with a text, or with how a number or a truth value is written. Any other value must be equal. A field that is null, or nested,
/// matches no pattern.
/// </summary>
internal sealed class Filter
{
    private readonly (string Name, JsonNode? Value)[] _fields;

    private Filter((string Name, JsonNode? Value)[] fields) => _fields = fields;

    /// <summary>The fields it names.</summary>
    public IEnumerable<string> Fields => _fields.Select(static named => named.Name);

    /// <summary>Reads a list of filters.</summary>
    /// <exception cref="LinkException">It is no list, or one of them no object.</exception>
    public static IReadOnlyList<Filter> ReadAll(JsonElement? list)
    {
        if (list is not { ValueKind: JsonValueKind.Array } array)
            throw new LinkException(FailureCode.BadMessage, list is null ? "filters parameter is required" : "filters parameter must be a list");
        if (array.GetArrayLength() > ClientSessions.MaxFilters)
            throw new LinkException(FailureCode.Limited, $"a client session may have {ClientSessions.MaxFilters} filters");
        return [.. array.EnumerateArray().Select(static (item, index) => Read(item, index))];
    }

    /// <summary>Whether it matches an event.</summary>
    /// <param name="fields">The event's fields, its name in "event" among them.</param>
    public bool Matches(JsonObject fields)
    {
        foreach (var (name, value) in _fields)
        {
            if (!fields.TryGetPropertyValue(name, out var found) || !Matches(value, found))
                return false;
        }

        return true;
    }

    /// <summary>Whether a text is what a pattern says. Linear in the text for each star.</summary>
    internal static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        var star = pattern.IndexOf('*');
        if (star < 0)
            return pattern.SequenceEqual(text);
        if (!text.StartsWith(pattern[..star]))
            return false;
        text = text[star..];
        pattern = pattern[(star + 1)..];
        while ((star = pattern.IndexOf('*')) >= 0)
        {
            var at = text.IndexOf(pattern[..star]);
            if (at < 0)
                return false;
            text = text[(at + star)..];
            pattern = pattern[(star + 1)..];
        }

        return text.EndsWith(pattern);
    }

    private static bool Matches(JsonNode? wanted, JsonNode? found)
    {
        if (wanted?.GetValueKind() is not JsonValueKind.String)
            return JsonNode.DeepEquals(wanted, found);
        return found?.GetValueKind() switch
        {
            JsonValueKind.String => Matches(wanted.GetValue<string>(), found.GetValue<string>()),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => Matches(wanted.GetValue<string>(), found.ToJsonString()),
            _ => false,
        };
    }

    private static Filter Read(JsonElement item, int index)
    {
        if (item.ValueKind is not JsonValueKind.Object)
            throw new LinkException(FailureCode.BadMessage, $"filter {index} must be an object");
        try
        {
            return new Filter([.. JsonObject.Create(item)!.Select(static one => (one.Key, Whole(one.Value)))]);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new LinkException(FailureCode.BadValue, $"filter {index} names a field twice, or has text that is not valid Unicode", e);
        }
    }

    /// <summary>Reads a text now rather than when it is first compared.</summary>
    private static JsonNode? Whole(JsonNode? value) => value?.GetValueKind() is JsonValueKind.String ? JsonValue.Create(value.GetValue<string>()) : value;
}
