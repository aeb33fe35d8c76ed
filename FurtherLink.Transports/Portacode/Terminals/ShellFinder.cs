using System.Globalization;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Terminals;

/// <summary>Which shell a terminal runs, where, and with what variables; what is missing is told as the operating system would.</summary>
internal static class ShellFinder
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>Finds the program: the one that is asked for, by name or path, else the shell of the device, and a bash rather than sh.</summary>
    /// <exception cref="LinkException">There is none.</exception>
    public static string Find(string? shell)
    {
        if (shell is not { Length: > 0 })
        {
            var own = System.Environment.GetEnvironmentVariable("SHELL");
            return own is { Length: > 0 } and not "/bin/sh" && File.Exists(own) ? own : File.Exists("/bin/bash") ? "/bin/bash" : "/bin/sh";
        }

        if (shell.Contains('\0', StringComparison.Ordinal))
            throw new LinkException(FailureCode.BadValue, "shell parameter has a NUL in it");
        var exists = shell.Contains('/', StringComparison.Ordinal)
            ? File.Exists(shell)
            : (System.Environment.GetEnvironmentVariable("PATH") ?? DefaultPath).Split(':').Any(part => File.Exists(Path.Combine(part, shell)));
        return exists ? shell : throw Missing(shell);
    }

    /// <summary>Refuses a directory that is none; null or empty = the home directory, which is not looked at.</summary>
    /// <exception cref="LinkException">It is missing, or something else.</exception>
    public static void DemandDirectory(string? directory)
    {
        if (directory is not { Length: > 0 } || Directory.Exists(directory))
            return;
        throw File.Exists(directory)
            ? new LinkException(FailureCode.Failed, $"[Errno 20] Not a directory: '{directory}'")
            : Missing(directory);
    }

    /// <summary>What a terminal's programs find set beside what all programs do.</summary>
    public static IReadOnlyDictionary<string, string?> Environment(TerminalSize size)
    {
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["COLUMNS"] = size.Columns.ToString(CultureInfo.InvariantCulture),
            ["LINES"] = size.Rows.ToString(CultureInfo.InvariantCulture),
        };
        if (System.Environment.GetEnvironmentVariable("LANG") is not { Length: > 0 })
            variables["LANG"] = "C.UTF-8";
        return variables;
    }

    private static LinkException Missing(string path) => new(FailureCode.Failed, $"[Errno 2] No such file or directory: '{path}'");
}
