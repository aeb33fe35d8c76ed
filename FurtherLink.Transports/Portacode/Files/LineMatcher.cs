using System.Text.RegularExpressions;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>Finds a query in one line at a time.</summary>
internal sealed class LineMatcher
{
    /// <summary>The longest that the search of one line may take.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    private readonly string _query;
    private readonly StringComparison _comparison;
    private readonly bool _wholeWord;
    private readonly Regex? _regex;

    /// <summary>Creates the matcher.</summary>
    /// <exception cref="LinkException">The query is no regular expression.</exception>
    public LineMatcher(SearchRequest request)
    {
        _query = request.Query;
        _comparison = request.MatchCase ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        _wholeWord = request.WholeWord;
        if (!request.IsRegex)
            return;
        var options = RegexOptions.CultureInvariant | (request.MatchCase ? RegexOptions.None : RegexOptions.IgnoreCase);
        try
        {
            _regex = Build(_query, options);
            if (_wholeWord)
                _regex = Build($@"\b(?:{_query})\b", options);
        }
        catch (ArgumentException e)
        {
            throw new LinkException(FailureCode.BadValue, $"Invalid regular expression: {e.Message}", e);
        }
    }

    /// <summary>Finds all matches that are not empty and do not overlap.</summary>
    /// <param name="line">The line without its end.</param>
    /// <param name="into">Where they are added: start and end in UTF-16 units.</param>
    /// <exception cref="RegexMatchTimeoutException">It takes too long.</exception>
    public void Find(ReadOnlySpan<char> line, List<(int Start, int End)> into)
    {
        if (_regex is null)
        {
            FindText(line, into);
            return;
        }
        foreach (var match in _regex.EnumerateMatches(line))
        {
            if (match.Length > 0)
                into.Add((match.Index, match.Index + match.Length));
        }
    }

    private static Regex Build(string pattern, RegexOptions options)
    {
        try
        {
            return new Regex(pattern, options | RegexOptions.NonBacktracking, Timeout);
        }
        catch (NotSupportedException)
        {
            // It looks around or back, which only the other engine can; the time limit keeps that in bounds.
            return new Regex(pattern, options, Timeout);
        }
    }

    private void FindText(ReadOnlySpan<char> line, List<(int Start, int End)> into)
    {
        var at = 0;
        while (line[at..].IndexOf(_query, _comparison) is >= 0 and var found)
        {
            var start = at + found;
            var end = start + _query.Length;
            if (_wholeWord && ((start > 0 && IsWord(line[start - 1]) && IsWord(_query[0])) || (end < line.Length && IsWord(line[end]) && IsWord(_query[^1]))))
            {
                at = start + 1;
                continue;
            }
            into.Add((start, end));
            at = end;
        }
    }

    private static bool IsWord(char character) => char.IsLetterOrDigit(character) || character == '_';
}
