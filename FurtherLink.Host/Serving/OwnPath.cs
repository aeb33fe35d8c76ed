using System.Runtime.Versioning;
using FurtherLink.Device;
using FurtherLink.Processes;

namespace FurtherLink.Host.Serving;

/// <summary>
/// Tells whether a path is in nobody else's hands: who owns a directory on the way to it, or may write there, can put another thing in its place.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class OwnPath
{
    // As the kernel's own limit, path_resolution(7).
    private const int MaxLinks = 40;

    // Shown for ids that have no place in this user namespace, user_namespaces(7): root's of outside, too.
    private const uint Unmapped = 65534;

    private const UnixFileMode Others = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>What is wrong with a path, its links included.</summary>
    /// <param name="path">An absolute path of what is there.</param>
    /// <returns>In words, with what to do; null = nothing.</returns>
    /// <exception cref="IOException">It cannot be looked at; also <see cref="UnauthorizedAccessException"/>.</exception>
    public static string? Fault(string path)
    {
        var links = 0;
        return Fault(path, ref links);
    }

    private static string? Fault(string path, ref int links)
    {
        var at = "/";
        foreach (var name in (string[])["", .. path.Split('/', StringSplitOptions.RemoveEmptyEntries)])
        {
            var here = Path.Combine(at, name);
            if (PathStatus.TryOf(here, followLinks: false) is not { } status)
                return $"\"{here}\" is not there: make it";
            if (!IsTrusted(status.Uid))
                return $"\"{here}\" belongs to another user (id {status.Uid}), who could put anything there: chown it to {UserAccount.Current.Name}";
            if (!status.IsLink)
            {
                if (IsOpen(status))
                    return $"\"{here}\" can be written to by others, who could put anything there: chmod go-w {here}";
                at = here;
                continue;
            }

            if (++links > MaxLinks)
                return $"\"{here}\" goes through too many links: name the directory itself";
            at = Path.GetFullPath(Path.Combine(at, new FileInfo(here).LinkTarget ?? ""));
            if (Fault(at, ref links) is { } fault)
                return fault;
        }

        return null;
    }

    private static bool IsTrusted(uint uid) => uid == 0 || uid == UserAccount.Current.Uid || (uid == Unmapped && !MapsAll());

    // In a directory like /tmp others may add what they like, and touch nothing that is not theirs. A group of the same id as its only user is that user's own.
    private static bool IsOpen(PathStatus status) => (status.Mode & Others) switch
    {
        UnixFileMode.None => false,
        _ when (status.Mode & UnixFileMode.StickyBit) != UnixFileMode.None => false,
        UnixFileMode.GroupWrite => status.Gid != 0 && status.Gid != UserAccount.Current.Uid,
        _ => true,
    };

    // "0 0 4294967295": every id outside is the same here.
    private static bool MapsAll()
    {
        try
        {
            return File.ReadAllText("/proc/self/uid_map").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is ["0", "0", "4294967295"];
        }
        catch (IOException)
        {
            return true;
        }
    }
}
