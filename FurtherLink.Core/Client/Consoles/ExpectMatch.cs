using System.Text.RegularExpressions;

namespace FurtherLink.Client.Consoles;

/// <summary>What was waited for, and has come.</summary>
public sealed class ExpectMatch
{
    private readonly Match? _match;

    internal ExpectMatch(int index, string before, string text, Match? match)
    {
        (Index, Before, Text, _match) = (index, before, text, match);
        Groups = match is null ? [text] : [.. match.Groups.Values.Select(group => group.Value)];
    }

    /// <summary>Which of the patterns it is, from 0.</summary>
    public int Index { get; }

    /// <summary>What matched.</summary>
    public string Text { get; }

    /// <summary>What stands before it, since the last match.</summary>
    public string Before { get; }

    /// <summary>The groups of a regular expression, the whole first; one that did not take part is empty. Of a text only the whole.</summary>
    public IReadOnlyList<string> Groups { get; }

    /// <summary>A named group of a regular expression; empty where it did not take part or there is none.</summary>
    public string Group(string name) => _match?.Groups[name].Value ?? "";

    /// <inheritdoc/>
    public override string ToString() => Text;
}
