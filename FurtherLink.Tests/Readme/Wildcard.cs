using System.Text.RegularExpressions;

namespace FurtherLink.Tests.Readme;

/// <summary>Compares with a text in which "..." stands for anything.</summary>
internal static class Wildcard
{
    /// <summary>Whether one line or string matches.</summary>
    public static bool Matches(string pattern, string text) =>
        Regex.IsMatch(text, "^" + string.Join(".*", pattern.Split("...").Select(Regex.Escape)) + "$", RegexOptions.Singleline | RegexOptions.NonBacktracking);

    /// <summary>Whether lines match; a line that is "..." alone stands for any number of lines.</summary>
    public static bool Matches(IEnumerable<string> pattern, IEnumerable<string> lines)
    {
        var expected = string.Concat(pattern.Select(line => line == "..." ? "(?:[^\n]*\n)*" : string.Join("[^\n]*", line.Split("...").Select(Regex.Escape)) + "\n"));
        return Regex.IsMatch(string.Concat(lines.Select(line => line + "\n")), "^(?:" + expected + ")$", RegexOptions.NonBacktracking);
    }
}
