using System.Text;
using FurtherLink.Device;
using FurtherLink.Processes.Leftovers;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>
/// Puts new content into a file. Others see the old content or the new, never half of it, wherever the file can be replaced by one that has the same
/// owner and permissions; else it is written in place.
/// </summary>
internal static class FileWriter
{
    // Whoever runs a file with a set-id bit trusts its content, so new content does not inherit it; see "write" in POSIX.
    private const UnixFileMode KeptMode = (UnixFileMode)0x3FF;

    /// <summary>Writes a file, making it and the directories above it where they are missing. Links are written through; a device is written to.</summary>
    /// <returns>The number of bytes.</returns>
    /// <exception cref="Messages.LinkException">The path leads out of the root.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    /// <exception cref="IOException">It cannot be written; unless it was written in place the old content stands.</exception>
    public static int Write(DevicePaths paths, string given, string content)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        using (var path = paths.Find(given))
        {
            var status = path.Look();
            if (status is { IsDirectory: true })
                throw new IOException("It is a directory", Errno.IsDirectory);
            if (status is { IsFile: false, IsLink: false })
            {
                WriteInPlace(path, bytes);
                return bytes.Length;
            }
        }

        using var target = Prepare(paths, given);
        var old = target.Look(followLinks: false);
        if (old is not null)
        {
            // Replacing takes rights on the directory only: a file that may not be written stays as it is.
            using var writable = target.OpenToWrite();
        }
        // A second name of the file would keep the old content.
        if (old is { Links: > 1 } || !TryReplace(target, old, bytes, paths.Ledger))
            WriteInPlace(target, bytes);
        return bytes.Length;
    }

    /// <summary>Makes a file that is not there; where it cannot be written in full it is removed again.</summary>
    /// <exception cref="Messages.LinkException">The folder has left the root.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be made.</exception>
    /// <exception cref="IOException">It cannot be made, or something is there.</exception>
    public static void WriteNew(HeldFolder folder, string name, string content)
    {
        using var file = folder.Create(name);
        try
        {
            RandomAccess.Write(file, Encoding.UTF8.GetBytes(content), 0);
        }
        catch (IOException)
        {
            File.Delete(folder.PathTo(name));
            throw;
        }
    }

    /// <summary>Finds the file to write, and makes the directories above it.</summary>
    internal static DevicePath Prepare(DevicePaths paths, string given)
    {
        var target = paths.FindTarget(given);
        var missing = new Stack<string>();
        PathStatus? status = null;
        for (var above = Path.GetDirectoryName(target.Real); above is not null && (status = PathStatus.TryOf(above, followLinks: true)) is null; above = Path.GetDirectoryName(above))
            missing.Push(above);
        if (status is { IsDirectory: false })
            throw new IOException("A part of the path is no directory", Errno.NotDirectory);
        if (missing.Count == 0)
            return target;
        target.Dispose();
        while (missing.TryPop(out var directory))
        {
            using var made = paths.Find(directory);
            // Who is quicker has made the same.
            _ = DeviceFiles.TryMakeDirectory(made.Full);
        }
        return paths.FindTarget(given);
    }

    /// <summary>Writes a file beside the old one and renames it over that.</summary>
    /// <returns>False where that cannot be done, or not with the same owner; nothing is changed then.</returns>
    private static bool TryReplace(DevicePath target, PathStatus? old, byte[] bytes, Ledger? ledger)
    {
        var temporary = target.Beside($".{Guid.NewGuid():N}.tmp");
        using var note = ledger?.Note(temporary);
        FileStream file;
        try
        {
            file = OpenNew(temporary, old is not null);
        }
        catch (Exception e) when (old is not null && Errno.Of(e) is Errno.AccessDenied or Errno.NotPermitted or Errno.ReadOnly or Errno.NoEntry)
        {
            return false;
        }

        var placed = false;
        try
        {
            using (file)
            {
                if (old is not null && !TryTakeOver(file.SafeFileHandle, old))
                    return false;
                RandomAccess.Write(target.Checked(file.SafeFileHandle), bytes, 0);
                RandomAccess.FlushToDisk(file.SafeFileHandle);
            }
            File.Move(temporary, target.Full, overwrite: true);
            placed = true;
            return true;
        }
        catch (Exception e) when (old is not null && Errno.Of(e) is Errno.Busy or Errno.AccessDenied or Errno.NotPermitted)
        {
            // Something is mounted on the file, or a sticky directory keeps it in place.
            return false;
        }
        finally
        {
            if (!placed)
                File.Delete(temporary);
        }
    }

    private static FileStream OpenNew(string path, bool isPrivate)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        // Nobody may look into it before it has the old one's permissions.
        if (isPrivate && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    private static bool TryTakeOver(SafeFileHandle file, PathStatus old)
    {
        var own = PathStatus.Of(file);
        if ((own.Uid != old.Uid || own.Gid != old.Gid) && !DeviceFiles.TryGive(file, old.Uid, old.Gid))
            return false;
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, old.Mode & KeptMode);
        return true;
    }

    private static void WriteInPlace(DevicePath path, byte[] bytes)
    {
        using var file = path.OpenToWrite();
        if (PathStatus.Of(file).IsFile)
            RandomAccess.SetLength(file, 0);
        RandomAccess.Write(file, bytes, 0);
    }
}
