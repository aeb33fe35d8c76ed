namespace FurtherLink.Client.Consoles;

/// <summary>
/// Looks for the first of several patterns: the one that is complete first, as if output came character by character, and of those the one
/// named first. So it does not depend on how output is cut.
/// </summary>
/// <param name="patterns">What is looked for, at least one.</param>
internal sealed class PatternSearch(IReadOnlyList<Expectation> patterns)
{
    // Where the text ended when it was looked at last.
    private long _known;

    /// <summary>Looks, and takes the text up to the match's end.</summary>
    /// <param name="text">What may match.</param>
    /// <param name="isEnd">Whether the program has ended.</param>
    public ExpectMatch? Find(UnmatchedText text, bool isEnd)
    {
        var span = text.Span;
        var known = (int)Math.Clamp(_known - text.Position, 0, span.Length);
        _known = text.Position + span.Length;
        var (found, start, end) = (-1, 0, int.MaxValue);
        for (var i = 0; i < patterns.Count; i++)
        {
            var (from, to) = patterns[i].Find(span, known);
            if (from >= 0 && to < end)
                (found, start, end) = (i, from, to);
        }

        if (found >= 0)
            return Take(text, found, start, end);
        return isEnd && IndexOfEnd() is >= 0 and var last ? Take(text, last, span.Length, span.Length) : null;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(" or ", patterns);

    private ExpectMatch Take(UnmatchedText text, int index, int start, int end)
    {
        // Of the whole, since an expression may look at what surrounds its match.
        var match = patterns[index].Regex?.Match(text.Span.ToString());
        var taken = text.Take(end);
        return new ExpectMatch(index, taken[..start], taken[start..], match);
    }

    private int IndexOfEnd()
    {
        for (var i = 0; i < patterns.Count; i++)
        {
            if (patterns[i].IsEnd)
                return i;
        }

        return -1;
    }
}
