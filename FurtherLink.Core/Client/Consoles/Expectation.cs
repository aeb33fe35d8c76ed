using System.Text.RegularExpressions;

namespace FurtherLink.Client.Consoles;

/// <summary>What is waited for: a text, a regular expression, or the program's end. Texts and expressions become one by themselves.</summary>
/// <remarks>
/// An expression is matched with what has come and not been matched yet: "^" is where the last match ended, and "$", or a "+" at its end, take what
/// has come so far, which may be a part. Let it end with what follows, as with "\n".
/// </remarks>
public sealed class Expectation
{
    private readonly string? _text;

    /// <summary>Waits for a text, compared character by character.</summary>
    /// <param name="text">At least one character.</param>
    public Expectation(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        _text = text;
    }

    /// <summary>Waits for a match of a regular expression.</summary>
    /// <param name="regex">With a time limit of its own where it may take long.</param>
    public Expectation(Regex regex)
    {
        ArgumentNullException.ThrowIfNull(regex);
        Regex = regex;
    }

    private Expectation()
    {
    }

    /// <summary>The program's end: matches where none of the others does in all it has printed.</summary>
    public static Expectation End { get; } = new();

    internal Regex? Regex { get; }

    internal bool IsEnd => _text is null && Regex is null;

    /// <summary>A text.</summary>
    public static implicit operator Expectation(string text) => new(text);

    /// <summary>A regular expression.</summary>
    public static implicit operator Expectation(Regex regex) => new(regex);

    /// <summary>A text.</summary>
    public static Expectation FromString(string text) => new(text);

    /// <summary>A regular expression.</summary>
    public static Expectation FromRegex(Regex regex) => new(regex);

    /// <summary>Finds it.</summary>
    /// <param name="text">What it may be in.</param>
    /// <param name="known">How much at the text's beginning it has been looked for in before, in vain.</param>
    /// <returns>Where it is; a start of -1 where it is not.</returns>
    internal (int Start, int End) Find(ReadOnlySpan<char> text, int known)
    {
        if (Regex is not null)
        {
            foreach (var match in Regex.EnumerateMatches(text))
                return (match.Index, match.Index + match.Length);
        }
        else if (_text is not null)
        {
            // It may have begun in what is known.
            var from = Math.Max(0, known - _text.Length + 1);
            var at = text[from..].IndexOf(_text, StringComparison.Ordinal);
            if (at >= 0)
                return (from + at, from + at + _text.Length);
        }

        return (-1, -1);
    }

    /// <inheritdoc/>
    public override string ToString() => (_text, Regex) switch
    {
        ({ } text, _) => $"\"{VisibleText.Of(text)}\"",
        (_, { } regex) => $"/{regex}/",
        _ => "its end",
    };
}
