using FurtherLink.Processes.Native;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Device;

/// <summary>What the system says of a file, directory or link; see statx(2). Linux only.</summary>
public sealed record PathStatus
{
    private const int Permissions = 0xFFF;

    private readonly ushort _mode;

    private PathStatus(LibcAt.StatxBuffer status)
    {
        _mode = status.Mode;
        Uid = status.Uid;
        Gid = status.Gid;
        Size = (long)status.Size;
        Links = status.Links;
        Modified = status.Modified.Total;
        Accessed = status.Accessed.Total;
        Changed = status.Changed.Total;
    }

    /// <summary>Whether it is a plain file.</summary>
    public bool IsFile => (_mode & LibcAt.TypeMask) == LibcAt.TypeRegular;

    /// <summary>Whether it is a directory.</summary>
    public bool IsDirectory => (_mode & LibcAt.TypeMask) == LibcAt.TypeDirectory;

    /// <summary>Whether it is a symbolic link that was not followed.</summary>
    public bool IsLink => (_mode & LibcAt.TypeMask) == LibcAt.TypeLink;

    /// <summary>The permissions, set-id and sticky bits included.</summary>
    public UnixFileMode Mode => (UnixFileMode)(_mode & Permissions);

    /// <summary>The owner's user id.</summary>
    public uint Uid { get; }

    /// <summary>The owner's group id.</summary>
    public uint Gid { get; }

    /// <summary>The size in bytes.</summary>
    public long Size { get; }

    /// <summary>The number of names it has (hard links).</summary>
    public uint Links { get; }

    /// <summary>When the content was changed last: seconds since 1970.</summary>
    public double Modified { get; }

    /// <summary>When it was read last: seconds since 1970.</summary>
    public double Accessed { get; }

    /// <summary>When content, owner, permissions or names were changed last: seconds since 1970.</summary>
    public double Changed { get; }

    /// <summary>Looks at a path.</summary>
    /// <param name="path">The path.</param>
    /// <param name="followLinks">Whether a link at its end is followed; those on the way always are.</param>
    /// <returns>Null where nothing is there: no such name, a part of the way that is no directory, a link that leads nowhere or in a circle.</returns>
    /// <exception cref="UnauthorizedAccessException">The way there may not be gone.</exception>
    /// <exception cref="IOException">It cannot be looked at; HResult is the errno.</exception>
    public static PathStatus? TryOf(string path, bool followLinks)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (LibcAt.StatusOf(path, followLinks) is { } status)
            return new PathStatus(status);
        return DeviceFiles.LastErrorIs(LibcAt.NoEntry, LibcAt.NotDirectory, LibcAt.TooManyLinks) ? null : throw DeviceFiles.LastError(path);
    }

    /// <summary>Whether a path, links followed, is neither a plain file nor a directory: a pipe, a socket, a device. False where nothing can be seen there.</summary>
    public static bool IsSpecial(string path) =>
        OperatingSystem.IsLinux() && LibcAt.StatusOf(path, followLinks: true) is { } status && new PathStatus(status) is { IsFile: false, IsDirectory: false };

    /// <summary>Looks at an open file.</summary>
    /// <exception cref="IOException">It cannot be looked at; HResult is the errno.</exception>
    public static PathStatus Of(SafeFileHandle file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return new PathStatus(LibcAt.StatusOf(file) ?? throw DeviceFiles.LastError("statx"));
    }
}
