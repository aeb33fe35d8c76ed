using System.Text;

namespace FurtherLink.Transports.Portacode.Diffs;

/// <summary>Reads how diffs write the names of files: quoted or not, with a time behind a tab, with the prefixes a/ and b/.</summary>
internal static class DiffNames
{
    /// <summary>What stands for no file.</summary>
    public const string Nothing = "/dev/null";

    /// <summary>The name in a header line ("a/file.txt\t2026-01-01"); null where its quotes make no sense.</summary>
    public static string? Read(string text)
    {
        if (text.StartsWith('"'))
            return Unquote(text, out _);
        var tab = text.IndexOf('\t', StringComparison.Ordinal);
        return (tab < 0 ? text : text[..tab]).Trim();
    }

    /// <summary>Takes the prefixes a/ and b/ off where both names have them, or one and the other is no file.</summary>
    public static (string? Old, string? New) Strip(string before, string after)
    {
        var old = before == Nothing ? null : before;
        var fresh = after == Nothing ? null : after;
        return old?.StartsWith("a/", StringComparison.Ordinal) is not false && fresh?.StartsWith("b/", StringComparison.Ordinal) is not false
            ? (old?[2..], fresh?[2..])
            : (old, fresh);
    }

    /// <summary>The two names behind "diff --git", which must be the same file; null where they are not.</summary>
    public static string? ReadPair(string text)
    {
        if (text.StartsWith('"'))
        {
            var first = Unquote(text, out var length);
            var second = text.Length > length + 1 ? Read(text[(length + 1)..]) : null;
            return first is not null && second is not null ? Same(first, second) : null;
        }

        // "a/N b/N": the blank between the two is the middle one, whatever blanks the name has.
        var middle = text.Length / 2;
        return text.Length % 2 is 1 && text[middle] == ' ' ? Same(text[..middle], text[(middle + 1)..]) : null;
    }

    /// <summary>Whether a name can be one of a file.</summary>
    public static bool IsUsable(string? name) => !string.IsNullOrEmpty(name) && !name.Contains('\0', StringComparison.Ordinal);

    private static string? Same(string before, string after)
    {
        var (old, fresh) = Strip(before, after);
        return old == fresh ? fresh : null;
    }

    /// <summary>Reads a name in quotes, bytes as \ooo and the escapes of C.</summary>
    private static string? Unquote(string text, out int length)
    {
        var bytes = new List<byte>();
        var at = 1;
        while (at < text.Length && text[at] != '"')
        {
            if (text[at] != '\\')
            {
                // A pair of surrogates is one character.
                var width = char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(text.Substring(at, width)));
                at += width;
            }
            else if (Escape(text.AsSpan(at), out var used) is { } value)
            {
                bytes.Add(value);
                at += used;
            }
            else
            {
                length = 0;
                return null;
            }
        }

        length = at + 1;
        return at < text.Length ? Encoding.UTF8.GetString([.. bytes]) : null;
    }

    private static byte? Escape(ReadOnlySpan<char> text, out int used)
    {
        used = 2;
        if (text.Length < 2)
            return null;
        if (text[1] is >= '0' and <= '3' && text.Length >= 4 && text[2] is >= '0' and <= '7' && text[3] is >= '0' and <= '7')
        {
            used = 4;
            return (byte)(((text[1] - '0') << 6) | ((text[2] - '0') << 3) | (text[3] - '0'));
        }

        return text[1] switch
        {
            'a' => 7,
            'b' => 8,
            't' => 9,
            'n' => 10,
            'v' => 11,
            'f' => 12,
            'r' => 13,
            '"' or '\\' => (byte)text[1],
            _ => null,
        };
    }
}
