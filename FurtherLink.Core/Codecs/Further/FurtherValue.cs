using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace FurtherLink.Codecs.Further;

/// <summary>A value of a message as it was spelled.</summary>
/// <param name="Type">Its first token; None where there is no value.</param>
/// <param name="Escaped">A string with escapes in it.</param>
/// <param name="Raw">Its bytes, of a string those between the quotes. Borrowed like the frame.</param>
internal readonly record struct FurtherValue(JsonTokenType Type, bool Escaped, ReadOnlySequence<byte> Raw)
{
    /// <summary>The string or property name that a reader stands at.</summary>
    /// <param name="reader">A reader over <paramref name="from"/>.</param>
    /// <param name="from">What it reads.</param>
    public static FurtherValue TextAt(ref Utf8JsonReader reader, in ReadOnlySequence<byte> from)
    {
        var length = reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length;
        return new FurtherValue(JsonTokenType.String, reader.ValueIsEscaped, from.Slice(reader.TokenStartIndex + 1, length));
    }

    /// <summary>The text of a string.</summary>
    /// <returns>False where it holds half a surrogate pair.</returns>
    public bool TryText([NotNullWhen(true)] out string? text)
    {
        text = null;
        if (!Escaped)
        {
            text = Encoding.UTF8.GetString(Raw);
            return true;
        }

        var rented = ArrayPool<byte>.Shared.Rent((int)Raw.Length);
        try
        {
            var bytes = rented.AsSpan(0, (int)Raw.Length);
            Raw.CopyTo(bytes);
            if (JsonText.TryUnescape(bytes, out var length))
                text = Encoding.UTF8.GetString(bytes[..length]);
            return text is not null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
