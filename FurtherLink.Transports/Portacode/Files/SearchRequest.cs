using System.Text.Json.Nodes;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>What a "file_search" looks for, and how much of it is told.</summary>
/// <param name="Root">The folder, as it was named.</param>
/// <param name="Query">The text or expression.</param>
internal sealed record SearchRequest(string Root, string Query)
{
    private const int MostQuery = 4096;
    private const int MostPatterns = 100;

    /// <summary>Whether upper and lower case differ.</summary>
    public required bool MatchCase { get; init; }

    /// <summary>Whether the query is a regular expression.</summary>
    public required bool IsRegex { get; init; }

    /// <summary>Whether only whole words match.</summary>
    public required bool WholeWord { get; init; }

    /// <summary>Whether names with a leading dot are looked at.</summary>
    public required bool IncludeHidden { get; init; }

    /// <summary>Where it is not empty, only files that one of these matches are looked at.</summary>
    public required IReadOnlyList<string> IncludePatterns { get; init; }

    /// <summary>Files and folders that one of these matches are not looked at.</summary>
    public required IReadOnlyList<string> ExcludePatterns { get; init; }

    /// <summary>The most lines that are told.</summary>
    public required int MaxResults { get; init; }

    /// <summary>The most lines that are told of one file.</summary>
    public required int MaxMatchesPerFile { get; init; }

    /// <summary>Larger files are not looked at, in bytes.</summary>
    public required int MaxFileSize { get; init; }

    /// <summary>The most characters of a line that are told.</summary>
    public required int MaxLineLength { get; init; }

    /// <summary>Reads a request; counts above their limits are cut to those.</summary>
    /// <exception cref="LinkException">An argument is missing or of the wrong kind.</exception>
    public static SearchRequest Read(PortacodeRequest request)
    {
        var root = request.RequireText("root_path");
        var query = request.RequireText("query");
        if (query.Length > MostQuery)
            throw new LinkException(FailureCode.Limited, $"query parameter must not be longer than {MostQuery} characters");
        return new SearchRequest(root, query)
        {
            MatchCase = request.Flag("match_case"),
            IsRegex = request.Flag("regex"),
            WholeWord = request.Flag("whole_word"),
            IncludeHidden = request.Flag("include_hidden"),
            IncludePatterns = Patterns(request, "include_patterns"),
            ExcludePatterns = Patterns(request, "exclude_patterns"),
            MaxResults = Count(request, "max_results", 40, 500),
            MaxMatchesPerFile = Count(request, "max_matches_per_file", 5, 50),
            MaxFileSize = Count(request, "max_file_size", 1 << 20, 64 << 20),
            MaxLineLength = Count(request, "max_line_length", 200, 10_000),
        };
    }

    /// <summary>The beginning of the answer: what was asked for, with the limits in force.</summary>
    public JsonObject Answer() => new()
    {
        ["root_path"] = Root,
        ["query"] = Query,
        ["match_case"] = MatchCase,
        ["regex"] = IsRegex,
        ["whole_word"] = WholeWord,
        ["include_hidden"] = IncludeHidden,
        ["include_patterns"] = List(IncludePatterns),
        ["exclude_patterns"] = List(ExcludePatterns),
        ["max_results"] = MaxResults,
        ["max_matches_per_file"] = MaxMatchesPerFile,
        ["max_file_size"] = MaxFileSize,
        ["max_line_length"] = MaxLineLength,
    };

    private static JsonArray List(IReadOnlyList<string> texts) => [.. texts.Select(text => (JsonNode)JsonValue.Create(text))];

    private static int Count(PortacodeRequest request, string name, int otherwise, int most) => (int)Math.Min(request.Integer(name, 1) ?? otherwise, most);

    private static IReadOnlyList<string> Patterns(PortacodeRequest request, string name)
    {
        var patterns = request.Texts(name) ?? [];
        return patterns.Count <= MostPatterns ? patterns : throw new LinkException(FailureCode.Limited, $"{name} parameter must not hold more than {MostPatterns} patterns");
    }
}
