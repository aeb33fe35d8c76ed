using FurtherLink.Device;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Files;
using FurtherLink.Transports.Portacode.Transfers;

namespace FurtherLink.Transports.Portacode.Diffs;

/// <summary>
/// The device's own files, for a diff, by paths that are absolute and resolved. Where a root is set, each is found anew and its directory held, so that a
/// link swapped in since leads nowhere.
/// </summary>
/// <param name="paths">Finds what a path leads to.</param>
internal sealed class DiskFiles(DevicePaths paths) : IPatchedFiles
{
    // Both contents are in memory, and a text that people patch is far below.
    private const long Largest = 32 << 20;

    private const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <inheritdoc />
    public bool Exists(string path)
    {
        using var at = paths.Again(path);
        return at.Look(followLinks: false) is not null;
    }

    /// <inheritdoc />
    public byte[] Read(string path)
    {
        using var at = paths.Again(path);
        if (at.Look() is not { } status)
            throw new LinkException(FailureCode.NotFound, $"File not found: {path}");
        if (!status.IsFile)
            throw new LinkException(FailureCode.Failed, $"Path is not a file: {path}");
        using var file = at.OpenToRead();

        // What was looked at may be something else by now.
        if (!PathStatus.Of(file).IsFile)
            throw new LinkException(FailureCode.Failed, $"Path is not a file: {path}");
        var length = RandomAccess.GetLength(file);
        if (length > Largest)
            throw new LinkException(FailureCode.Limited, $"File is too large to patch: {path}");
        var content = new byte[length];
        using var stream = new FileStream(file, FileAccess.Read, bufferSize: 0);
        stream.ReadExactly(content);
        return content;
    }

    /// <inheritdoc />
    public void Write(string path, byte[] content, bool? executable)
    {
        using var at = DevicePaths.Same(FileWriter.Prepare(paths, path), path);
        using var staged = StagedFile.Beside(at, paths.Ledger);
        staged.Stream.Write(content);
        if (executable is { } wanted && !OperatingSystem.IsWindows())
        {
            var mode = File.GetUnixFileMode(staged.Stream.SafeFileHandle);
            // Who may read it may run it.
            var readers = (UnixFileMode)((int)mode >> 2) & Execute;
            File.SetUnixFileMode(staged.Stream.SafeFileHandle, wanted ? mode | readers : mode & ~Execute);
        }

        staged.Install(overwrite: true);
    }

    /// <inheritdoc />
    public void Delete(string path)
    {
        using var at = paths.Again(path);
        File.Delete(at.Full);
    }

    /// <inheritdoc />
    public void Move(string from, string to)
    {
        using var source = paths.Again(from);
        using var target = DevicePaths.Same(FileWriter.Prepare(paths, to), to);
        File.Move(source.Full, target.Full, overwrite: false);
    }
}
