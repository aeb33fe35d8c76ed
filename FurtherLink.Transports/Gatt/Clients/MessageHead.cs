using System.Text.Json;

namespace FurtherLink.Transports.Gatt.Clients;

/// <summary>What a client's message says before anything else is done with it.</summary>
/// <param name="Client">What its client calls itself; null where it does not.</param>
/// <param name="Type">The message's type; null where it has none.</param>
/// <param name="Message">The message, as strict JSON where it was JSON with commas behind the last member or item.</param>
internal readonly record struct MessageHead(string? Client, string? Type, ReadOnlyMemory<byte> Message)
{
    private const int MaxDepth = 64;

    // What is kept for each client, and comes back in each message to it.
    private const int LongestClient = 256;

    /// <summary>Reads it.</summary>
    /// <returns>Null where it is no JSON object.</returns>
    public static MessageHead? Read(ReadOnlyMemory<byte> message)
    {
        try
        {
            return ReadMembers(message);
        }
        catch (JsonException)
        {
            return Strict(message) is { } strict ? ReadMembers(strict) : null;
        }
    }

    private static MessageHead? ReadMembers(ReadOnlyMemory<byte> message)
    {
        var reader = new Utf8JsonReader(message.Span, new JsonReaderOptions { MaxDepth = MaxDepth });
        string? client = null;
        string? type = null;
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartObject)
            return null;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var isClient = reader.ValueTextEquals("client"u8);
            var isType = reader.ValueTextEquals("type"u8);
            reader.Read();
            if (isClient)
                client = TextOf(ref reader);
            else if (isType)
                type = TextOf(ref reader);
            reader.Skip();
        }

        reader.Read();
        return new MessageHead(client, type, message);
    }

    private static string? TextOf(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not JsonTokenType.String || reader.ValueSpan.Length is 0 or > LongestClient)
            return null;
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null; // half a surrogate pair
        }
    }

    /// <summary>The same without commas that JSON does not know.</summary>
    private static byte[]? Strict(ReadOnlyMemory<byte> message)
    {
        try
        {
            using var document = JsonDocument.Parse(message, new JsonDocumentOptions { AllowTrailingCommas = true, MaxDepth = MaxDepth });
            using var strict = new MemoryStream();
            using (var writer = new Utf8JsonWriter(strict))
                document.RootElement.WriteTo(writer);
            return strict.ToArray();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
