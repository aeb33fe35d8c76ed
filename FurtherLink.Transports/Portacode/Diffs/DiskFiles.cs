using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Transfers;

namespace FurtherLink.Transports.Portacode.Diffs;

/// <summary>The device's own files, for a diff.</summary>
internal sealed class DiskFiles : IPatchedFiles
{
    // Both contents are in memory, and a text that people patch is far below.
    private const long Largest = 32 << 20;

    private const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <inheritdoc />
    public bool Exists(string path) => Path.Exists(path) || new FileInfo(path).LinkTarget is not null;

    /// <inheritdoc />
    public byte[] Read(string path)
    {
        var file = new FileInfo(path);
        if (Directory.Exists(path))
            throw new LinkException(FailureCode.Failed, $"Path is not a file: {path}");
        if (!file.Exists)
            throw new LinkException(FailureCode.NotFound, $"File not found: {path}");
        StagedFile.DemandRegular(path);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (stream.Length > Largest)
            throw new LinkException(FailureCode.Limited, $"File is too large to patch: {path}");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    /// <inheritdoc />
    public void Write(string path, byte[] content, bool? executable)
    {
        _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var staged = StagedFile.Beside(path);
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
    public void Delete(string path) => File.Delete(path);

    /// <inheritdoc />
    public void Move(string from, string to)
    {
        _ = Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        File.Move(from, to, overwrite: false);
    }
}
