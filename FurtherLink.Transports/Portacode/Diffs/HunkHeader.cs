namespace FurtherLink.Transports.Portacode.Diffs;

/// <summary>The line that begins a hunk: "@@ -3,4 +3,5 @@ anything".</summary>
/// <param name="Start">The first line in the old file.</param>
/// <param name="OldCount">How many lines the hunk has of it.</param>
/// <param name="NewCount">How many it has of the new file.</param>
internal readonly record struct HunkHeader(int Start, int OldCount, int NewCount)
{
    // A diff has fewer lines than that; a sum of two never overflows.
    private const int Most = 1 << 30;

    /// <summary>Reads the line.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, out HunkHeader header)
    {
        header = default;
        if (!Skip(ref text, "@@ -") || !Range(ref text, out var start, out var old)
            || !Skip(ref text, " +") || !Range(ref text, out _, out var fresh) || !Skip(ref text, " @@"))
            return false;
        header = new HunkHeader(start, old, fresh);
        return (old > 0 || fresh > 0) && (old == 0 || start > 0);
    }

    private static bool Range(ref ReadOnlySpan<char> text, out int start, out int count)
    {
        count = 1;
        return Number(ref text, out start) && (!Skip(ref text, ",") || Number(ref text, out count));
    }

    private static bool Number(ref ReadOnlySpan<char> text, out int value)
    {
        value = 0;
        var digits = 0;
        while (digits < text.Length && char.IsAsciiDigit(text[digits]) && value < Most / 10)
            value = (value * 10) + (text[digits++] - '0');
        text = text[digits..];
        return digits > 0 && (text.IsEmpty || !char.IsAsciiDigit(text[0]));
    }

    private static bool Skip(ref ReadOnlySpan<char> text, string expected)
    {
        if (!text.StartsWith(expected, StringComparison.Ordinal))
            return false;
        text = text[expected.Length..];
        return true;
    }
}
