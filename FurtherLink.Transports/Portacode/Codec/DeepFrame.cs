using System.Buffers;
using System.Text.Json;

namespace FurtherLink.Transports.Portacode.Codec;

/// <summary>
/// Looks into a frame that is nested deeper than is read, for whom to answer: its payload's own members, without what is nested in them. Takes time in
/// proportion to the frame.
/// </summary>
internal static class DeepFrame
{
    private const int MemberOfPayload = 2;

    /// <summary>The texts and numbers that are members of the payload.</summary>
    /// <returns>An object with them; null where the frame is no JSON, or has no payload that is an object.</returns>
    public static JsonDocument? Payload(in ReadOnlySequence<byte> body)
    {
        var members = new ArrayBufferWriter<byte>();
        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = int.MaxValue });
            using var json = new Utf8JsonWriter(members);
            json.WriteStartObject();
            var inPayload = false;
            while (reader.Read())
            {
                if (reader.TokenType is not JsonTokenType.PropertyName || reader.CurrentDepth > MemberOfPayload)
                    continue;
                var isMember = inPayload && reader.CurrentDepth == MemberOfPayload;
                if (reader.CurrentDepth < MemberOfPayload)
                    inPayload = reader.ValueTextEquals("payload"u8);
                var name = isMember ? reader.GetString()! : "";
                reader.Read();
                if (isMember && reader.TokenType is JsonTokenType.String)
                    json.WriteString(name, reader.GetString());
                else if (isMember && reader.TokenType is JsonTokenType.Number && reader.TryGetInt64(out var number))
                    json.WriteNumber(name, number);
            }

            json.WriteEndObject();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }

        return JsonDocument.Parse(members.WrittenMemory);
    }
}
