using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>
/// A pattern of paths: "*" and "?" stand for characters of one name, "[a-z]" and "[!a-z]" for one of some, "{a,b}" for either, and a name "**" for any
/// number of folders. One without "/" matches a name at any depth; one with it is anchored at the top. A match of a folder covers all in it.
/// </summary>
internal sealed class GlobPattern
{
    private const int MaxLength = 1000;
    private const int MaxAlternatives = 64;

    private readonly List<string[]> _alternatives;

    private GlobPattern(List<string[]> alternatives) => _alternatives = alternatives;

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="LinkException">It is empty, too long, or has too many alternatives.</exception>
    public static GlobPattern Parse(string text)
    {
        if (text.Length is 0 or > MaxLength)
            throw new LinkException(FailureCode.BadValue, $"Invalid pattern (1 to {MaxLength} characters): {text[..Math.Min(text.Length, 100)]}");
        var expanded = new List<string>();
        Expand(text, expanded);
        return new GlobPattern(expanded.ConvertAll(Split));
    }

    /// <summary>Whether a path relative to the top matches, or a folder on its way.</summary>
    /// <param name="path">Names with "/" between them.</param>
    public bool IsMatch(string path)
    {
        var names = path.Split('/');
        foreach (var pattern in _alternatives)
        {
            if (IsMatch(pattern, names))
                return true;
        }
        return false;
    }

    private static string[] Split(string pattern)
    {
        var isAnchored = pattern.TrimEnd('/').Contains('/', StringComparison.Ordinal);
        var names = pattern.Split('/').Where(name => name is not ("" or "."));
        return [.. isAnchored ? names : names.Prepend("**")];
    }

    /// <summary>Keeps the set of pattern positions that the names so far can have led to, so that no pattern takes more than names times positions.</summary>
    private static bool IsMatch(string[] pattern, string[] names)
    {
        var at = new bool[pattern.Length + 1];
        at[0] = true;
        SkipFolders(pattern, at);
        foreach (var name in names)
        {
            // What a whole pattern has matched is a folder that this name is in.
            if (at[pattern.Length])
                return true;
            var next = new bool[at.Length];
            for (var i = 0; i < pattern.Length; i++)
            {
                if (!at[i])
                    continue;
                if (pattern[i] == "**")
                    next[i] = true;
                else if (IsNameMatch(pattern[i], name))
                    next[i + 1] = true;
            }
            // At its end "**" needs a name: "a/**" is what is in a, not a.
            if (pattern is [.., "**"] && at[pattern.Length - 1])
                return true;
            at = next;
            SkipFolders(pattern, at);
        }
        return at[pattern.Length];
    }

    private static void SkipFolders(string[] pattern, bool[] at)
    {
        for (var i = 0; i < pattern.Length - 1; i++)
        {
            if (at[i] && pattern[i] == "**")
                at[i + 1] = true;
        }
    }

    private static bool IsNameMatch(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        var (p, n, star, mark) = (0, 0, -1, 0);
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                mark = n;
            }
            else if (p < pattern.Length && IsCharacterMatch(pattern[p..], name[n], out var length))
            {
                p += length;
                n++;
            }
            else if (star >= 0)
            {
                // Only the last star need take more: what an earlier one took left the same rest to match.
                p = star + 1;
                n = ++mark;
            }
            else
            {
                return false;
            }
        }
        return pattern[p..].Trim('*').IsEmpty;
    }

    private static bool IsCharacterMatch(ReadOnlySpan<char> pattern, char character, out int length)
    {
        length = 1;
        if (pattern[0] == '?')
            return true;
        if (pattern[0] != '[')
            return pattern[0] == character;
        var negated = pattern.Length > 1 && pattern[1] is '!' or '^';
        var first = negated ? 2 : 1;
        // "]" right at the beginning is one of the characters; without an end, "[" is a character like others.
        var end = first + 1 < pattern.Length ? pattern[(first + 1)..].IndexOf(']') : -1;
        if (end < 0)
            return character == '[';
        var set = pattern[first..(first + 1 + end)];
        length = first + 2 + end;
        return IsInSet(set, character) != negated;
    }

    private static bool IsInSet(ReadOnlySpan<char> set, char character)
    {
        for (var i = 0; i < set.Length; i++)
        {
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                if (character >= set[i] && character <= set[i + 2])
                    return true;
                i += 2;
            }
            else if (set[i] == character)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Writes out the alternatives in braces; a brace without its other half is a character like others.</summary>
    private static void Expand(string text, List<string> into)
    {
        var pending = new Stack<string>();
        pending.Push(text);
        while (pending.TryPop(out var next))
        {
            if (FindBraces(next) is not { } braces)
            {
                into.Add(next);
                continue;
            }
            for (var i = braces.Count - 2; i >= 0; i--)
                pending.Push(string.Concat(next.AsSpan(0, braces[0]), next.AsSpan(braces[i] + 1, braces[i + 1] - braces[i] - 1), next.AsSpan(braces[^1] + 1)));
            if (into.Count + pending.Count > MaxAlternatives)
                throw new LinkException(FailureCode.BadValue, $"Invalid pattern (more than {MaxAlternatives} alternatives): {text[..Math.Min(text.Length, 100)]}");
        }
    }

    /// <summary>The places of the first brace that closes, the commas of that level, and its end; null where there is none.</summary>
    private static List<int>? FindBraces(string text)
    {
        for (var start = text.IndexOf('{', StringComparison.Ordinal); start >= 0; start = text.IndexOf('{', start + 1))
        {
            var (depth, places) = (0, new List<int>());
            for (var i = start; i < text.Length; i++)
            {
                if (text[i] == '{' && depth++ == 0)
                    places.Add(i);
                else if (text[i] == ',' && depth == 1)
                    places.Add(i);
                else if (text[i] == '}' && --depth == 0)
                    return [.. places, i];
            }
        }
        return null;
    }
}
