using System.Runtime.InteropServices;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Processes.Native;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Device;

/// <summary>
/// What .NET's own file calls do not offer: opening that never waits, directories held open, renaming that never replaces. Linux only. Where a
/// call fails, HResult of the exception (of its inner one, where access is denied) is the errno.
/// </summary>
public static class DeviceFiles
{
    /// <summary>Opens what is at a path to read it. A pipe without a writer, a terminal or a device is not waited for.</summary>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle OpenToRead(string path) => Open(path, 0);

    /// <summary>Opens what is at a path to write to it, as it is: not emptied, not made, not waited for.</summary>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle OpenToWrite(string path) => Open(path, LibcAt.OpenWriteOnly);

    /// <summary>Holds a directory, so that "/proc/self/fd/N/name" stays a name in it whatever becomes of its path. It need not be readable.</summary>
    /// <exception cref="UnauthorizedAccessException">The way there may not be gone.</exception>
    /// <exception cref="IOException">It is no directory, or not there.</exception>
    public static SafeFileHandle HoldDirectory(string path) => Open(path, LibcAt.OpenDirectory | LibcAt.OpenPathOnly);

    /// <summary>Makes a directory, with all rights that the umask leaves.</summary>
    /// <returns>False where something of that name is there.</returns>
    /// <exception cref="UnauthorizedAccessException">It may not be made.</exception>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static bool TryMakeDirectory(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (LibcAt.mkdirat(LibcAt.CurrentDirectory, path, 0x1FF) == 0)
            return true;
        return LastErrorIs(LibcAt.Exists) ? false : throw LastError(path);
    }

    /// <summary>Renames a file, directory or link within its file system; nothing is ever replaced.</summary>
    /// <returns>False where something of the new name is there.</returns>
    /// <exception cref="UnauthorizedAccessException">It may not be renamed.</exception>
    /// <exception cref="IOException">It cannot be renamed.</exception>
    public static bool TryRename(string path, string newPath)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(newPath);
        if (Rename(path, newPath, LibcAt.RenameNoReplace))
            return true;
        if (LastErrorIs(LibcAt.Exists))
            return false;
        // Some file systems cannot promise it. Then who makes the name between these two calls loses.
        if (LastErrorIs(LibcAt.Invalid, LibcAt.NotImplemented, LibcAt.NotSupported))
        {
            if (PathStatus.TryOf(newPath, followLinks: false) is not null)
                return false;
            if (Rename(path, newPath, 0))
                return true;
        }
        throw LastError(path);
    }

    /// <summary>Lets two names change places at once.</summary>
    /// <returns>False where the file system cannot, or one of them is missing.</returns>
    public static bool TryExchange(string path, string other) =>
        OperatingSystem.IsLinux() && LibcAt.renameat2(LibcAt.CurrentDirectory, path, LibcAt.CurrentDirectory, other, LibcAt.RenameExchange) == 0;

    /// <summary>Gives an open file the owner that another one has; where that is not allowed it stays the caller's.</summary>
    public static void TakeOwner(SafeFileHandle file, string other)
    {
        if (!OperatingSystem.IsLinux() || PathStatus.TryOf(other, followLinks: true) is not { } theirs)
            return;
        var ours = PathStatus.Of(file);
        if (theirs.Uid != ours.Uid || theirs.Gid != ours.Gid)
            TryGive(file, theirs.Uid, theirs.Gid);
    }

    /// <summary>Gives an open file to a user and a group.</summary>
    /// <returns>False where that is not allowed, or the file system knows no owners.</returns>
    public static bool TryGive(SafeFileHandle file, uint uid, uint gid)
    {
        ArgumentNullException.ThrowIfNull(file);
        return LibcAt.fchown(file, uid, gid) == 0;
    }

    /// <summary>Removes an empty directory.</summary>
    /// <returns>False where it is not empty.</returns>
    /// <exception cref="UnauthorizedAccessException">It may not be removed.</exception>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public static bool TryRemoveEmpty(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (LibcAt.unlinkat(LibcAt.CurrentDirectory, path, LibcAt.AtRemoveDir) == 0)
            return true;
        // POSIX lets a system say either.
        return LastErrorIs(LibcAt.NotEmpty, LibcAt.Exists) ? false : throw LastError(path);
    }

    /// <summary>Removes a file or link, or a directory with all below it. No link is followed, whatever others do there meanwhile.</summary>
    /// <exception cref="IOException">Something of it cannot be removed; what could be is gone.</exception>
    public static void RemoveTree(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        using var parent = HoldDirectory(Path.GetDirectoryName(path) is { Length: > 0 } above ? above : ".");
        TreeRemoval.Remove(parent, Path.GetFileName(path));
    }

    internal static bool LastErrorIs(params ReadOnlySpan<int> errors) => errors.Contains(Marshal.GetLastPInvokeError());

    internal static Exception LastError(string what)
    {
        var error = LibcAt.Failure(what);
        return error.HResult is LibcAt.PermissionDenied or LibcAt.NotPermitted ? new UnauthorizedAccessException(error.Message, error) : error;
    }

    private static SafeFileHandle Open(string path, int flags)
    {
        ArgumentNullException.ThrowIfNull(path);
        var handle = LibcAt.open(path, flags | LibcAt.OpenNonBlocking | LibcAt.OpenNoControllingTerminal | LibcAt.OpenCloseOnExec, 0);
        if (!handle.IsInvalid)
            return handle;
        var error = LastError(path);
        handle.Dispose();
        throw error;
    }

    private static bool Rename(string path, string newPath, int flags) =>
        LibcAt.renameat2(LibcAt.CurrentDirectory, path, LibcAt.CurrentDirectory, newPath, (uint)flags) == 0;
}
