using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Numerics;
using System.Runtime.Intrinsics;
using System.Text;
using System.Text.Unicode;

namespace FurtherLink.Codecs;

/// <summary>
/// The inside of JSON strings (RFC 8259 section 7), straight from bytes to bytes: what programs print and what people type never
/// becomes a <see cref="string"/> on its way. Thread safe; nothing is allocated.
/// </summary>
public static class JsonText
{
    // Characters looked at together where there is invalid UTF-8: in the other windows of a chunk the fast way is taken.
    private const int Window = 256;

    // \u001b: the longest escape of one byte.
    private const int LongestEscape = 6;

    // What must be left of the output for a step: sixteen plain bytes, then an escape that is written as eight.
    private const int Room = 24;

    // U+FFFD in UTF-8, low byte first, with its length.
    private const ulong Replacement = 0x03_00_00_00_00_BD_BF_EF;

    // How a byte is written that stands alone: up to six bytes, low byte first, and in the highest byte how many; 0 where it begins a
    // character of several bytes.
    private static readonly ulong[] Spellings = MakeSpellings();

    /// <summary>
    /// Writes text as the inside of a JSON string, without quotes. Only quote, backslash and the control characters below U+0020 are
    /// escaped. Bytes that are no UTF-8 become U+FFFD, one for each maximal subpart as browsers do it (Encoding Standard, section 4.1).
    /// </summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="utf8">The text; a character that is cut at its end counts as invalid.</param>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> utf8)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (Utf8.IsValid(utf8))
            WriteValid(output, utf8);
        else
            WriteMended(output, utf8);
    }

    /// <summary>As <see cref="Write(IBufferWriter{byte}, ReadOnlySpan{byte})"/>, from UTF-16; a lone surrogate becomes U+FFFD.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="text">The text.</param>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<char> text)
    {
        Span<byte> utf8 = stackalloc byte[Window * 3];
        while (!text.IsEmpty)
        {
            Utf8.FromUtf16(text, utf8, out var read, out var written);
            WriteValid(output, utf8[..written]);
            text = text[read..];
        }
    }

    /// <summary>
    /// Writes text as the inside of a JSON string in ASCII, without quotes: everything but space to tilde as \uXXXX in lower case, as
    /// Python's json.dumps spells it. For names and other short texts.
    /// </summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="text">The text; lone surrogates are kept as escapes.</param>
    public static void WriteAscii(IBufferWriter<byte> output, ReadOnlySpan<char> text)
    {
        ArgumentNullException.ThrowIfNull(output);
        while (!text.IsEmpty)
        {
            var piece = text[..Math.Min(text.Length, Window)];
            var span = output.GetSpan(piece.Length * LongestEscape);
            var at = 0;
            foreach (var c in piece)
            {
                if (c is >= ' ' and <= '~' and not ('"' or '\\'))
                    span[at++] = (byte)c;
                else
                    at += Escape(c, span[at..]);
            }
            output.Advance(at);
            text = text[piece.Length..];
        }
    }

    /// <summary>Undoes the escapes of the inside of a JSON string, in place.</summary>
    /// <param name="text">The inside of a string, in UTF-8; overwritten from its beginning.</param>
    /// <param name="length">The bytes of the text without escapes, in UTF-8.</param>
    /// <returns>False where a surrogate stands alone, which is no text, or an escape is none of JSON's.</returns>
    public static bool TryUnescape(Span<byte> text, out int length)
    {
        var from = text.IndexOf((byte)'\\');
        length = from < 0 ? text.Length : from;
        while (from >= 0 && from < text.Length)
        {
            if (!TryReadEscape(text[from..], out var rune, out var consumed))
                return false;
            // An escape is longer than what it stands for: this never overtakes what is still to be read.
            length += rune.EncodeToUtf8(text[length..]);
            var rest = text[(from + consumed)..];
            var run = rest.IndexOf((byte)'\\');
            run = run < 0 ? rest.Length : run;
            rest[..run].CopyTo(text[length..]);
            length += run;
            from += consumed + run;
        }
        return true;
    }

    /// <summary>Whether bytes are UTF-8, without surrogates and overlong forms, over all segments.</summary>
    public static bool IsUtf8(in ReadOnlySequence<byte> bytes)
    {
        if (bytes.IsSingleSegment)
            return Utf8.IsValid(bytes.FirstSpan);
        // What a segment ends with of a character: at most 3 bytes of 4, completed by the next segments.
        Span<byte> cut = stackalloc byte[4];
        var kept = 0;
        foreach (var memory in bytes)
        {
            var span = memory.Span;
            while (kept > 0 && !span.IsEmpty)
            {
                cut[kept++] = span[0];
                span = span[1..];
                var status = Rune.DecodeFromUtf8(cut[..kept], out _, out _);
                if (status == OperationStatus.InvalidData)
                    return false;
                if (status == OperationStatus.Done)
                    kept = 0;
            }
            if (span.IsEmpty)
                continue;
            kept = CutTail(span);
            if (!Utf8.IsValid(span[..^kept]))
                return false;
            span[^kept..].CopyTo(cut);
        }
        return kept == 0;
    }

    private static int CutTail(ReadOnlySpan<byte> span)
    {
        for (var tail = 1; tail <= Math.Min(3, span.Length); tail++)
        {
            if ((span[^tail] & 0xC0) == 0x80)
                continue;
            return Rune.DecodeFromUtf8(span[^tail..], out _, out _) == OperationStatus.NeedMoreData ? tail : 0;
        }
        return 0;
    }

    private static void WriteValid(IBufferWriter<byte> output, ReadOnlySpan<byte> utf8)
    {
        while (!utf8.IsEmpty)
        {
            // A line end or two in sixteen bytes fit without asking again.
            var span = output.GetSpan(utf8.Length + (utf8.Length / 8) + Room);
            var written = EscapeValid(ref utf8, span);
            output.Advance(written);
        }
    }

    // Escapes valid text until it ends or fewer than Room bytes are left to write to.
    private static int EscapeValid(ref ReadOnlySpan<byte> from, Span<byte> to)
    {
        var read = 0;
        var written = 0;
        while (from.Length - read >= Vector128<byte>.Count && to.Length - written >= Room)
        {
            var bytes = Vector128.Create(from.Slice(read, Vector128<byte>.Count));
            var special = Vector128.LessThan(bytes, Vector128.Create((byte)' '))
                | Vector128.Equals(bytes, Vector128.Create((byte)'"'))
                | Vector128.Equals(bytes, Vector128.Create((byte)'\\'));
            // All sixteen are written; of those from the first special one on, what follows writes over them.
            bytes.CopyTo(to.Slice(written, Vector128<byte>.Count));
            if (special == Vector128<byte>.Zero)
            {
                read += Vector128<byte>.Count;
                written += Vector128<byte>.Count;
                continue;
            }
            var plain = BitOperations.TrailingZeroCount(special.ExtractMostSignificantBits());
            read += plain;
            written += plain;
            // Special ones often follow each other: CR LF, ESC after LF.
            do
                written += Put(Spellings[from[read++]], to[written..]);
            while (read < from.Length && from[read] is < (byte)' ' or (byte)'"' or (byte)'\\' && to.Length - written >= Room);
        }
        while (read < from.Length && to.Length - written >= Room)
        {
            var b = from[read++];
            if (b < 0x80)
                written += Put(Spellings[b], to[written..]);
            else
                to[written++] = b;
        }
        from = from[read..];
        return written;
    }

    private static void WriteMended(IBufferWriter<byte> output, ReadOnlySpan<byte> utf8)
    {
        while (!utf8.IsEmpty)
        {
            var window = utf8[..WholeCharacters(utf8)];
            utf8 = utf8[window.Length..];
            if (Utf8.IsValid(window))
            {
                WriteValid(output, window);
                continue;
            }
            var span = output.GetSpan((window.Length * LongestEscape) + Room);
            var written = 0;
            while (!window.IsEmpty)
            {
                var spelling = Spellings[window[0]];
                var consumed = 1;
                if (spelling == 0)
                {
                    if (Rune.DecodeFromUtf8(window, out _, out consumed) == OperationStatus.Done)
                    {
                        window[..consumed].CopyTo(span[written..]);
                        written += consumed;
                    }
                    else
                    {
                        written += Put(Replacement, span[written..]);
                    }
                }
                else
                {
                    written += Put(spelling, span[written..]);
                }
                window = window[consumed..];
            }
            output.Advance(written);
        }
    }

    // Writes eight bytes, of which as many count as the spelling's last byte says.
    private static int Put(ulong spelling, Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, spelling);
        return (int)(spelling >> 56);
    }

    private static ulong[] MakeSpellings()
    {
        var spellings = new ulong[256];
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        for (var b = 0; b < spellings.Length; b++)
        {
            bytes.Clear();
            var length = b switch
            {
                < ' ' or '"' or '\\' => Escape((char)b, bytes),
                < 0x80 => 1,
                // Begins a character of two to four bytes: what follows decides.
                >= 0xC2 and <= 0xF4 => 0,
                // A continuation byte without a beginning, or one that no character begins with.
                _ => -1,
            };
            if (length == 1)
                bytes[0] = (byte)b;
            bytes[^1] = (byte)length;
            spellings[b] = length < 0 ? Replacement : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        }
        return spellings;
    }

    // The bytes up to the window's size that end before a character begins. A fourth continuation byte in a row belongs to no
    // character, so that a cut before it separates nothing.
    private static int WholeCharacters(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length <= Window)
            return utf8.Length;
        for (var back = 0; back < 4; back++)
        {
            if ((utf8[Window - back] & 0xC0) != 0x80)
                return Window - back;
        }
        return Window;
    }

    private static int Escape(char c, Span<byte> to)
    {
        var letter = c switch
        {
            '\n' => (byte)'n',
            '\r' => (byte)'r',
            '\t' => (byte)'t',
            '"' or '\\' => (byte)c,
            '\b' => (byte)'b',
            '\f' => (byte)'f',
            _ => (byte)0,
        };
        to[0] = (byte)'\\';
        if (letter != 0)
        {
            to[1] = letter;
            return 2;
        }
        var hex = "0123456789abcdef"u8;
        to[5] = hex[c & 0xF];
        to[4] = hex[(c >> 4) & 0xF];
        to[3] = hex[(c >> 8) & 0xF];
        to[2] = hex[c >> 12];
        to[1] = (byte)'u';
        return LongestEscape;
    }

    private static bool TryReadEscape(ReadOnlySpan<byte> text, out Rune rune, out int consumed)
    {
        rune = default;
        consumed = 2;
        if (text.Length < 2)
            return false;
        if (text[1] == (byte)'u')
        {
            consumed = LongestEscape;
            if (!TryReadUnit(text, out var unit))
                return false;
            if (Rune.TryCreate(unit, out rune))
                return true;
            consumed += LongestEscape;
            return TryReadUnit(text[LongestEscape..], out var low) && Rune.TryCreate(unit, low, out rune);
        }
        var c = text[1] switch
        {
            (byte)'"' or (byte)'\\' or (byte)'/' => (char)text[1],
            (byte)'b' => '\b',
            (byte)'f' => '\f',
            (byte)'n' => '\n',
            (byte)'r' => '\r',
            (byte)'t' => '\t',
            _ => '\0',
        };
        rune = new Rune(c);
        return c != '\0';
    }

    private static bool TryReadUnit(ReadOnlySpan<byte> text, out char unit)
    {
        unit = default;
        if (text.Length < LongestEscape || text[0] != (byte)'\\' || text[1] != (byte)'u'
            || !Utf8Parser.TryParse(text.Slice(2, 4), out ushort value, out var used, 'x') || used != 4)
        {
            return false;
        }
        unit = (char)value;
        return true;
    }
}
