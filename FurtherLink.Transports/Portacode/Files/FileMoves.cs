using System.Text.Json.Nodes;
using FurtherLink.Device;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>Renames, moves and copies files, folders and links; nothing that is there is ever replaced.</summary>
/// <param name="paths">Where paths lead.</param>
internal sealed class FileMoves(DevicePaths paths)
{
    /// <summary>file_rename: gives an entry another name in its folder.</summary>
    public JsonObject Rename(PortacodeRequest request)
    {
        var given = request.RequireText("old_path");
        var name = FileNames.Require(request, "new_name");
        try
        {
            using var old = paths.Find(given, followLast: false);
            var status = Look(old, given);
            var renamed = FileNames.Join(FolderOf(given, old), name);
            if (!DeviceFiles.TryRename(old.Full, old.Beside(name)))
                throw FileFaults.Taken(renamed);
            return new JsonObject
            {
                ["old_path"] = given,
                ["new_path"] = renamed,
                ["new_name"] = name,
                ["is_directory"] = status.IsDirectory,
                ["success"] = true,
            };
        }
        catch (Exception e) when (FileFaults.IsExpected(e))
        {
            throw FileFaults.Explain(e, given, "Path does not exist", "Failed to rename: ");
        }
    }

    /// <summary>file_move_copy: puts an entry, or a copy of it, into another folder.</summary>
    public JsonObject MoveOrCopy(PortacodeRequest request, CancellationToken cancellationToken)
    {
        var given = request.RequireText("source_path");
        var destination = request.RequireText("destination_path");
        var operation = request.Text("operation") ?? "move";
        if (operation is not ("move" or "copy"))
            throw new LinkException(FailureCode.BadValue, $"Unknown operation: {operation}");
        try
        {
            using var source = paths.Find(given, followLast: false);
            var status = Look(source, given);
            using var path = paths.Find(destination);
            using var folder = FileNames.OpenParent(path);
            var target = FileNames.Join(destination, source.Name);
            if (status.IsDirectory && DevicePaths.IsInside(Resolved(destination), Resolved(given)))
                throw new LinkException(FailureCode.BadValue, $"Cannot {operation} a directory into itself: {given}");
            if (folder.Look(source.Name) is not null)
                throw FileFaults.Taken(target);
            if (operation == "copy")
            {
                TreeCopy.Copy(source, folder, cancellationToken);
            }
            else if (!TryMove(source, folder, target))
            {
                TreeCopy.Copy(source, folder, cancellationToken);
                DeviceFiles.RemoveTree(source.Full);
            }
            return new JsonObject
            {
                ["source_path"] = given,
                ["destination_path"] = destination,
                ["target_path"] = target,
                ["operation"] = operation,
                ["is_directory"] = status.IsDirectory,
                ["success"] = true,
            };
        }
        catch (Exception e) when (FileFaults.IsExpected(e))
        {
            throw FileFaults.Explain(e, given, "Path does not exist", $"Failed to {operation}: ");
        }
    }

    private static PathStatus Look(DevicePath path, string given)
    {
        var status = path.Look(followLinks: false) ?? throw new LinkException(FailureCode.NotFound, $"Path does not exist: {given}");
        return path.IsTop ? throw FileFaults.Denied(given) : status;
    }

    /// <summary>Moves an entry within its file system.</summary>
    /// <returns>False where the folder is on another one.</returns>
    private static bool TryMove(DevicePath source, HeldFolder folder, string target)
    {
        try
        {
            return DeviceFiles.TryRename(source.Full, folder.PathTo(source.Name)) ? true : throw FileFaults.Taken(target);
        }
        catch (IOException e) when (Errno.Of(e) == Errno.OtherDevice)
        {
            return false;
        }
    }

    private string Resolved(string given)
    {
        using var path = paths.FindTarget(given);
        return path.Real;
    }

    /// <summary>The folder of a path, spelled as the path was where that ends in the entry's own name.</summary>
    private static string FolderOf(string given, DevicePath path)
    {
        var trimmed = Path.TrimEndingDirectorySeparator(given);
        var above = Path.GetDirectoryName(trimmed);
        if (Path.GetFileName(trimmed) != path.Name || above is null)
            return Path.GetDirectoryName(path.Real)!;
        return above.Length > 0 ? above : ".";
    }
}
