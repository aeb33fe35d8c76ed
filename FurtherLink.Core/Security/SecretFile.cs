using FurtherLink.Processes;
using FurtherLink.Processes.Native;

namespace FurtherLink.Security;

/// <summary>What files have in common that say who is let in, or who was: they are in nobody else's hands, change, and are written by one process at a time.</summary>
internal static class SecretFile
{
    /// <summary>Its owner may read and write it, nobody else anything.</summary>
    public const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Its group may read it, too.</summary>
    public const UnixFileMode GroupReads = Private | UnixFileMode.GroupRead;

    private const int Attempts = 200;

    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(10);

    /// <summary>What is wrong with who may use an open file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="path">What it is called.</param>
    /// <param name="most">The most that its mode may allow.</param>
    /// <returns>In words; null = nothing.</returns>
    public static string? Fault(FileStream file, string path, UnixFileMode most)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        if ((File.GetUnixFileMode(file.SafeFileHandle) & ~most) != UnixFileMode.None)
            return $"\"{path}\" is open to others; close it: chmod {(most == Private ? "600" : "640")} {path}";
        return LibcAt.Status(file.SafeFileHandle) is { Uid: var owner } && owner != 0 && owner != UserAccount.Current.Uid
            ? $"\"{path}\" belongs to another user: chown it to {UserAccount.Current.Name}"
            : null;
    }

    /// <summary>Opens a file that one process at a time has, for moments, after waiting for its turn; it is made private where it is missing.</summary>
    /// <exception cref="IOException">It cannot be opened, or others do not let go of it.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be opened.</exception>
    public static FileStream OpenAlone(string path, FileMode mode, FileAccess access)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = Private;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return new FileStream(path, options);
            }
            catch (IOException) when (attempt < Attempts && File.Exists(path))
            {
                Thread.Sleep(Turn);
            }
        }
    }
}
