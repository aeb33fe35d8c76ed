using FurtherLink.Device;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>A directory held open: its entries are its own, whatever becomes of its path. Disposing lets go of it.</summary>
/// <param name="path">The path that it was opened by; must live as long as this.</param>
/// <param name="handle">The open directory.</param>
internal sealed class HeldFolder(DevicePath path, SafeFileHandle handle) : IDisposable
{
    /// <summary>A path to the directory itself, for calls on it. Valid as long as this is.</summary>
    public string Full { get; } = DevicePath.PathOf(handle);

    /// <summary>The names in it, in no order; one that is not UTF-8 has U+FFFD in it and cannot be asked for.</summary>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public IEnumerable<string> Names()
    {
        var options = new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false, RecurseSubdirectories = false, ReturnSpecialDirectories = false };
        foreach (var entry in Directory.EnumerateFileSystemEntries(Full, "*", options))
            yield return Path.GetFileName(entry);
    }

    /// <summary>A path to an entry, for calls on it. Valid as long as this is.</summary>
    public string PathTo(string name) => Path.Join(Full, name);

    /// <summary>What an entry is, a link not followed; null where there is none.</summary>
    /// <exception cref="UnauthorizedAccessException">It may not be looked at.</exception>
    /// <exception cref="IOException">It cannot be looked at.</exception>
    public PathStatus? Look(string name) => PathStatus.TryOf(PathTo(name), followLinks: false);

    /// <summary>Opens a directory in it; a link to one is none.</summary>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    /// <exception cref="IOException">It is no directory, or not there.</exception>
    /// <exception cref="Messages.LinkException">A link swapped in leads out of the root.</exception>
    public HeldFolder Open(string name) => new(path, path.Checked(DeviceFiles.HoldDirectory(PathTo(name))));

    /// <summary>Opens an entry to read it, a link followed, without waiting for anything.</summary>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="Messages.LinkException">It leads out of the root.</exception>
    public SafeFileHandle OpenToRead(string name) => path.Checked(DeviceFiles.OpenToRead(PathTo(name)));

    /// <summary>Makes a new file in it.</summary>
    /// <exception cref="UnauthorizedAccessException">It may not be made.</exception>
    /// <exception cref="IOException">It cannot be made, or something is there.</exception>
    /// <exception cref="Messages.LinkException">The directory has left the root.</exception>
    public SafeFileHandle Create(string name) => path.Checked(File.OpenHandle(PathTo(name), FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete));

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();
}
