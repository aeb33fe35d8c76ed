using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Transports.Portacode;

/// <summary>The few calls on files that .NET does not offer. Nothing is called where the system is not Linux.</summary>
internal static partial class Libc
{
    private const int CurrentDirectory = -100;
    private const int AtEmptyPath = 0x1000;
    private const uint RenameExchange = 2;

    // STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID
    private const uint StatxMask = 0x1 | 0x2 | 0x8 | 0x10;

    // struct statx of linux/stat.h: the same layout on every architecture.
    private const int StatxSize = 256;
    private const int StatxUid = 20;
    private const int StatxGid = 24;
    private const int StatxMode = 28;

    private const ushort TypeMask = 0xF000;
    private const ushort TypeDirectory = 0x4000;
    private const ushort TypeRegular = 0x8000;

    /// <summary>Whether a path, links followed, is neither a plain file nor a directory: a pipe, a socket, a device. False where nothing is there.</summary>
    public static bool IsSpecial(string path)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        var status = new byte[StatxSize];
        return statx(CurrentDirectory, path, 0, StatxMask, status) == 0
            && (BitConverter.ToUInt16(status, StatxMode) & TypeMask) is not (TypeDirectory or TypeRegular);
    }

    /// <summary>Gives an open file the owner that another file has; where that is not allowed it stays the caller's.</summary>
    public static void TakeOwner(SafeFileHandle file, string other)
    {
        if (!OperatingSystem.IsLinux())
            return;
        var (theirs, ours) = (new byte[StatxSize], new byte[StatxSize]);
        if (statx(CurrentDirectory, other, 0, StatxMask, theirs) != 0 || statx(file, "", AtEmptyPath, StatxMask, ours) != 0)
            return;
        if (!theirs.AsSpan(StatxUid, 8).SequenceEqual(ours.AsSpan(StatxUid, 8)))
            _ = fchown(file, BitConverter.ToUInt32(theirs, StatxUid), BitConverter.ToUInt32(theirs, StatxGid));
    }

    /// <summary>Lets two names change places at once; false where the file system cannot.</summary>
    public static bool TryExchange(string one, string other) =>
        OperatingSystem.IsLinux() && renameat2(CurrentDirectory, one, CurrentDirectory, other, RenameExchange) == 0;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, [Out] byte[] status);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(SafeFileHandle file, string path, int flags, uint mask, [Out] byte[] status);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int renameat2(int oldDirectory, string oldPath, int newDirectory, string newPath, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchown(SafeFileHandle file, uint user, uint group);
}
