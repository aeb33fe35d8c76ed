using FurtherLink.Device;
using FurtherLink.Messages;
using FurtherLink.Processes.Leftovers;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>A folder beside a target, open to nobody else, in which that grows until it is put in place. Disposing removes it with all that is left.</summary>
internal sealed class StagingFolder : IDisposable
{
    private readonly string _folder;
    private readonly IDisposable? _note;

    /// <summary>Makes it.</summary>
    /// <param name="target">What is to be put in place, absolute and no link.</param>
    /// <param name="ledger">Where it is written down for the case of a crash; null = nowhere.</param>
    /// <exception cref="IOException">The disk refuses.</exception>
    public StagingFolder(string target, Ledger? ledger = null)
    {
        Target = target;
        _folder = StagedFile.TemporaryName(target);
        _note = ledger?.Note(_folder);
        try
        {
            _ = OperatingSystem.IsWindows()
                ? Directory.CreateDirectory(_folder)
                : Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch
        {
            _note?.Dispose();
            throw;
        }
    }

    /// <summary>What is to be put in place.</summary>
    public string Target { get; }

    /// <summary>Where the payload grows.</summary>
    public string PayloadFile => Path.Combine(_folder, "payload");

    /// <summary>Where an archive is unpacked.</summary>
    public string Tree => Path.Combine(_folder, "tree");

    private string Old => Path.Combine(_folder, "old");

    /// <summary>Makes the folder for an archive, empty.</summary>
    public void ClearTree()
    {
        Remove(Tree);
        _ = Directory.CreateDirectory(Tree);
    }

    /// <summary>Puts the payload in place as a file.</summary>
    /// <param name="payload">The payload, open.</param>
    /// <param name="overwrite">Whether it may replace one, whose mode and owner it gets then.</param>
    /// <param name="mode">Its permissions where it replaces none; null = the usual ones.</param>
    /// <param name="modified">When it was changed; null = now.</param>
    /// <exception cref="LinkException">There is a file, and it may not.</exception>
    /// <exception cref="IOException">The disk refuses; the old file stands.</exception>
    public void InstallFile(FileStream payload, bool overwrite, UnixFileMode? mode, DateTime? modified)
    {
        if (File.Exists(Target))
        {
            DeviceFiles.TakeOwner(payload.SafeFileHandle, Target);
            if (!OperatingSystem.IsWindows())
                mode = File.GetUnixFileMode(Target);
        }

        if (mode is { } permissions && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(payload.SafeFileHandle, permissions);
        if (modified is { } time)
            File.SetLastWriteTimeUtc(payload.SafeFileHandle, time);
        payload.Flush(flushToDisk: true);
        StagedFile.Move(PayloadFile, Target, overwrite);
    }

    /// <summary>Puts a folder in place; one that is there already changes places with it, and goes with this.</summary>
    /// <exception cref="LinkException">There is one, and it may not be replaced.</exception>
    /// <exception cref="IOException">The disk refuses; the old folder stands.</exception>
    public void InstallFolder(string root, bool overwrite)
    {
        StagedFile.DemandFree(Target, overwrite);
        if (!Directory.Exists(Target))
        {
            Directory.Move(root, Target);
            return;
        }

        if (DeviceFiles.TryExchange(root, Target))
            return;
        // Not every file system can exchange two names; for a moment there is none then.
        Directory.Move(Target, Old);
        try
        {
            Directory.Move(root, Target);
        }
        catch
        {
            Directory.Move(Old, Target);
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Remove(_folder);
        if (!Directory.Exists(_folder))
            _note?.Dispose();
    }

    private static void Remove(string folder)
    {
        try
        {
            if (!Directory.Exists(folder))
                return;
            OpenUp(folder);
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is not ours to remove stays; its name says that it is nobody's.
        }
    }

    /// <summary>An archive's folders may be closed to everybody; only an open one can be emptied.</summary>
    private static void OpenUp(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        var waiting = new Stack<string>([folder]);
        while (waiting.TryPop(out var next))
        {
            File.SetUnixFileMode(next, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (var below in new DirectoryInfo(next).EnumerateDirectories("*", new EnumerationOptions { AttributesToSkip = FileAttributes.ReparsePoint }))
                waiting.Push(below.FullName);
        }
    }
}
