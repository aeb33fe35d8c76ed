using FurtherLink.Device;
using FurtherLink.Messages;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>A folder beside a target, open to nobody else, in which that grows until it is put in place. Disposing removes it with all that is left.</summary>
internal sealed class StagingFolder : IDisposable
{
    private const string PayloadName = "payload";
    private const string TreeName = "tree";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _path;
    private readonly HeldFolder _folder;
    private readonly IDisposable? _note;
    private bool _disposed;

    /// <summary>Makes it.</summary>
    /// <param name="target">What is to be put in place, no link; this disposes it.</param>
    /// <param name="ledger">Where it is written down for the case of a crash; null = nowhere.</param>
    /// <exception cref="IOException">The disk refuses.</exception>
    public StagingFolder(DevicePath target, Ledger? ledger = null)
    {
        Target = target;
        _path = StagedFile.TemporaryName(target.Full);
        _note = ledger?.Note(_path);
        try
        {
            _ = OperatingSystem.IsWindows() ? Directory.CreateDirectory(_path) : Directory.CreateDirectory(_path, OwnerOnly);
            _folder = new HeldFolder(target, target.Checked(DeviceFiles.HoldDirectory(_path)));
        }
        catch
        {
            _note?.Dispose();
            throw;
        }
    }

    /// <summary>What is to be put in place.</summary>
    public DevicePath Target { get; }

    /// <summary>Makes the file in which the payload grows.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public FileStream CreatePayload() =>
        new(_folder.PathTo(PayloadName), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, 0, useAsync: true);

    /// <summary>Makes the folder for an archive, empty.</summary>
    public HeldFolder ClearTree()
    {
        Remove(TreeName);
        _ = DeviceFiles.TryMakeDirectory(_folder.PathTo(TreeName));
        return _folder.Open(TreeName);
    }

    /// <summary>Puts the payload in place as a file.</summary>
    /// <param name="payload">The payload, open.</param>
    /// <param name="target">The target, found again.</param>
    /// <param name="overwrite">Whether it may replace one, whose mode and owner it gets then.</param>
    /// <param name="mode">Its permissions where it replaces none; null = the usual ones.</param>
    /// <param name="modified">When it was changed; null = now.</param>
    /// <exception cref="LinkException">There is a file, and it may not.</exception>
    /// <exception cref="IOException">The disk refuses; the old file stands.</exception>
    public void InstallFile(FileStream payload, DevicePath target, bool overwrite, UnixFileMode? mode, DateTime? modified)
    {
        if (target.Look() is { } old)
        {
            DeviceFiles.TakeOwner(payload.SafeFileHandle, target.Full);
            mode = old.Mode;
        }

        if (mode is { } permissions && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(payload.SafeFileHandle, permissions);
        if (modified is { } time)
            File.SetLastWriteTimeUtc(payload.SafeFileHandle, time);
        payload.Flush(flushToDisk: true);
        StagedFile.Move(_folder.PathTo(PayloadName), target.Full, overwrite, target.Real);
    }

    /// <summary>Puts a folder in place; one that is there already changes places with it, and goes with this.</summary>
    /// <param name="top">Its name in the folder for an archive; null = that folder itself.</param>
    /// <param name="target">The target, found again.</param>
    /// <param name="overwrite">Whether it may replace one.</param>
    /// <exception cref="LinkException">There is one, and it may not be replaced.</exception>
    /// <exception cref="IOException">The disk refuses; the old folder stands.</exception>
    public void InstallFolder(string? top, DevicePath target, bool overwrite)
    {
        var (root, full) = (Path.Join(_folder.PathTo(TreeName), top), target.Full);
        StagedFile.DemandFree(full, overwrite, target.Real);
        if (!Directory.Exists(full))
        {
            Directory.Move(root, full);
            return;
        }

        if (DeviceFiles.TryExchange(root, full))
            return;
        // Not every file system can exchange two names; for a moment there is none then.
        var old = _folder.PathTo("old");
        Directory.Move(full, old);
        try
        {
            Directory.Move(root, full);
        }
        catch
        {
            Directory.Move(old, full);
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        // The number of what was held may be another's by then.
        if (_disposed)
            return;
        _disposed = true;
        Remove(".");
        if (!Directory.Exists(_path))
            _note?.Dispose();
        _folder.Dispose();
        Target.Dispose();
    }

    private void Remove(string name)
    {
        try
        {
            if (_folder.Look(name) is null)
                return;
            OpenUp(name);
            DeviceFiles.RemoveTree(name == "." ? _path : _folder.PathTo(name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or LinkException)
        {
            // What is not ours to remove stays; its name says that it is nobody's.
        }
    }

    /// <summary>An archive's folders may be closed to everybody; only an open one can be emptied.</summary>
    private void OpenUp(string name)
    {
        if (OperatingSystem.IsWindows())
            return;
        var waiting = new Stack<string>([name]);
        while (waiting.TryPop(out var next))
        {
            using var folder = _folder.Open(next);
            File.SetUnixFileMode(folder.Full, OwnerOnly);
            foreach (var below in folder.Names())
            {
                if (folder.Look(below) is { IsDirectory: true })
                    waiting.Push($"{next}/{below}");
            }
        }
    }
}
