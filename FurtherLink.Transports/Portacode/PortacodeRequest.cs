using System.Text.Json;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Codec;

namespace FurtherLink.Transports.Portacode;

/// <summary>One action that a gateway asks for. Its arguments are its own copy, not borrowed.</summary>
/// <param name="Name">The action ("file_read").</param>
/// <param name="Arguments">An object with the arguments, wherever the gateway's spelling put them; unknown ones are ignored.</param>
internal sealed record PortacodeRequest(string Name, JsonElement Arguments)
{
    /// <summary>The client session that asks; null where the request named none.</summary>
    public string? Client { get; init; }

    /// <summary>A request without arguments.</summary>
    public static PortacodeRequest Without(string name) => new(name, JsonElement.Parse("{}"));

    /// <summary>An argument that must be a text and not empty.</summary>
    /// <exception cref="LinkException">It is missing, or something else.</exception>
    public string RequireText(string name) =>
        Text(name) is { Length: > 0 } text ? text : throw new LinkException(FailureCode.BadMessage, $"{name} parameter is required");

    /// <summary>An argument that must be there and may be an empty text.</summary>
    /// <exception cref="LinkException">It is missing, or something else.</exception>
    public string RequireContent(string name) => Text(name) ?? throw new LinkException(FailureCode.BadMessage, $"{name} parameter is required");

    /// <summary>The terminal that it is about.</summary>
    /// <exception cref="LinkException">It names none.</exception>
    public string TerminalId() => Text("terminal_id") is { Length: > 0 } id ? id : throw new LinkException(FailureCode.BadMessage, "terminal_id is required");

    /// <summary>A text argument; null where it is missing or null.</summary>
    /// <exception cref="LinkException">It is something else, or holds half a surrogate pair.</exception>
    public string? Text(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind is JsonValueKind.String ? Read(name, value) : throw new LinkException(FailureCode.BadMessage, $"{name} parameter must be a string");
    }

    /// <summary>A true or false; a default where it is missing or null.</summary>
    /// <exception cref="LinkException">It is something else.</exception>
    public bool Flag(string name, bool otherwise = false) => Find(name)?.ValueKind switch
    {
        null => otherwise,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new LinkException(FailureCode.BadMessage, $"{name} parameter must be true or false"),
    };

    /// <summary>A whole number; null where it is missing or null.</summary>
    /// <exception cref="LinkException">It is something else, or not within the bounds.</exception>
    public long? Integer(string name, long least = long.MinValue, long most = long.MaxValue)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind is not JsonValueKind.Number || !value.TryGetInt64(out var number))
            throw new LinkException(FailureCode.BadMessage, $"{name} parameter must be a whole number");
        return number >= least && number <= most ? number : throw new LinkException(FailureCode.BadValue, $"{name} parameter must be {least} to {most}");
    }

    /// <summary>A number; null where it is missing or null.</summary>
    /// <exception cref="LinkException">It is something else.</exception>
    public double? Number(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind is not JsonValueKind.Number || !value.TryGetDouble(out var number) || !double.IsFinite(number))
            throw new LinkException(FailureCode.BadMessage, $"{name} parameter must be a number");
        return number;
    }

    /// <summary>A list of texts; null where it is missing or null.</summary>
    /// <exception cref="LinkException">It is something else.</exception>
    public IReadOnlyList<string>? Texts(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind is not JsonValueKind.Array || value.EnumerateArray().Any(static item => item.ValueKind is not JsonValueKind.String))
            throw new LinkException(FailureCode.BadMessage, $"{name} parameter must be a list of strings");
        return [.. value.EnumerateArray().Select(item => Read(name, item))];
    }

    /// <summary>Any argument; null where it is missing or null.</summary>
    public JsonElement? Find(string name) =>
        Arguments.TryFind(name, out var value) && value.ValueKind is not JsonValueKind.Null ? value : null;

    private static string Read(string name, in JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new LinkException(FailureCode.BadValue, $"{name} parameter is not valid Unicode", e);
        }
    }
}
