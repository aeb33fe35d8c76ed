using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Processes.Native;

/// <summary>Calls on files relative to an open directory: openat(2) and its family.</summary>
internal static partial class LibcAt
{
    internal const int AtSymlinkNoFollow = 0x100;
    internal const int AtRemoveDir = 0x200;

    internal const int AtSymlinkFollow = 0x400;

    internal const int OpenWriteOnly = 1;
    internal const int OpenReadWrite = 2;
    internal const int OpenNoControllingTerminal = 0x100;
    internal const int OpenPathOnly = 0x200000;
    internal const int OpenCreate = 0x40;
    internal const int OpenExclusive = 0x80;
    internal const int OpenNonBlocking = 0x800;
    internal const int OpenCloseOnExec = 0x80000;

    internal const int RenameNoReplace = 1;
    internal const int RenameExchange = 2;

    // The numbers of asm-generic/errno-base.h and errno.h, the same on every architecture .NET runs on.
    internal const int NotPermitted = 1;
    internal const int NoEntry = 2;
    internal const int PermissionDenied = 13;
    internal const int Exists = 17;
    internal const int NotDirectory = 20;
    internal const int Invalid = 22;
    internal const int NotSupported = 95;
    internal const int IsDirectory = 21;
    internal const int NotImplemented = 38;
    internal const int NotEmpty = 39;
    internal const int TooManyLinks = 40;

    // S_ISGID: what is made in such a directory is of its group.
    internal const ushort SetGroup = 0x400;

    internal const ushort TypeMask = 0xF000;
    internal const ushort TypeDirectory = 0x4000;
    internal const ushort TypeRegular = 0x8000;
    internal const ushort TypeLink = 0xA000;
    internal const ushort TypeSocket = 0xC000;

    // STATX_TYPE | STATX_MODE | STATX_UID | STATX_INO
    private const uint StatxMask = 0x1 | 0x2 | 0x8 | 0x100;
    private const int AtEmptyPath = 0x1000;

    // STATX_BASIC_STATS
    private const uint StatxBasic = 0x7FF;

    // STATX_BTIME
    private const uint StatxBirth = 0x800;

    /// <summary>AT_FDCWD: a path that is not absolute begins at the process's working directory.</summary>
    internal static SafeFileHandle CurrentDirectory { get; } = new(-100, ownsHandle: false);

    // Arm has its own numbers for these two (asm/fcntl.h).
    internal static int OpenDirectory { get; } = IsArm ? 0x4000 : 0x10000;

    internal static int OpenNoFollow { get; } = IsArm ? 0x8000 : 0x20000;

    /// <summary>O_TMPFILE of asm-generic/fcntl.h: a file without a name.</summary>
    internal static int OpenUnnamed { get; } = 0x400000 | OpenDirectory;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Armv6 or Architecture.Arm64;

    /// <summary>What statx(2) says of a name in a directory, links not followed; null and errno where it fails.</summary>
    internal static unsafe FileStatus? Status(SafeFileHandle directory, string name)
    {
        StatxBuffer buffer;
        return statx(directory, name, AtSymlinkNoFollow, StatxMask, &buffer) == 0 ? new FileStatus(buffer.Mode, buffer.Uid) : null;
    }

    /// <summary>What statx(2) says of an open file; null and errno where it fails.</summary>
    internal static unsafe FileStatus? Status(SafeFileHandle file)
    {
        StatxBuffer buffer;
        return statx(file, "", AtEmptyPath, StatxMask, &buffer) == 0 ? new FileStatus(buffer.Mode, buffer.Uid) : null;
    }

    /// <summary>All that statx(2) says of a path; null and errno where it fails.</summary>
    internal static unsafe StatxBuffer? StatusOf(string path, bool followLinks)
    {
        StatxBuffer buffer;
        return statx(CurrentDirectory, path, followLinks ? 0 : AtSymlinkNoFollow, StatxBasic, &buffer) == 0 ? buffer : null;
    }

    /// <summary>All that statx(2) says of a name in a directory, links not followed; null and errno where it fails.</summary>
    internal static unsafe StatxBuffer? StatusOf(SafeFileHandle directory, string name)
    {
        StatxBuffer buffer;
        return statx(directory, name, AtSymlinkNoFollow, StatxBasic | StatxBirth, &buffer) == 0 ? buffer : null;
    }

    /// <summary>All that statx(2) says of an open file; null and errno where it fails.</summary>
    internal static unsafe StatxBuffer? StatusOf(SafeFileHandle file)
    {
        StatxBuffer buffer;
        return statx(file, "", AtEmptyPath, StatxBasic, &buffer) == 0 ? buffer : null;
    }

    /// <summary>Gives a file another path.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="newPath">Where it is to be.</param>
    /// <param name="how"><see cref="RenameNoReplace"/>, or <see cref="RenameExchange"/>: what is there gets the first path.</param>
    /// <returns>0, or the errno.</returns>
    internal static int Rename(string path, string newPath, uint how) =>
        renameat2(CurrentDirectory, path, CurrentDirectory, newPath, how) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>The text of a symbolic link in a directory; null where there is none.</summary>
    internal static unsafe string? ReadLink(SafeFileHandle directory, string name)
    {
        // PATH_MAX is 4096 with its end, so nothing longer can be stored.
        var buffer = stackalloc byte[4096];
        var length = readlinkat(directory, name, buffer, 4096);
        return length < 0 ? null : System.Text.Encoding.UTF8.GetString(buffer, (int)length);
    }

    /// <summary>The failure of the call made last on this thread, in words.</summary>
    internal static IOException Failure(string what)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{what}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial SafeFileHandle open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial SafeFileHandle openat(SafeFileHandle directory, string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mkdirat(SafeFileHandle directory, string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int unlinkat(SafeFileHandle directory, string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int linkat(SafeFileHandle oldDirectory, string oldPath, SafeFileHandle newDirectory, string newPath, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int symlinkat(string target, SafeFileHandle directory, string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int renameat2(SafeFileHandle oldDirectory, string oldPath, SafeFileHandle newDirectory, string newPath, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int fchownat(SafeFileHandle directory, string path, uint user, uint group, int flags);

    // A name as the directory holds it, which need not be UTF-8; it ends in a NUL.
    [LibraryImport("libc", SetLastError = true)]
    internal static partial SafeFileHandle openat(SafeFileHandle directory, byte[] path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int unlinkat(SafeFileHandle directory, byte[] path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int renameat2(SafeFileHandle oldDirectory, byte[] oldPath, SafeFileHandle newDirectory, byte[] newPath, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fchmodat(SafeFileHandle directory, byte[] path, uint mode, int flags);

    /// <summary>Reads entries of a directory into a buffer of linux_dirent64, see getdents(2).</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint getdents64(SafeFileHandle directory, byte[] buffer, nint size);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fchown(SafeFileHandle file, uint user, uint group);

    [LibraryImport("libc")]
    internal static partial uint geteuid();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial nint readlinkat(SafeFileHandle directory, string path, byte* buffer, nint size);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int statx(SafeFileHandle directory, string path, int flags, uint mask, StatxBuffer* buffer);

    /// <summary>struct statx of linux/stat.h: the same layout on every architecture, 256 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct StatxBuffer
    {
        [FieldOffset(0)]
        public uint Mask;

        [FieldOffset(16)]
        public uint Links;

        [FieldOffset(20)]
        public uint Uid;

        [FieldOffset(24)]
        public uint Gid;

        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(40)]
        public ulong Size;

        [FieldOffset(64)]
        public StatxTime Accessed;

        [FieldOffset(80)]
        public StatxTime Born;

        [FieldOffset(96)]
        public StatxTime Changed;

        [FieldOffset(112)]
        public StatxTime Modified;

        /// <summary>Whether the file system keeps <see cref="Born"/>.</summary>
        public readonly bool IsBirthKnown => (Mask & StatxBirth) != 0;
    }

    /// <summary>struct statx_timestamp: seconds since 1970 and nanoseconds of the second.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    internal struct StatxTime
    {
        [FieldOffset(0)]
        public long Seconds;

        [FieldOffset(8)]
        public uint Nanoseconds;

        public readonly double Total => Seconds + (Nanoseconds / 1e9);
    }
}

/// <summary>A file's type, permissions and owner.</summary>
/// <param name="Mode">st_mode of inode(7).</param>
/// <param name="Uid">The owner's id.</param>
internal readonly record struct FileStatus(ushort Mode, uint Uid)
{
    public bool IsDirectory => (Mode & LibcAt.TypeMask) == LibcAt.TypeDirectory;

    public bool IsRegular => (Mode & LibcAt.TypeMask) == LibcAt.TypeRegular;

    public bool IsLink => (Mode & LibcAt.TypeMask) == LibcAt.TypeLink;
}
