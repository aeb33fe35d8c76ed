namespace FurtherLink.Processes.Children;

/// <summary>
/// Variables that a program must not hear of before it is the user who may set them: the loader and the C library load code, and write files, by
/// them. The kernel sees to that for programs that change the user by themselves (ld.so(8), secure-execution mode), and for none that are root already.
/// </summary>
internal static class HeldVariables
{
    private const string Env = "/usr/bin/env";
    private const string Shell = "/bin/sh";

    // What glibc drops in secure-execution mode (its unsecvars.h), beside LD_ and MALLOC_.
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "HOSTALIASES", "LOCALDOMAIN", "LOCPATH", "NIS_PATH", "NLSPATH", "RESOLV_HOST_CONF", "RES_OPTIONS", "TMPDIR", "TZDIR",
    };

    // What a shell that runs scripts heeds, or changes.
    private static readonly HashSet<string> ShellNames = new(StringComparer.Ordinal) { "_", "BASHOPTS", "ENV", "IFS", "OLDPWD", "PS4", "PWD", "SHELLOPTS", "SHLVL" };

    /// <summary>Takes them out of an environment.</summary>
    /// <param name="environment">"NAME=value".</param>
    /// <param name="shell">Whether a shell stands before the program: also what that heeds is held back, and names that it would drop.</param>
    public static (IReadOnlyList<string> Kept, IReadOnlyList<string> HeldBack) Split(IReadOnlyList<string> environment, bool shell = false)
    {
        var sorted = environment.ToLookup(variable => IsHeldBack(variable[..variable.IndexOf('=', StringComparison.Ordinal)], shell));
        return ([.. sorted[false]], [.. sorted[true]]);
    }

    /// <summary>The words before a program that set them again.</summary>
    /// <param name="heldBack">"NAME=value".</param>
    /// <param name="program">The program's path.</param>
    public static IReadOnlyList<string> Restore(IReadOnlyList<string> heldBack, string program)
    {
        if (heldBack.Count == 0)
            return [];

        // env would take a path with "=" in it for one more variable.
        return program.Contains('=', StringComparison.Ordinal) ? [Env, .. heldBack, Shell, "-c", "exec \"$@\"", Shell] : [Env, .. heldBack];
    }

    private static bool IsHeldBack(string name, bool shell) =>
        name.StartsWith("LD_", StringComparison.Ordinal) || name.StartsWith("MALLOC_", StringComparison.Ordinal) || Names.Contains(name)
        || (shell && (ShellNames.Contains(name) || name.StartsWith("BASH_", StringComparison.Ordinal) || !IsShellName(name)));

    private static bool IsShellName(string name) => !char.IsAsciiDigit(name[0]) && name.All(static character => char.IsAsciiLetterOrDigit(character) || character == '_');
}
