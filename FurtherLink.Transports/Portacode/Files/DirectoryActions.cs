using System.Collections.Frozen;
using System.Text.Json.Nodes;
using FurtherLink.Device;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>The action that lists a folder, in full or by pages.</summary>
internal sealed class DirectoryActions : IActions
{
    /// <summary>The most entries of a page.</summary>
    public const int PageLimit = 1000;

    private readonly DevicePaths _paths;

    /// <summary>Creates the action.</summary>
    /// <param name="paths">Where paths lead.</param>
    public DirectoryActions(DevicePaths paths)
    {
        _paths = paths;
        Handlers = new[] { FileWork.Action("directory_list", List) }.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public FrozenDictionary<string, ActionHandler> Handlers { get; }

    /// <summary>directory_list: the entries of a folder, by name.</summary>
    internal JsonObject List(PortacodeRequest request, CancellationToken cancellationToken)
    {
        var given = request.Text("path") is { Length: > 0 } text ? text : ".";
        var hidden = request.Flag("show_hidden");
        var limit = request.Integer("limit", 1);
        var offset = request.Integer("offset", 0);
        var isPaged = limit is not null || offset is not null;
        try
        {
            using var path = _paths.Find(given);
            using var folder = FileNames.OpenParent(path);
            var names = folder.Names().Where(name => hidden || !name.StartsWith('.')).ToArray();
            Array.Sort(names, StringComparer.Ordinal);
            var first = (int)Math.Min(offset ?? 0, names.Length);
            var most = isPaged ? (int)Math.Min(limit ?? PageLimit, PageLimit) : int.MaxValue;
            var page = names.AsSpan(first, Math.Min(most, names.Length - first));

            var items = new JsonArray();
            foreach (var name in page)
            {
                cancellationToken.ThrowIfCancellationRequested();
                items.Add((JsonNode)Item(folder, path, name));
            }
            var answer = new JsonObject { ["path"] = given, ["items"] = items, ["count"] = items.Count };
            if (isPaged)
            {
                answer["total_count"] = names.Length;
                answer["offset"] = offset ?? 0;
                answer["limit"] = most;
                answer["has_more"] = first + page.Length < names.Length;
            }
            return answer;
        }
        catch (Exception e) when (FileFaults.IsExpected(e))
        {
            throw FileFaults.Explain(e, given, "Directory not found");
        }
    }

    private JsonObject Item(HeldFolder folder, DevicePath path, string name)
    {
        var status = Look(folder, path, name);
        return new JsonObject
        {
            ["name"] = name,
            ["is_dir"] = status is { IsDirectory: true },
            ["is_file"] = status is { IsFile: true },
            ["size"] = status?.Size ?? 0,
            ["modified"] = status?.Modified ?? 0,
            ["permissions"] = status is null ? "000" : FileActions.Permissions(status),
        };
    }

    /// <summary>What an entry is, or what it leads to; null where nobody can say, as of a name that is not UTF-8.</summary>
    private PathStatus? Look(HeldFolder folder, DevicePath path, string name)
    {
        try
        {
            if (folder.Look(name) is not { } own)
                return null;
            return own.IsLink ? LookBehind(folder, path, name) ?? own : own;
        }
        catch (Exception e) when (FileFaults.IsExpected(e))
        {
            return null;
        }
    }

    private PathStatus? LookBehind(HeldFolder folder, DevicePath path, string name)
    {
        try
        {
            if (path.Root is null)
                return PathStatus.TryOf(folder.PathTo(name), followLinks: true);
            using var target = _paths.Find(FileNames.Join(path.Real, name));
            return target.Look();
        }
        catch (Exception e) when (FileFaults.IsExpected(e) || e is LinkException)
        {
            // It leads where nobody may look, or in a circle: what is left is the link itself.
            return null;
        }
    }
}
