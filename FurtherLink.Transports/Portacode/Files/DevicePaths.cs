using System.Text;
using FurtherLink.Messages;
using FurtherLink.Processes.Leftovers;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>Turns a path that a gateway names into one that calls can be made on, and refuses what lies outside the root where one is set.</summary>
/// <param name="root">The directory that paths must stay in, links resolved; relative paths begin there. Null = the whole device.</param>
/// <param name="ledger">Where what is staged is written down for the case of a crash; null = nowhere.</param>
internal sealed class DevicePaths(string? root, Ledger? ledger = null)
{
    // The kernel's own limits: path_resolution(7), and PATH_MAX of linux/limits.h less its end.
    private const int MaxLinks = 40;
    private const int MaxBytes = 4095;

    private readonly string? _root = root is null ? null : Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    /// <summary>Where what is staged is written down for the case of a crash; null = nowhere.</summary>
    public Ledger? Ledger => ledger;

    /// <summary>Whether there is a root that paths must stay in.</summary>
    public bool IsConfined => _root is not null;

    /// <summary>Finds what a path leads to, which need not exist.</summary>
    /// <param name="given">The path, relative to the root or else to the working directory.</param>
    /// <param name="followLast">Whether a link at its end is followed. Where no root is set the result may still be a link.</param>
    /// <exception cref="LinkException">It lies outside the root, or cannot be a path.</exception>
    public DevicePath Find(string given, bool followLast = true)
    {
        if (given.Contains('\0', StringComparison.Ordinal))
            throw new LinkException(FailureCode.BadValue, "Invalid path: it holds a NUL character");
        if (Encoding.UTF8.GetByteCount(given) > MaxBytes)
            throw FileFaults.Failed(Errno.NameTooLong, given);
        if (_root is not null)
            return Inside(given, followLast);
        var path = Path.Join(Environment.CurrentDirectory, given);
        if (Path.IsPathRooted(given))
            path = given;
        // What ".." means is only known once the links before it are followed.
        return new DevicePath(given, Array.IndexOf(path.Split('/'), "..") >= 0 ? Walk(given, path, followLast, null) : Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), null);
    }

    /// <summary>Finds the file that writing to a path is to replace: all links are followed.</summary>
    /// <exception cref="LinkException">It lies outside the root, or cannot be a path.</exception>
    public DevicePath FindTarget(string given)
    {
        var path = Find(given);
        if (path.Root is not null)
            return path;
        using (path)
            return new DevicePath(given, Walk(given, path.Real, followLast: true, null), null);
    }

    /// <summary>Makes a path absolute, for actions that open it themselves; with a root set, all links are followed.</summary>
    /// <exception cref="LinkException">It lies outside the root, or cannot be a path.</exception>
    public string Resolve(string given)
    {
        using var path = Find(given);
        return path.Real;
    }

    /// <summary>Finds a path again that was made absolute, and holds its directory: a link that is there now has been put there since.</summary>
    /// <exception cref="LinkException">There is one, or it lies outside the root.</exception>
    public DevicePath Again(string resolved) => Same(Find(resolved, followLast: false), resolved);

    /// <summary>Makes sure that a path found still is the one that was resolved, and lets go of it where it is not.</summary>
    /// <exception cref="LinkException">A link has been put there since.</exception>
    internal static DevicePath Same(DevicePath path, string resolved)
    {
        try
        {
            if (path.Root is null || (path.Real == resolved && (path.IsTop || path.Look(followLinks: false) is not { IsLink: true })))
                return path;
        }
        catch
        {
            path.Dispose();
            throw;
        }

        path.Dispose();
        throw FileFaults.Denied(resolved);
    }

    private DevicePath Inside(string given, bool followLast)
    {
        var real = Walk(_root!, _root!, followLast: true, null);
        var start = !Path.IsPathRooted(given) ? Path.Join(real, given) : IsInside(given, _root!) ? Path.Join(real, given[_root!.Length..]) : given;
        var path = Walk(given, start, followLast, real);
        if (!IsInside(path, real))
            throw FileFaults.Denied(given);
        return new DevicePath(given, path, real);
    }

    /// <summary>Follows a path part by part, as the kernel does, except that a part may be missing.</summary>
    /// <param name="given">The path as it was named, for messages.</param>
    /// <param name="path">An absolute path.</param>
    /// <param name="followLast">Whether a link at its end is followed.</param>
    /// <param name="confines">The root, links resolved; nothing is looked at that is neither in it nor on the way to it.</param>
    /// <returns>The path with neither links nor dots.</returns>
    private string Walk(string given, string path, bool followLast, string? confines)
    {
        var pending = new Stack<string>();
        Push(pending, path);
        var at = new List<string>();
        var links = 0;
        while (pending.TryPop(out var name))
        {
            if (name == "..")
            {
                if (at.Count > 0)
                    at.RemoveAt(at.Count - 1);
                continue;
            }
            at.Add(name);
            var here = Absolute(at);
            if (confines is not null && !IsInside(here, confines) && !IsInside(confines, here))
                throw FileFaults.Denied(given);
            if ((pending.Count == 0 && !followLast) || new FileInfo(here).LinkTarget is not { } target)
                continue;
            if (++links > MaxLinks)
                throw FileFaults.Failed(Errno.TooManyLinks, given);
            at.RemoveAt(at.Count - 1);
            if (target.StartsWith('/'))
            {
                at.Clear();
                // The root may itself be named through a link.
                if (confines is not null && IsInside(target, _root!))
                    target = Path.Join(confines, target[_root!.Length..]);
            }
            Push(pending, target);
        }
        return Absolute(at);
    }

    private static void Push(Stack<string> pending, string path)
    {
        var parts = path.Split('/');
        for (var i = parts.Length - 1; i >= 0; i--)
        {
            if (parts[i] is not ("" or "."))
                pending.Push(parts[i]);
        }
    }

    private static string Absolute(List<string> parts) => "/" + string.Join('/', parts);

    /// <summary>Whether a path without dots is a directory or stands somewhere in it.</summary>
    internal static bool IsInside(string path, string directory) =>
        directory == "/" || (path.StartsWith(directory, StringComparison.Ordinal) && (path.Length == directory.Length || path[directory.Length] == '/'));
}
