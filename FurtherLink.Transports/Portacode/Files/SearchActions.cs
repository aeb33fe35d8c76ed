using System.Collections.Frozen;
using System.Text.Json.Nodes;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>The action that looks for lines in files.</summary>
internal sealed class SearchActions : IActions
{
    private readonly DevicePaths _paths;
    private readonly TimeProvider _time;

    /// <summary>Creates the action.</summary>
    /// <param name="paths">Where paths lead.</param>
    /// <param name="time">What the time limit is measured with.</param>
    public SearchActions(DevicePaths paths, TimeProvider time)
    {
        _paths = paths;
        _time = time;
        Handlers = new[] { FileWork.Action("file_search", Search) }.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public FrozenDictionary<string, ActionHandler> Handlers { get; }

    /// <summary>file_search: the lines below a folder that hold a text or match an expression.</summary>
    internal JsonObject Search(PortacodeRequest request, CancellationToken cancellationToken)
    {
        var search = SearchRequest.Read(request);
        try
        {
            using var path = _paths.Find(search.Root);
            using var top = FileNames.OpenParent(path);
            return FileSearch.Run(search, top, _time, cancellationToken).Answer();
        }
        catch (Exception e) when (FileFaults.IsExpected(e))
        {
            throw FileFaults.Explain(e, search.Root, "Directory not found");
        }
    }
}
