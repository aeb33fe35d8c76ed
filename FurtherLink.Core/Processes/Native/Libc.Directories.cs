using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Processes.Native;

/// <summary>Calls on paths that lead to directories and sockets.</summary>
internal static partial class Libc
{
    // open(2): O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW; the last two have numbers of their own on Arm.
    private static readonly int OpenDirectoryFlags = 0x80000
        | (RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 ? 0x4000 | 0x8000 : 0x10000 | 0x20000);

    /// <summary>Opens a directory for reading; a link at the end of the path is not followed.</summary>
    /// <returns>Null where it cannot be opened or is no directory.</returns>
    internal static SafeFileHandle? TryOpenDirectory(string path)
    {
        var handle = OpenPath(path, OpenDirectoryFlags);
        if (!handle.IsInvalid)
            return handle;
        handle.Dispose();
        return null;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle OpenPath(string path, int flags);
}
