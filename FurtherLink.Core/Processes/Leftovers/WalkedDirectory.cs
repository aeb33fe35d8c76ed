using System.Runtime.InteropServices;
using FurtherLink.Processes.Native;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Processes.Leftovers;

/// <summary>
/// A directory that was come to without following a link, open to find and remove what is in it, not to list it: who may not list it may do that.
/// </summary>
internal sealed class WalkedDirectory : IDisposable
{
    private readonly SafeFileHandle _handle;

    private WalkedDirectory(SafeFileHandle handle) => _handle = handle;

    /// <summary>Goes there from the root.</summary>
    /// <param name="path">Absolute.</param>
    /// <returns>Null where it is not there, or a part of the way is no directory or a link.</returns>
    /// <exception cref="IOException">It may not be entered.</exception>
    public static WalkedDirectory? TryOpen(string path)
    {
        const int Flags = LibcAt.OpenPathOnly | LibcAt.OpenCloseOnExec;
        var handle = LibcAt.open("/", Flags | LibcAt.OpenDirectory, 0);
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            using var above = handle;
            handle = LibcAt.openat(above, name, Flags | LibcAt.OpenDirectory | LibcAt.OpenNoFollow, 0);
            if (handle.IsInvalid)
                return Marshal.GetLastPInvokeError() is LibcAt.NoEntry or LibcAt.NotDirectory or LibcAt.TooManyLinks ? null : throw LibcAt.Failure(path);
        }

        return new WalkedDirectory(handle);
    }

    /// <summary>Goes on from a directory, and makes what is missing of the way.</summary>
    /// <param name="path">Where it begins; absolute, without links.</param>
    /// <param name="further">What follows: names, or ".".</param>
    /// <returns>Null where a part of the way is no directory or a link.</returns>
    /// <exception cref="IOException">Something may not be entered or made.</exception>
    public static WalkedDirectory? TryOpenOrMake(string path, string further)
    {
        if (TryOpen(path) is not { } opened)
            return null;
        var handle = opened._handle;
        foreach (var name in further.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(static name => name != "."))
        {
            using var above = handle;
            if (LibcAt.mkdirat(above, name, 0x1FF) != 0 && Marshal.GetLastPInvokeError() != LibcAt.Exists) // 0777, less the umask
                throw LibcAt.Failure(name);
            handle = LibcAt.openat(above, name, LibcAt.OpenPathOnly | LibcAt.OpenCloseOnExec | LibcAt.OpenDirectory | LibcAt.OpenNoFollow, 0);
            if (handle.IsInvalid)
                return Marshal.GetLastPInvokeError() is LibcAt.NoEntry or LibcAt.NotDirectory or LibcAt.TooManyLinks ? null : throw LibcAt.Failure(name);
        }

        return new WalkedDirectory(handle);
    }

    /// <summary>A path to an entry that leads through the open directory, wherever that is moved and whatever takes its place.</summary>
    public string PathOf(string name) => $"/proc/self/fd/{_handle.DangerousGetHandle()}/{name}";

    /// <summary>The path of a directory, its links resolved; null where there is none, or it may not be entered.</summary>
    public static string? RealPath(string path)
    {
        using var handle = LibcAt.open(path, LibcAt.OpenPathOnly | LibcAt.OpenDirectory | LibcAt.OpenCloseOnExec, 0);
        return handle.IsInvalid ? null : new FileInfo($"/proc/self/fd/{handle.DangerousGetHandle()}").LinkTarget;
    }

    /// <summary>What the system says of an entry; null where it cannot be looked at.</summary>
    public LibcAt.StatxBuffer? Look(string name) => LibcAt.StatusOf(_handle, name);

    /// <summary>Removes an entry and all below it; nothing where there is none.</summary>
    /// <exception cref="IOException">Something of it may not be removed.</exception>
    public void Remove(string name) => TreeRemoval.Remove(_handle, name);

    /// <summary>Removes a directory that is empty; does nothing where it is not, or is gone.</summary>
    public void RemoveIfEmpty(string name) => _ = LibcAt.unlinkat(_handle, name, LibcAt.AtRemoveDir);

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
