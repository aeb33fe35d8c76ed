using System.Collections.Frozen;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Transports.Portacode.Diffs;

/// <summary>The actions file_apply_diff and file_preview_diff.</summary>
internal sealed class DiffActions : IActions
{
    private readonly Func<string, string> _resolve;
    private readonly DiskFiles _disk;

    /// <summary>The actions over the device's files.</summary>
    /// <param name="paths">Finds what a path leads to.</param>
    /// <param name="resolve">Makes a path of a request absolute, or refuses it with a <see cref="LinkException"/>; null = <paramref name="paths"/> does.</param>
    public DiffActions(DevicePaths paths, Func<string, string>? resolve = null)
    {
        _resolve = resolve ?? paths.Resolve;
        _disk = new DiskFiles(paths);
        Handlers = new Dictionary<string, ActionHandler>(StringComparer.Ordinal)
        {
            ["file_apply_diff"] = ApplyAsync,
            ["file_preview_diff"] = PreviewAsync,
        }.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <inheritdoc />
    public FrozenDictionary<string, ActionHandler> Handlers { get; }

    private ValueTask ApplyAsync(PortacodeRequest request, IReplies replies, CancellationToken cancellationToken)
    {
        var (outcomes, basePath) = Run(request, _disk, cancellationToken);
        var (success, status) = Judge(outcomes);
        return replies.SendAsync(new PortacodeEvent("file_apply_diff_response", new JsonObject
        {
            ["success"] = success,
            ["status"] = status,
            ["base_path"] = basePath,
            ["files_changed"] = outcomes.Count(static outcome => outcome.Error is null),
            ["results"] = new JsonArray([.. outcomes.Select(Result)]),
        }));
    }

    private ValueTask PreviewAsync(PortacodeRequest request, IReplies replies, CancellationToken cancellationToken)
    {
        var (outcomes, basePath) = Run(request, new PreviewedFiles(_disk), cancellationToken);
        var (success, status) = Judge(outcomes);
        var answer = new JsonObject
        {
            ["success"] = success,
            ["status"] = status,
            ["base_path"] = basePath,
            ["previews"] = new JsonArray([.. outcomes.Select(outcome => Preview(outcome))]),
        };
        if (status is "failed")
            answer["error"] = outcomes[0].Error;
        return replies.SendAsync(new PortacodeEvent("file_preview_diff_response", answer));
    }

    private (List<PatchOutcome> Outcomes, string BasePath) Run(PortacodeRequest request, IPatchedFiles files, CancellationToken cancellationToken)
    {
        var diff = request.RequireText("diff");
        var basePath = _resolve(request.Text("base_path") is { Length: > 0 } given ? given : ".");
        if (!Directory.Exists(basePath))
            throw new LinkException(FailureCode.NotFound, $"Directory not found: {basePath}");
        var patches = UnifiedDiff.Parse(diff);
        if (patches.Count == 0)
            throw new LinkException(FailureCode.BadValue, "The diff names no file");

        var run = new PatchRun(_resolve, basePath, files);
        var outcomes = new List<PatchOutcome>();
        foreach (var patch in patches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            outcomes.AddRange(run.Apply(patch));
        }

        return (outcomes, basePath);
    }

    private static (bool Success, string Status) Judge(List<PatchOutcome> outcomes)
    {
        if (outcomes.TrueForAll(static outcome => outcome.Error is null))
            return (true, "success");
        return (false, outcomes.Exists(static outcome => outcome.Error is null) ? "partial_failure" : "failed");
    }

    private static JsonObject Result(PatchOutcome outcome)
    {
        var result = new JsonObject
        {
            ["path"] = outcome.Path,
            ["relative_path"] = outcome.Patch.Path,
            ["status"] = outcome.Error is null ? "applied" : "error",
            ["action"] = outcome.Action,
            ["bytes_written"] = outcome.BytesWritten,
        };
        if (outcome.Error is { } error)
            result["error"] = error;
        if (outcome.Line is { } line)
            result["line"] = line;
        return result;
    }

    private static JsonObject Preview(PatchOutcome outcome)
    {
        var preview = new JsonObject
        {
            ["path"] = outcome.Path,
            ["relative_path"] = outcome.Patch.Path,
            ["status"] = outcome.Error is null ? "ready" : "error",
            ["html"] = DiffHtml.Render(outcome.Patch, outcome.Change, outcome.Error),
        };
        if (outcome.Error is { } error)
            preview["error"] = error;
        return preview;
    }
}
