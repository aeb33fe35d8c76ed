using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Device;

/// <summary>
/// Writes a text of a JSON document into a file while it comes: unescaped, and decoded where it is base64. It takes pieces that are cut
/// anywhere, and keeps at most 64 KiB. One thread at a time.
/// </summary>
/// <param name="file">An empty file; not disposed.</param>
/// <param name="isBase64">Whether the text is base64 of what is written.</param>
internal sealed class ContentWriter(SafeFileHandle file, bool isBase64) : IDisposable
{
    private const int Room = 64 * 1024;

    // "\uD83D\uDE00" is the longest of what stands for one character.
    private const int LongestEscape = 12;

    private static readonly SearchValues<byte> Special =
        SearchValues.Create([(byte)'"', (byte)'\\', .. Enumerable.Range(0, 0x20).Select(static control => (byte)control)]);

    private static readonly SearchValues<byte> Space = SearchValues.Create(" \t\r\n"u8);

    private readonly byte[] _escape = new byte[LongestEscape];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(Room);

    // Decoding in place would take the framework several times as long.
    private byte[] _decoded = isBase64 ? ArrayPool<byte>.Shared.Rent(Base64.GetMaxDecodedFromUtf8Length(Room)) : [];
    private int _count;
    private int _escapeCount;

    /// <summary>What is wrong with the text. From <see cref="ContentFault.NotJson"/> on nothing more is looked at.</summary>
    public ContentFault Fault { get; private set; }

    /// <summary>Bytes in the file.</summary>
    public long Length { get; private set; }

    /// <summary>Takes what comes next.</summary>
    /// <param name="raw">As it stands in the document, behind the quote that begins the text.</param>
    /// <param name="ended">Whether the quote that ends the text was among it.</param>
    /// <returns>How many bytes were the text's, that quote included.</returns>
    /// <exception cref="IOException">It cannot be written.</exception>
    public int Take(ReadOnlySpan<byte> raw, out bool ended)
    {
        ended = false;
        var at = 0;
        while (Fault < ContentFault.NotJson && (_escapeCount == 0 || TryEndEscape(raw, ref at)) && at < raw.Length)
        {
            var rest = raw[at..];
            var plain = rest.IndexOfAny(Special);
            if (plain < 0)
            {
                Append(rest);
                return raw.Length;
            }
            Append(rest[..plain]);
            at += plain;
            switch (raw[at])
            {
                case (byte)'"':
                    ended = true;
                    return at + 1;
                case (byte)'\\':
                    if (!TryUnescape(raw[at..], out var used))
                    {
                        raw[at..].CopyTo(_escape);
                        _escapeCount = raw.Length - at;
                        return raw.Length;
                    }
                    at += used;
                    break;
                default:
                    Raise(ContentFault.NotJson);
                    break;
            }
        }
        return raw.Length;
    }

    /// <summary>Writes what is left when the text has ended.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Finish() => Flush(isLast: true);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        if (_decoded.Length > 0)
            ArrayPool<byte>.Shared.Return(_decoded);
        _buffer = _decoded = [];
        _count = 0;
    }

    // An escape that the end of a piece has cut goes on byte by byte.
    private bool TryEndEscape(ReadOnlySpan<byte> raw, ref int at)
    {
        while (_escapeCount > 0)
        {
            if (TryUnescape(_escape.AsSpan(0, _escapeCount), out var used))
            {
                _escape.AsSpan(used, _escapeCount - used).CopyTo(_escape);
                _escapeCount -= used;
                if (_escapeCount > 0 && _escape[0] != (byte)'\\')
                {
                    // It was the byte that came last which said that the escape ends before it.
                    at -= _escapeCount;
                    _escapeCount = 0;
                }
            }
            else
            {
                if (at == raw.Length)
                    return false;
                _escape[_escapeCount++] = raw[at++];
            }
        }
        return true;
    }

    /// <summary>Appends what an escape stands for.</summary>
    /// <param name="raw">From its backslash on.</param>
    /// <param name="used">Its bytes.</param>
    /// <returns>False where it is cut off.</returns>
    private bool TryUnescape(ReadOnlySpan<byte> raw, out int used)
    {
        used = 2;
        if (raw.Length < 2)
            return false;
        if (raw[1] != (byte)'u')
        {
            var character = raw[1] switch
            {
                (byte)'"' or (byte)'\\' or (byte)'/' => raw[1],
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                _ => (byte)0,
            };
            if (character == 0)
                Raise(ContentFault.NotJson);
            else
                Append([character]);
            return true;
        }
        if (raw.Length < 6)
            return false;
        used = 6;
        if (!TryReadUnit(raw[2..6], out var unit))
            Raise(ContentFault.NotJson);
        else if (!char.IsSurrogate(unit))
            Append(new Rune(unit));
        else if (!char.IsHighSurrogate(unit))
            Raise(ContentFault.HalfSurrogate);
        else
            return TryUnescapePair(unit, raw, ref used);
        return true;
    }

    private bool TryUnescapePair(char high, ReadOnlySpan<byte> raw, ref int used)
    {
        if (raw.Length < 7 || (raw[6] == (byte)'\\' && (raw.Length < 8 || (raw[7] == (byte)'u' && raw.Length < LongestEscape))))
            return false;
        if (raw[6] == (byte)'\\' && raw[7] == (byte)'u' && TryReadUnit(raw[8..LongestEscape], out var low) && char.IsLowSurrogate(low))
        {
            Append(new Rune(high, low));
            used = LongestEscape;
        }
        else
        {
            Raise(ContentFault.HalfSurrogate);
        }
        return true;
    }

    private static bool TryReadUnit(ReadOnlySpan<byte> digits, out char unit)
    {
        var read = Utf8Parser.TryParse(digits, out ushort value, out var used, 'X') && used == digits.Length;
        unit = (char)value;
        return read;
    }

    private void Append(Rune rune)
    {
        Span<byte> bytes = stackalloc byte[4];
        Append(bytes[..rune.EncodeToUtf8(bytes)]);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > Room - _count)
        {
            var fits = Room - _count;
            bytes[..fits].CopyTo(_buffer.AsSpan(_count));
            _count = Room;
            bytes = bytes[fits..];
            Flush(isLast: false);
        }
        bytes.CopyTo(_buffer.AsSpan(_count));
        _count += bytes.Length;
    }

    // Leaves at most a few bytes: of a character or a group of base64 that has not come as a whole.
    private void Flush(bool isLast)
    {
        var all = _buffer.AsSpan(0, _count);
        var whole = all[..(isLast ? _count : WholeCharacters(all))];
        if (!Utf8.IsValid(whole))
            Raise(ContentFault.NotUtf8);
        var kept = 0;
        if (Fault == ContentFault.None && isBase64)
            kept = WriteDecoded(whole, isLast);
        else if (Fault == ContentFault.None)
            Write(whole);
        var left = all[whole.Length..];
        left.CopyTo(all[kept..]);
        _count = kept + left.Length;
    }

    /// <summary>Writes what base64 stands for.</summary>
    /// <returns>How many characters, now at the beginning, wait for what follows.</returns>
    private int WriteDecoded(Span<byte> text, bool isLast)
    {
        var count = WithoutSpace(text);
        var padding = text[..count].IndexOf((byte)'=');
        // In groups of four; padding, at most two characters, is the end.
        var ready = isLast ? count : (padding < 0 ? count : padding) & ~3;
        if (count - ready > 4 || Base64.DecodeFromUtf8(text[..ready], _decoded, out _, out var length) != OperationStatus.Done)
        {
            Raise(ContentFault.NotBase64);
            return 0;
        }
        Write(_decoded.AsSpan(0, length));
        text[ready..count].CopyTo(text);
        return count - ready;
    }

    private static int WithoutSpace(Span<byte> text)
    {
        var kept = text.IndexOfAny(Space);
        if (kept < 0)
            return text.Length;
        foreach (var character in text[kept..])
        {
            if (!Space.Contains(character))
                text[kept++] = character;
        }
        return kept;
    }

    private static int WholeCharacters(ReadOnlySpan<byte> text)
    {
        // The last byte that begins a character, among the last three: further back it is whole.
        for (var back = 1; back <= Math.Min(3, text.Length); back++)
        {
            var first = text[^back];
            if ((first & 0xC0) == 0x80)
                continue;
            var needed = first switch { >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
            return needed > back ? text.Length - back : text.Length;
        }
        return text.Length;
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        RandomAccess.Write(file, bytes, Length);
        Length += bytes.Length;
    }

    private void Raise(ContentFault fault) => Fault = fault > Fault ? fault : Fault;
}

/// <summary>What may be wrong with a text, the gravest last.</summary>
internal enum ContentFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It holds half a surrogate pair.</summary>
    HalfSurrogate,

    /// <summary>It was to be base64.</summary>
    NotBase64,

    /// <summary>It is no text of JSON: a control character or an unknown escape.</summary>
    NotJson,

    /// <summary>It is not UTF-8.</summary>
    NotUtf8,
}
