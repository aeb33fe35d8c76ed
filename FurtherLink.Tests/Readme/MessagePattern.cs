using System.Text.Json;
using System.Text.Json.Nodes;

namespace FurtherLink.Tests.Readme;

/// <summary>Compares received messages with the one that an example shows.</summary>
internal static class MessagePattern
{
    /// <summary>
    /// Whether a message is what the example shows. JSON is compared by content: all names, no more, in any order; in strings "..." stands for
    /// anything, and a string that is "..." alone for any value.
    /// </summary>
    public static bool Matches(string expected, string actual) =>
        Parse(expected) is { } pattern && Parse(actual) is { } message ? Matches(pattern, message) : Wildcard.Matches(expected, actual);

    /// <summary>Whether a message is output of a program, more of which may follow.</summary>
    public static bool IsOutput(string message) => Parse(message) is JsonObject names && IsOutput(names);

    /// <summary>
    /// Two pieces of one output as the one message that they could have been: how a stream is cut into messages is nobody's promise. Null where
    /// they are not pieces of one output.
    /// </summary>
    public static string? Join(string first, string second)
    {
        if (Parse(first) is not JsonObject left || Parse(second) is not JsonObject right)
            return null;
        if (!IsOutput(left) || !IsOutput(right))
            return null;
        if (left["data"]!["to"] is { } seam)
        {
            if (!JsonNode.DeepEquals(seam, right["data"]!["from"]))
                return null;
            right["data"]!["from"] = left["data"]!["from"]!.DeepClone();
            left["data"]!["to"] = right["data"]!["to"]!.DeepClone();
        }

        var joined = (string?)left["data"]!["output"] + (string?)right["data"]!["output"];
        left["data"]!["output"] = joined;
        right["data"]!["output"] = joined;
        return JsonNode.DeepEquals(left, right) ? left.ToJsonString() : null;
    }

    private static bool IsOutput(JsonObject names) =>
        names["type"] is JsonValue type && type.GetValueKind() == JsonValueKind.String && (string?)type is "stdout" or "stderr" && names["data"]?["output"] is JsonValue;

    private static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool Matches(JsonNode? expected, JsonNode? actual) => expected switch
    {
        JsonValue value when value.GetValueKind() == JsonValueKind.String && (string)value! == "..." => true,
        JsonValue value when value.GetValueKind() == JsonValueKind.String =>
            actual?.GetValueKind() == JsonValueKind.String && Wildcard.Matches((string)value!, (string)actual!),
        JsonObject names => actual is JsonObject other && names.Count == other.Count
            && names.All(pair => other.TryGetPropertyValue(pair.Key, out var found) && Matches(pair.Value, found)),
        JsonArray items => actual is JsonArray others && items.Count == others.Count && items.Zip(others).All(pair => Matches(pair.First, pair.Second)),
        _ => JsonNode.DeepEquals(expected, actual),
    };
}
