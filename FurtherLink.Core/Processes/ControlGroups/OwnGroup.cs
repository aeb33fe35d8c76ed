namespace FurtherLink.Processes.ControlGroups;

/// <summary>Finds the group that this process is in.</summary>
internal static class OwnGroup
{
    private const string Groups = "/proc/self/cgroup";
    private const string Mounts = "/proc/self/mountinfo";

    // What stands before the path of a process in the one tree of version 2.
    private const string Unified = "0::";

    /// <summary>Finds it.</summary>
    /// <param name="files">The kernel's files.</param>
    /// <returns>Its directory; null where this system has no version 2, or does not show the group.</returns>
    public static string? Find(IGroupFiles files)
    {
        var line = Lines(files.Read(Groups)).FirstOrDefault(static line => line.StartsWith(Unified, StringComparison.Ordinal));
        if (line is null)
            return null;
        var path = line[Unified.Length..];

        // What lies outside a container begins with "/..".
        if (path.StartsWith("/..", StringComparison.Ordinal))
            return null;
        foreach (var mount in Lines(files.Read(Mounts)))
        {
            if (Place(mount) is var (root, point) && Below(path, root) is { } rest)
                return rest.Length == 0 ? point : $"{point}/{rest}";
        }

        return null;
    }

    /// <summary>Where a mount stands, by a line of proc_pid_mountinfo(5): "36 35 98:0 ROOT POINT OPTIONS [FIELDS] - TYPE SOURCE OPTIONS".</summary>
    private static (string Root, string Point)? Place(string line)
    {
        const int RootField = 3;
        const int PointField = 4;
        const int OptionsField = 5;
        var fields = line.Split(' ');
        var type = Array.IndexOf(fields, "-") + 1;
        return type > OptionsField && type < fields.Length && fields[type] == "cgroup2" ? (Unescape(fields[RootField]), Unescape(fields[PointField])) : null;
    }

    /// <summary>What follows a directory in a path; null where the path is not in it.</summary>
    private static string? Below(string path, string directory)
    {
        var prefix = directory.TrimEnd('/');
        if (!path.StartsWith(prefix, StringComparison.Ordinal))
            return null;
        var rest = path[prefix.Length..];
        return rest.Length == 0 || rest[0] == '/' ? rest.Trim('/') : null;
    }

    // A space, a tab, a line feed and a backslash are written as \ and three octal digits.
    private static string Unescape(string field) =>
        field.Replace("\\040", " ", StringComparison.Ordinal).Replace("\\011", "\t", StringComparison.Ordinal)
            .Replace("\\012", "\n", StringComparison.Ordinal).Replace("\\134", "\\", StringComparison.Ordinal);

    private static string[] Lines(string? text) => text?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];
}
