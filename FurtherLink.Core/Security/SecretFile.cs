using FurtherLink.Processes;
using FurtherLink.Processes.Native;

namespace FurtherLink.Security;

/// <summary>Finds out whether a file that says who is let in, or who was, is in nobody else's hands.</summary>
internal static class SecretFile
{
    /// <summary>Its owner may read and write it, nobody else anything.</summary>
    public const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Its group may read it, too.</summary>
    public const UnixFileMode GroupReads = Private | UnixFileMode.GroupRead;

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
}
