using System.Buffers;
using System.Text;
using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>
/// One client message taken apart: where in the frame each known field's value lies, found in one pass. Of fields that stand twice
/// the last one counts, unknown ones are passed over. One object for all frames of a connection; used by one thread at a time.
/// </summary>
internal sealed class FurtherRequest
{
    /// <summary>Enough for anything a client nests in a field that nobody reads; Further-Link ends near here too.</summary>
    public const int MaxDepth = 1000;

    private readonly Place[] _fields = new Place[(int)FurtherField.RecordInput + 1];
    private ReadOnlySequence<byte> _body;

    /// <summary>What is asked for.</summary>
    public FurtherVerb Verb { get; private set; }

    /// <summary>The session's name, where the dialect has names and it has been read; for failures.</summary>
    public string? Process { get; set; }

    /// <summary>Takes a message apart; what was known of the one before is gone.</summary>
    /// <param name="body">The message, borrowed until the next one is read.</param>
    /// <exception cref="LinkException">It is no JSON in UTF-8, or JSON that is no object.</exception>
    public void Read(in ReadOnlySequence<byte> body)
    {
        if (!JsonText.IsUtf8(body))
            throw new LinkException(FailureCode.BadMessage, "the message is no UTF-8");
        _body = body;
        Array.Clear(_fields);
        Process = null;
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            reader.Read();
            var isObject = reader.TokenType == JsonTokenType.StartObject;
            if (isObject)
                ReadMembers(ref reader);
            else
                reader.Skip();
            // Throws where anything but space follows.
            reader.Read();
            if (!isObject)
                throw new LinkException(FailureCode.BadValue, "the message is JSON but no object");
        }
        catch (JsonException) when (reader.CurrentDepth >= MaxDepth - 1)
        {
            throw new LinkException(FailureCode.BadValue, $"the message is nested deeper than {MaxDepth}");
        }
        catch (JsonException e)
        {
            throw new LinkException(
                FailureCode.BadMessage,
                body.IsEmpty ? "the message is empty" : $"the message is no JSON from line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1} on",
                e);
        }
        Verb = FurtherVerbs.Of(Value(FurtherField.Type));
    }

    /// <summary>Where a field's value lies; its type is None where the message has no such field.</summary>
    public FurtherValue Value(FurtherField field)
    {
        var place = _fields[(int)field];
        return new FurtherValue(place.Type, place.Escaped, place.Type == JsonTokenType.None ? default : _body.Slice(place.Start, place.Length));
    }

    /// <summary>A field's text; null where it is absent or no string.</summary>
    /// <exception cref="LinkException">It holds half a surrogate pair.</exception>
    public string? Text(FurtherField field)
    {
        var value = Value(field);
        if (value.Type != JsonTokenType.String)
            return null;
        return value.TryText(out var text) ? text : throw LoneSurrogate(field);
    }

    /// <summary>A field's text.</summary>
    /// <exception cref="LinkException">It is absent, no string, or holds half a surrogate pair.</exception>
    public string RequiredText(FurtherField field) => Text(field) ?? throw Bad($"{Label(field)} is missing or no text");

    /// <summary>A whole number; true and false count as 1 and 0.</summary>
    /// <returns>Null where it is absent or no whole number; what no <see cref="int"/> holds becomes its largest or smallest one.</returns>
    public int? Integer(FurtherField field)
    {
        var value = Value(field);
        switch (value.Type)
        {
            case JsonTokenType.True:
                return 1;
            case JsonTokenType.False:
                return 0;
            case JsonTokenType.Number:
                var reader = new Utf8JsonReader(value.Raw);
                reader.Read();
                if (reader.TryGetInt32(out var number))
                    return number;
                // 5.0 and 1e2 are no whole numbers here, as in Python.
                return value.Raw.PositionOf((byte)'.') is null && value.Raw.PositionOf((byte)'e') is null && value.Raw.PositionOf((byte)'E') is null
                    ? value.Raw.FirstSpan[0] == (byte)'-' ? int.MinValue : int.MaxValue
                    : null;
            default:
                return null;
        }
    }

    /// <summary>A whole number of up to 64 bits.</summary>
    /// <returns>Null where the field is absent.</returns>
    /// <exception cref="LinkException">It is anything else.</exception>
    public long? Count(FurtherField field)
    {
        var value = Value(field);
        if (value.Type == JsonTokenType.None)
            return null;
        if (value.Type == JsonTokenType.Number)
        {
            var reader = new Utf8JsonReader(value.Raw);
            reader.Read();
            if (reader.TryGetInt64(out var number))
                return number;
        }
        throw Bad($"{Label(field)} must be a whole number");
    }

    /// <summary>Any number.</summary>
    /// <returns>Null where the field is absent.</returns>
    /// <exception cref="LinkException">It is anything else.</exception>
    public double? Number(FurtherField field)
    {
        var value = Value(field);
        if (value.Type == JsonTokenType.None)
            return null;
        if (value.Type != JsonTokenType.Number)
            throw Bad($"{Label(field)} must be a number");
        var reader = new Utf8JsonReader(value.Raw);
        reader.Read();
        return reader.GetDouble();
    }

    /// <summary>True or false.</summary>
    /// <returns>False where the field is absent.</returns>
    /// <exception cref="LinkException">It is anything else.</exception>
    public bool Flag(FurtherField field) => Value(field).Type switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False or JsonTokenType.None => false,
        _ => throw Bad($"{Label(field)} must be true or false"),
    };

    /// <summary>A text, or nothing.</summary>
    /// <returns>Null where the field is absent or null.</returns>
    /// <exception cref="LinkException">It is anything but a text.</exception>
    public string? OptionalText(FurtherField field) =>
        Value(field).Type is JsonTokenType.None or JsonTokenType.Null ? null : Text(field) ?? throw Bad($"{Label(field)} must be a text");

    /// <summary>One of some words.</summary>
    /// <returns>The place of the word; 0, the default, where the field is absent.</returns>
    /// <exception cref="LinkException">It is none of them.</exception>
    public int OneOf(FurtherField field, params ReadOnlySpan<string> words)
    {
        if (Value(field).Type == JsonTokenType.None)
            return 0;
        var at = words.IndexOf(Text(field));
        return at >= 0 ? at : throw Bad($"{Label(field)} must be one of {string.Join(", ", words)}");
    }

    /// <summary>Reads the members of a field, none where it is no object; those of a field opened before are gone.</summary>
    public void Open(FurtherField field)
    {
        _fields.AsSpan((int)FurtherField.Rows..).Clear();
        var value = Value(field);
        if (value.Type != JsonTokenType.StartObject)
            return;
        var start = _fields[(int)field].Start;
        var reader = new Utf8JsonReader(value.Raw, new JsonReaderOptions { MaxDepth = MaxDepth });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member = FurtherFields.Of(ref reader);
            reader.Read();
            Keep(ref reader, member >= FurtherField.Rows ? member : FurtherField.Unknown, start);
        }
    }

    /// <summary>A failure of form, about this message's session.</summary>
    public LinkException Bad(string detail) => new(FailureCode.BadMessage, detail) { Name = Process };

    /// <summary>A failure of a value, about this message's session.</summary>
    public LinkException BadValue(string detail) => new(FailureCode.BadValue, detail) { Name = Process };

    /// <summary>A failure of a bound, about this message's session.</summary>
    public LinkException Limited(string detail) => new(FailureCode.Limited, detail) { Name = Process };

    /// <summary>The failure of a message whose type the dialect does not know.</summary>
    public LinkException UnknownType()
    {
        var type = Value(FurtherField.Type);
        if (type.Type != JsonTokenType.String)
            return Bad("the message has no type");
        // As it was spelled: 64 bytes are enough to see which one it was.
        var shown = Encoding.UTF8.GetString(type.Raw.Slice(0, Math.Min(64, type.Raw.Length)));
        return Bad($"unknown type \"{shown}\"");
    }

    /// <summary>The failure of a text with half a surrogate pair, which no program can be given.</summary>
    public LinkException LoneSurrogate(FurtherField field) => BadValue($"{Label(field)} holds a lone surrogate");

    /// <summary>What a failure calls a field: behind the verb.</summary>
    public string Label(FurtherField field)
    {
        var name = field.ToString();
        return $"{FurtherVerbs.NameOf(Verb)}: {char.ToLowerInvariant(name[0])}{name[1..]}";
    }

    private void ReadMembers(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member = FurtherFields.Of(ref reader);
            reader.Read();
            if (member != FurtherField.Data)
            {
                Keep(ref reader, member is < FurtherField.Data ? member : FurtherField.Unknown, 0);
                continue;
            }
            // The last data counts as a whole: nothing of an earlier one is left.
            _fields.AsSpan((int)FurtherField.Input..(int)FurtherField.Enabled).Clear();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                reader.Skip();
                continue;
            }
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                member = FurtherFields.Of(ref reader);
                reader.Read();
                Keep(ref reader, member is >= FurtherField.Input and < FurtherField.Enabled ? member : FurtherField.Unknown, 0);
            }
        }
    }

    private void Keep(ref Utf8JsonReader reader, FurtherField field, long offset)
    {
        var type = reader.TokenType;
        var start = reader.TokenStartIndex;
        var escaped = reader.ValueIsEscaped;
        reader.Skip();
        if (field == FurtherField.Unknown)
            return;
        // Of a string what stands between the quotes.
        var quote = type == JsonTokenType.String ? 1 : 0;
        _fields[(int)field] = new Place(type, escaped, (int)(offset + start) + quote, (int)(reader.BytesConsumed - start) - (2 * quote));
    }

    // Kept for each connection, so it is small: no message is longer than an int counts.
    private readonly record struct Place(JsonTokenType Type, bool Escaped, int Start, int Length);
}
