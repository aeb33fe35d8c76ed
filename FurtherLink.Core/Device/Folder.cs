using System.Runtime.InteropServices;
using FurtherLink.Processes;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Processes.Native;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Device;

/// <summary>
/// An open directory. Everything is done relative to it and without following links, so that whoever may write in it cannot lead
/// the server elsewhere by swapping an entry. One thread at a time.
/// </summary>
internal sealed class Folder : IDisposable
{
    private readonly SafeFileHandle _handle;

    private Folder(SafeFileHandle handle) => _handle = handle;

    /// <summary>The directory's own path, links resolved.</summary>
    public string RealPath => new FileInfo(SelfPath).LinkTarget ?? SelfPath;

    /// <summary>Who owns it.</summary>
    public uint Owner => (LibcAt.Status(_handle) ?? throw LibcAt.Failure("Cannot look at a directory")).Uid;

    private string SelfPath => $"/proc/self/fd/{_handle.DangerousGetHandle()}";

    /// <summary>Opens a directory by a path that is trusted: links in it are followed.</summary>
    /// <exception cref="IOException">There is none, or it may not be opened.</exception>
    public static Folder Open(string path) => Take(LibcAt.open(path, LibcAt.OpenDirectory | LibcAt.OpenCloseOnExec, 0), path);

    /// <summary>Opens a directory in this one.</summary>
    /// <returns>Null where there is no such entry, or it is no directory (a link is none).</returns>
    public Folder? TryOpen(string name)
    {
        var handle = LibcAt.openat(_handle, name, LibcAt.OpenDirectory | LibcAt.OpenNoFollow | LibcAt.OpenCloseOnExec, 0);
        if (!handle.IsInvalid)
            return new Folder(handle);
        return Marshal.GetLastPInvokeError() is LibcAt.NoEntry or LibcAt.NotDirectory or LibcAt.TooManyLinks ? null : throw LibcAt.Failure(name);
    }

    /// <summary>Opens a directory in this one, following a link.</summary>
    public Folder Follow(string name) => Take(LibcAt.openat(_handle, name, LibcAt.OpenDirectory | LibcAt.OpenCloseOnExec, 0), name);

    /// <summary>Opens a directory in this one; a missing one is made.</summary>
    /// <param name="name">A single name.</param>
    /// <param name="owner">Whom a new one is given to; null = it stays the server's.</param>
    /// <param name="made">Whether it was missing.</param>
    /// <exception cref="IOException">It is something else than a directory, or cannot be made.</exception>
    public Folder OpenOrMake(string name, UserAccount? owner, out bool made)
    {
        made = LibcAt.mkdirat(_handle, name, 0x1FF) == 0; // 0777, less the umask
        if (!made && Marshal.GetLastPInvokeError() != LibcAt.Exists)
            throw LibcAt.Failure($"Cannot make the directory {name}");
        var folder = TryOpen(name) ?? throw new IOException($"{name} is not a directory");
        try
        {
            if (made && owner is not null)
                Give(folder._handle, owner);
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>What an entry is; null where there is none.</summary>
    public FileStatus? Look(string name)
    {
        var status = LibcAt.Status(_handle, name);
        return status is null && Marshal.GetLastPInvokeError() is not (LibcAt.NoEntry or LibcAt.NotDirectory) ? throw LibcAt.Failure(name) : status;
    }

    /// <summary>What a link says; null where the entry is none.</summary>
    public string? ReadLink(string name) => LibcAt.ReadLink(_handle, name);

    /// <summary>Makes a new file.</summary>
    /// <param name="name">A single name that is free.</param>
    /// <param name="owner">Whom it is given to; null = it stays the server's.</param>
    public SafeFileHandle Create(string name, UserAccount? owner)
    {
        const int Flags = LibcAt.OpenWriteOnly | LibcAt.OpenCreate | LibcAt.OpenExclusive | LibcAt.OpenCloseOnExec;
        var file = LibcAt.openat(_handle, name, Flags | LibcAt.OpenNoFollow, 0x1B6); // 0666, less the umask
        if (file.IsInvalid)
            throw LibcAt.Failure($"Cannot make the file {name}");
        try
        {
            if (owner is not null)
                Give(file, owner);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Makes a file without a name on this directory's file system, to write and read; it is gone when it is closed.</summary>
    /// <returns>Null where that cannot be: not every file system has such.</returns>
    public SafeFileHandle? TryCreateUnnamed()
    {
        var file = LibcAt.openat(_handle, ".", LibcAt.OpenUnnamed | LibcAt.OpenReadWrite | LibcAt.OpenCloseOnExec, 0x1B6); // 0666, less the umask
        if (!file.IsInvalid)
            return file;
        file.Dispose();
        return null;
    }

    /// <summary>Gives a name that is free to a file of <see cref="TryCreateUnnamed"/>.</summary>
    /// <param name="name">A single name.</param>
    /// <param name="file">The file.</param>
    /// <param name="owner">Whom it is given to; null = it stays the server's.</param>
    /// <returns>False where it is on another file system, would be another group's than a new file here, or cannot get the name.</returns>
    /// <exception cref="IOException">It cannot be given to the owner.</exception>
    public bool TryLink(string name, SafeFileHandle file, UserAccount? owner)
    {
        if (owner is not null)
            Give(file, owner);
        else if (LibcAt.StatusOf(_handle) is { } here && (here.Mode & LibcAt.SetGroup) != 0 && LibcAt.StatusOf(file)?.Gid != here.Gid)
            return false;
        return LibcAt.linkat(LibcAt.CurrentDirectory, $"/proc/self/fd/{file.DangerousGetHandle()}", _handle, name, LibcAt.AtSymlinkFollow) == 0;
    }

    /// <summary>Opens a file that <see cref="Create"/> has made, to write more; null where there is no entry.</summary>
    /// <param name="name">A single name.</param>
    /// <param name="owner">Whom it was given to; null = it is the server's.</param>
    /// <exception cref="IOException">Something else stands there.</exception>
    public SafeFileHandle? TryAppend(string name, UserAccount? owner)
    {
        // Not blocking: a FIFO would otherwise wait for its reader.
        const int Flags = LibcAt.OpenWriteOnly | LibcAt.OpenNonBlocking | LibcAt.OpenCloseOnExec;
        var file = LibcAt.openat(_handle, name, Flags | LibcAt.OpenNoFollow, 0);
        if (file.IsInvalid)
            return Marshal.GetLastPInvokeError() == LibcAt.NoEntry ? null : throw LibcAt.Failure(name);
        // The directory may be somebody's who has put another file there, by another name of it: what has two names is not ours.
        if (PathStatus.Of(file) is { IsFile: true, Links: 1 } status && status.Uid == (owner?.Uid ?? LibcAt.geteuid()))
            return file;
        file.Dispose();
        throw new IOException($"{name} is not the file that was begun");
    }

    /// <summary>Opens a regular file to read; null where there is none or it is something else.</summary>
    public SafeFileHandle? TryRead(string name)
    {
        // Not blocking: opening a FIFO would otherwise wait for its writer.
        var file = LibcAt.openat(_handle, name, LibcAt.OpenNoFollow | LibcAt.OpenNonBlocking | LibcAt.OpenCloseOnExec, 0);
        if (!file.IsInvalid && LibcAt.Status(file) is { IsRegular: true })
            return file;
        file.Dispose();
        return null;
    }

    /// <summary>Makes a symbolic link.</summary>
    public void Link(string name, string target, UserAccount? owner)
    {
        if (LibcAt.symlinkat(target, _handle, name) != 0)
            throw LibcAt.Failure($"Cannot make the link {name}");
        if (owner is not null && LibcAt.fchownat(_handle, name, owner.Uid, owner.Gid, LibcAt.AtSymlinkNoFollow) != 0)
            throw LibcAt.Failure($"Cannot give {name} to {owner.Name}");
    }

    /// <summary>Renames an entry over another, or where <paramref name="exchange"/> is set swaps the two.</summary>
    /// <returns>False where the file system knows no exchange.</returns>
    public bool Rename(string from, string to, bool exchange = false)
    {
        if (LibcAt.renameat2(_handle, from, _handle, to, exchange ? (uint)LibcAt.RenameExchange : 0) == 0)
            return true;
        return exchange && Marshal.GetLastPInvokeError() is LibcAt.Invalid or LibcAt.NotImplemented ? false : throw LibcAt.Failure($"Cannot put {to} in place");
    }

    /// <summary>Removes a directory that is empty; does nothing where it is not, or is gone.</summary>
    public void RemoveIfEmpty(string name) => _ = LibcAt.unlinkat(_handle, name, LibcAt.AtRemoveDir);

    /// <summary>Removes an entry and all below it; nothing where there is none.</summary>
    public void Remove(string name) => TreeRemoval.Remove(_handle, name);

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    /// <summary>A name that nobody else uses, for what is there for a moment only.</summary>
    internal static string TemporaryName() => $".{Guid.NewGuid():N}.upload";

    private static Folder Take(SafeFileHandle handle, string path) => handle.IsInvalid ? throw LibcAt.Failure(path) : new Folder(handle);

    private static void Give(SafeFileHandle file, UserAccount owner)
    {
        if (LibcAt.fchown(file, owner.Uid, owner.Gid) != 0)
            throw LibcAt.Failure($"Cannot give a file to {owner.Name}");
    }
}
