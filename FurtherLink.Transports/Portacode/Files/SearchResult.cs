using System.Text.Json.Nodes;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>Collects what a search finds, within its limits.</summary>
/// <param name="request">What is looked for.</param>
internal sealed class SearchResult(SearchRequest request)
{
    private const int MostErrors = 20;

    private readonly JsonArray _matches = [];
    private readonly JsonArray _errors = [];
    private string _path = "";
    private int _ofFile;
    private long _total;
    private int _files;

    /// <summary>Whether nothing more need be looked at: as much is told as may be, and there is more.</summary>
    public bool IsFull => _matches.Count >= request.MaxResults && _total > _matches.Count;

    /// <summary>Set where the search was ended before its end.</summary>
    public bool IsCutShort { get; set; }

    /// <summary>Begins a file.</summary>
    /// <param name="path">Its path relative to the folder searched.</param>
    public void BeginFile(string path)
    {
        _path = path;
        _ofFile = 0;
        _files++;
    }

    /// <summary>Adds a line that matches.</summary>
    /// <param name="number">Its number in the file, from 1.</param>
    /// <param name="line">The line without its end.</param>
    /// <param name="spans">The matches in it.</param>
    public void Add(int number, ReadOnlySpan<char> line, List<(int Start, int End)> spans)
    {
        _total++;
        if (_ofFile >= request.MaxMatchesPerFile || _matches.Count >= request.MaxResults)
            return;
        _ofFile++;
        var length = Math.Min(line.Length, request.MaxLineLength);
        var isCut = length < line.Length;
        // Half a character is none.
        if (isCut && char.IsHighSurrogate(line[length - 1]))
            length--;
        var shown = new JsonArray();
        foreach (var (start, end) in spans)
        {
            if (start < length)
                shown.Add((JsonNode)new JsonArray(start, Math.Min(end, length)));
        }
        _matches.Add((JsonNode)new JsonObject
        {
            ["relative_path"] = _path,
            ["path"] = FileNames.Join(request.Root, _path),
            ["line_number"] = number,
            ["line"] = line[..length].ToString(),
            ["match_spans"] = shown,
            ["match_count"] = spans.Count,
            ["line_truncated"] = isCut,
        });
    }

    /// <summary>Adds something that could not be looked at; beyond a bound, none.</summary>
    public void AddError(string message)
    {
        if (_errors.Count < MostErrors)
            _errors.Add((JsonNode)JsonValue.Create(message));
    }

    /// <summary>The answer; once.</summary>
    public JsonObject Answer()
    {
        var answer = request.Answer();
        answer["matches"] = _matches;
        answer["matches_returned"] = _matches.Count;
        answer["total_matches"] = _total;
        answer["files_scanned"] = _files;
        answer["truncated"] = IsCutShort || _total > _matches.Count;
        if (_total > _matches.Count)
            answer["truncated_count"] = _total - _matches.Count;
        if (_errors.Count > 0)
            answer["errors"] = _errors;
        return answer;
    }
}
