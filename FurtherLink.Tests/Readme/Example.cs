namespace FurtherLink.Tests.Readme;

/// <summary>One fenced block of a document.</summary>
/// <param name="Document">The document's path in the repository.</param>
/// <param name="Line">The line of its opening fence, from 1.</param>
/// <param name="Kind">The first word behind the fence.</param>
/// <param name="Argument">What follows the kind; "" = nothing.</param>
/// <param name="Lines">What is between the fences.</param>
/// <param name="Section">The line of the heading above it, from 1; 0 = none.</param>
internal sealed record Example(string Document, int Line, string Kind, string Argument, IReadOnlyList<string> Lines, int Section = 0)
{
    /// <summary>The repository's folder.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The blocks of a document, none of a document that does not exist.</summary>
    public static IEnumerable<Example> Of(string document)
    {
        var path = Path.Combine(Root, document);
        return File.Exists(path) ? Parse(document, File.ReadAllLines(path)) : [];
    }

    /// <summary>The blocks of a text.</summary>
    public static IEnumerable<Example> Parse(string document, IReadOnlyList<string> lines)
    {
        var section = 0;
        for (var start = 0; start < lines.Count; start++)
        {
            if (lines[start].StartsWith('#'))
                section = start + 1;
            if (!lines[start].StartsWith("```", StringComparison.Ordinal))
                continue;
            var end = start + 1;
            while (end < lines.Count && lines[end] != "```")
                end++;
            if (end == lines.Count)
                throw new FormatException($"{document}:{start + 1}: the block is not closed.");
            var words = lines[start][3..].Split(' ', 2, StringSplitOptions.TrimEntries);
            yield return new Example(document, start + 1, words[0], words.Length > 1 ? words[1] : "", [.. lines.Skip(start + 1).Take(end - start - 1)], section);
            start = end;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Document}:{Line} {Kind}";

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "FurtherLink.sln")))
            directory = Path.GetDirectoryName(directory) ?? throw new DirectoryNotFoundException("The tests do not run inside the repository.");
        return directory;
    }
}
