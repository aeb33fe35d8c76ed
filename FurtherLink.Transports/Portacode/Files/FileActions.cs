using System.Collections.Frozen;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Device;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Transfers;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>The actions on single files and folders: read, write, look at, delete, create, rename, move and copy.</summary>
internal sealed class FileActions : IActions
{
    private readonly DevicePaths _paths;
    private readonly TextFile _texts;
    private readonly FileMoves _moves;

    /// <summary>Creates the actions.</summary>
    /// <param name="paths">Where paths lead.</param>
    /// <param name="options">Settings; read once.</param>
    /// <param name="contents">Where what is sent in pieces can be asked for again.</param>
    public FileActions(DevicePaths paths, PortacodeOptions options, ContentStore contents)
    {
        _paths = paths;
        _texts = new TextFile(options.FileReadLimit);
        _moves = new FileMoves(paths);
        Handlers = new[]
        {
            new KeyValuePair<string, ActionHandler>("file_read", (request, replies, stop) => ReadAsync(request, replies, contents, stop)),
            FileWork.Action("file_write", (request, _) => Write(request)),
            FileWork.Action("file_info", (request, _) => Info(request)),
            FileWork.Action("file_delete", (request, _) => Delete(request)),
            FileWork.Action("file_create", (request, _) => CreateFile(request)),
            FileWork.Action("folder_create", (request, _) => CreateFolder(request)),
            FileWork.Action("file_rename", (request, _) => _moves.Rename(request)),
            FileWork.Action("file_move_copy", _moves.MoveOrCopy),
        }.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public FrozenDictionary<string, ActionHandler> Handlers { get; }

    private async ValueTask ReadAsync(PortacodeRequest request, IReplies replies, ContentStore contents, CancellationToken cancellationToken)
    {
        var fields = await FileWork.RunAsync(() => Read(request, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (!request.Flag("chunked"))
        {
            await replies.SendAsync(new PortacodeEvent("file_read_response", fields)).ConfigureAwait(false);
            return;
        }

        var content = fields["content"]!.GetValue<string>();
        var utf8 = Encoding.UTF8.GetBytes(content);
        var pieces = Chunks.Cut(utf8);
        var chunks = new Chunks(pieces.Count, utf8.Length, contents.Add(content));
        for (var i = 0; i < pieces.Count; i++)
        {
            var piece = new JsonObject(fields.Where(static one => one.Key != "content").Select(static one => KeyValuePair.Create(one.Key, one.Value?.DeepClone())));
            piece["content"] = Encoding.UTF8.GetString(pieces[i].Span);
            chunks.Describe(piece, i, pieces[i].Span);
            await replies.SendAsync(new PortacodeEvent("file_read_response", piece)).ConfigureAwait(false);
        }
    }

    /// <summary>file_read: the whole file, or the lines asked for.</summary>
    internal JsonObject Read(PortacodeRequest request, CancellationToken cancellationToken)
    {
        var given = request.RequireText("path");
        var encoding = TextEncoding.Find(request.Text("encoding"));
        var range = LineRange.Read(request);
        try
        {
            using var path = _paths.Find(given);
            return range is { } lines ? _texts.ReadLines(path, encoding, lines, cancellationToken) : _texts.ReadAll(path, encoding, cancellationToken);
        }
        catch (Exception e) when (FileFaults.IsExpected(e))
        {
            throw FileFaults.Explain(e, given, "File not found");
        }
    }

    /// <summary>file_write: replaces a file's content.</summary>
    internal JsonObject Write(PortacodeRequest request)
    {
        var given = request.RequireText("path");
        var content = request.RequireContent("content");
        try
        {
            return new JsonObject { ["path"] = given, ["bytes_written"] = FileWriter.Write(_paths, given, content), ["success"] = true };
        }
        catch (Exception e) when (FileFaults.IsExpected(e))
        {
            throw FileFaults.Explain(e, given, action: "Failed to write file: ");
        }
    }

    /// <summary>file_info: what is at a path; of a link, what it leads to.</summary>
    internal JsonObject Info(PortacodeRequest request)
    {
        var given = request.RequireText("path");
        try
        {
            using var name = _paths.Find(given, followLast: false);
            if (name.Look(followLinks: false) is not { } own)
                return new JsonObject { ["path"] = given, ["exists"] = false };
            using var path = _paths.Find(given);
            var isLink = own.IsLink && !name.IsTop;
            // A link that leads nowhere is told of itself.
            var status = (isLink || name.IsTop ? path.Look() : own) ?? own;
            return new JsonObject
            {
                ["path"] = given,
                ["exists"] = true,
                ["is_file"] = status.IsFile,
                ["is_dir"] = status.IsDirectory,
                ["is_symlink"] = isLink,
                ["size"] = status.Size,
                ["modified"] = status.Modified,
                ["accessed"] = status.Accessed,
                ["created"] = status.Changed,
                ["permissions"] = Permissions(status),
                ["owner_uid"] = status.Uid,
                ["group_gid"] = status.Gid,
            };
        }
        catch (Exception e) when (FileFaults.IsExpected(e))
        {
            throw FileFaults.Explain(e, given);
        }
    }

    /// <summary>file_delete: removes a file, a link (never what it leads to), or a folder.</summary>
    internal JsonObject Delete(PortacodeRequest request)
    {
        var given = request.RequireText("path");
        var recursive = request.Flag("recursive");
        try
        {
            using var path = _paths.Find(given, followLast: false);
            var status = path.Look(followLinks: false) ?? throw new LinkException(FailureCode.NotFound, $"Path does not exist: {given}");
            if (path.IsTop)
                throw FileFaults.Denied(given);
            if (!status.IsDirectory)
                File.Delete(path.Full);
            else if (recursive)
                DeviceFiles.RemoveTree(path.Full);
            else if (!DeviceFiles.TryRemoveEmpty(path.Full))
                throw new LinkException(FailureCode.Failed, $"Directory not empty (use recursive=True): {given}");
            return new JsonObject { ["path"] = given, ["deleted_type"] = status.IsDirectory ? "directory" : "file", ["success"] = true };
        }
        catch (Exception e) when (FileFaults.IsExpected(e))
        {
            throw FileFaults.Explain(e, given, "Path does not exist", "Failed to delete: ");
        }
    }

    /// <summary>file_create: makes a file that is not there.</summary>
    internal JsonObject CreateFile(PortacodeRequest request)
    {
        var parent = request.RequireText("parent_path");
        var name = FileNames.Require(request, "file_name");
        var content = request.Text("content") ?? "";
        var given = FileNames.Join(parent, name);
        try
        {
            using var path = _paths.Find(parent);
            using var folder = FileNames.OpenParent(path);
            if (folder.Look(name) is not null)
                throw FileFaults.Taken(given);
            FileWriter.WriteNew(folder, name, content);
            return new JsonObject { ["parent_path"] = parent, ["file_name"] = name, ["file_path"] = given, ["success"] = true };
        }
        catch (Exception e) when (FileFaults.IsExpected(e))
        {
            throw Errno.Of(e) == Errno.Exists ? FileFaults.Taken(given) : FileFaults.Explain(e, given, action: "Failed to create file: ");
        }
    }

    /// <summary>folder_create: makes a folder that is not there.</summary>
    internal JsonObject CreateFolder(PortacodeRequest request)
    {
        var parent = request.RequireText("parent_path");
        var name = FileNames.Require(request, "folder_name");
        var given = FileNames.Join(parent, name);
        try
        {
            using var path = _paths.Find(parent);
            using var folder = FileNames.OpenParent(path);
            if (!DeviceFiles.TryMakeDirectory(folder.PathTo(name)))
                throw FileFaults.Taken(given);
            return new JsonObject { ["parent_path"] = parent, ["folder_name"] = name, ["folder_path"] = given, ["success"] = true };
        }
        catch (Exception e) when (FileFaults.IsExpected(e))
        {
            throw FileFaults.Explain(e, given, action: "Failed to create folder: ");
        }
    }

    /// <summary>Read, write and execute of owner, group and others, as three octal digits.</summary>
    internal static string Permissions(PathStatus status) => Convert.ToString((int)status.Mode & 0x1FF, 8).PadLeft(3, '0');
}
