using FurtherLink.Messages;
using FurtherLink.Processes;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Device;

/// <summary>
/// An upload whose files come in pieces: they are written beside the directory that they become, and seen under its name from the
/// <see cref="FileStore.Finish"/> on. Disposing removes what has not become one. One thread at a time.
/// </summary>
/// <param name="work">The work directory; disposed with this.</param>
/// <param name="directory">The new content; disposed with this.</param>
/// <param name="user">Whose it is.</param>
/// <param name="name">The directory's name, for the log.</param>
/// <param name="limits">How much it may have.</param>
internal sealed class StagedUpload(ConfinedRoot work, StagedDirectory directory, UserAccount user, RelativePath name, UploadLimits limits) : IDisposable
{
    private string? _path;
    private SafeFileHandle? _file;

    /// <summary>Bytes of all files so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>How many files there are.</summary>
    public int Files { get; private set; }

    /// <summary>The directory that it becomes.</summary>
    public RelativePath Name { get; } = name;

    /// <summary>Whose it is.</summary>
    public UserAccount User { get; } = user;

    /// <summary>The new content.</summary>
    public StagedDirectory Directory { get; } = directory;

    /// <summary>Appends to a file, which begins with its first piece.</summary>
    /// <exception cref="LinkException">The path is forbidden, or there is more than an upload may have.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Append(string path, ReadOnlySpan<byte> content, bool executable)
    {
        if (Bytes + content.Length > limits.Bytes)
            throw new LinkException(FailureCode.Limited, $"the upload is larger than {limits.Bytes} bytes");
        var file = path == _path ? _file! : Open(path);
        RandomAccess.Write(file, content, RandomAccess.GetLength(file));
        Bytes += content.Length;
        if (executable && OperatingSystem.IsLinux())
            Allow(file);
    }

    /// <summary>Nothing is appended any more.</summary>
    public void Close()
    {
        _file?.Dispose();
        _file = null;
        _path = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        Directory.Dispose();
        work.Dispose();
    }

    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    private static void Allow(SafeFileHandle file)
    {
        const UnixFileMode Readers = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        var mode = File.GetUnixFileMode(file);
        // Who may read it may run it: the bits to run stand two below those to read.
        File.SetUnixFileMode(file, mode | (UnixFileMode)((int)(mode & Readers) >> 2));
    }

    private SafeFileHandle Open(string path)
    {
        Close();
        using var place = FileStore.PlaceIn(Directory.Content, RelativePath.ParseFile(path, "file"), work);
        _file = place.Parent.TryAppend(place.Leaf, work.FileOwner);
        if (_file is null)
        {
            if (Files >= limits.Files)
                throw new LinkException(FailureCode.Limited, $"the upload has more than {limits.Files} files");
            _file = place.Parent.Create(place.Leaf, work.FileOwner);
            Files++;
        }

        _path = path;
        return _file;
    }
}

/// <summary>How much an upload in pieces may have.</summary>
/// <param name="Bytes">Of all its files.</param>
/// <param name="Files">How many of them.</param>
internal readonly record struct UploadLimits(long Bytes, int Files);
