namespace FurtherLink.Sessions.Logs;

/// <summary>The last few bytes of a stream (up to four), to tell whether they are the beginning of a character that goes on.</summary>
/// <remarks>
/// A lead byte says by itself where a character begins, so three bytes are enough, whatever came before. Well-formed: table 3-7 of
/// the Unicode standard, chapter 3.9.
/// </remarks>
internal struct Utf8Tail
{
    private uint _bytes; // the newest is the lowest

    /// <summary>How many bytes it holds, 0 to 4.</summary>
    public int Count { get; private set; }

    /// <summary>How many bytes at the end are a character cut short; 0 where the end is whole, or invalid whatever follows.</summary>
    public readonly int Incomplete
    {
        get
        {
            for (var n = 1; n <= Math.Min(3, Count); n++)
            {
                var b = FromEnd(n);
                if ((b & 0xC0) == 0x80)
                    continue;
                var whole = b switch { < 0xC2 => 1, < 0xE0 => 2, < 0xF0 => 3, < 0xF5 => 4, _ => 1 };
                return n < whole && (n == 1 || IsSecond(b, FromEnd(n - 1))) ? n : 0;
            }

            return 0;
        }
    }

    /// <summary>How many bytes at the end of some data are a character cut short.</summary>
    public static int IncompleteAtEnd(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty || data[^1] < 0x80)
            return 0;
        var tail = default(Utf8Tail);
        tail.Append(data);
        return tail.Incomplete;
    }

    /// <summary>Adds what follows.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        foreach (var b in data.Length > 4 ? data[^4..] : data)
            Append(b);
    }

    /// <summary>Adds the byte that follows.</summary>
    public void Append(byte next)
    {
        _bytes = (_bytes << 8) | next;
        Count = Math.Min(Count + 1, 4);
    }

    /// <summary>Adds what comes before, the last of it first, while there is room.</summary>
    public void Prepend(ReadOnlySpan<byte> data)
    {
        for (var i = data.Length - 1; i >= 0 && Count < 4; i--)
            _bytes |= (uint)data[i] << (8 * Count++);
    }

    /// <summary>Adds what comes before.</summary>
    public void Prepend(Utf8Tail before)
    {
        for (var n = 1; n <= before.Count && Count < 4; n++)
            _bytes |= (uint)before.FromEnd(n) << (8 * Count++);
    }

    /// <summary>Takes the oldest bytes out.</summary>
    /// <returns>How many were written.</returns>
    public int TakeFirst(int count, Span<byte> destination)
    {
        for (var i = 0; i < count; i++)
            destination[i] = FromEnd(Count - i);
        KeepLast(Count - count);
        return count;
    }

    /// <summary>Forgets all but the newest bytes.</summary>
    public void KeepLast(int count)
    {
        Count = count;
        _bytes = count == 4 ? _bytes : _bytes & ((1u << (8 * count)) - 1);
    }

    private static bool IsSecond(byte lead, byte second) => lead switch
    {
        0xE0 => second >= 0xA0,
        0xED => second < 0xA0,
        0xF0 => second >= 0x90,
        0xF4 => second < 0x90,
        _ => true,
    };

    private readonly byte FromEnd(int n) => (byte)(_bytes >> (8 * (n - 1)));
}
