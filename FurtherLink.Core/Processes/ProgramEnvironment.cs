using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes;

/// <summary>The variables that programs start with.</summary>
[SupportedOSPlatform("linux")]
internal static class ProgramEnvironment
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    // Ours alone: how this process completes its socket operations.
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>What a user's program starts with: this process's own environment, made that user's.</summary>
    public static Dictionary<string, string> Create(UserAccount user)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (System.Collections.DictionaryEntry variable in System.Environment.GetEnvironmentVariables())
            environment[(string)variable.Key] = (string?)variable.Value ?? "";
        environment.Remove(InlineCompletions);

        environment["TERM"] = "xterm-256color";
        environment["USER"] = user.Name;
        environment["LOGNAME"] = user.Name;
        environment["HOME"] = user.Home;
        environment["SHELL"] = user.Shell;
        var runtime = $"/run/user/{user.Uid}";
        if (Directory.Exists(runtime))
            environment["XDG_RUNTIME_DIR"] = runtime;
        else
            environment.Remove("XDG_RUNTIME_DIR");
        if (XDisplay.FindFirst() is { } display)
            environment["DISPLAY"] = display;
        return environment;
    }

    /// <summary>Sets variables; null removes one.</summary>
    /// <exception cref="LinkException">A name or value cannot be one.</exception>
    public static void Apply(Dictionary<string, string> environment, IEnumerable<KeyValuePair<string, string?>> changes)
    {
        foreach (var (name, value) in changes)
        {
            if (name.Length == 0 || name.AsSpan().ContainsAny('=', '\0') || value?.Contains('\0', StringComparison.Ordinal) == true)
                throw new LinkException(FailureCode.BadValue, $"\"{name}\" cannot be set: a variable's name is not empty and has no \"=\", and neither it nor its value has a NUL");
            if (value is null)
                environment.Remove(name);
            else
                environment[name] = value;
        }
    }

    /// <summary>Puts a directory in front of a list such as PATH.</summary>
    public static void Prepend(Dictionary<string, string> environment, string name, string directory) =>
        environment[name] = environment.GetValueOrDefault(name) is { Length: > 0 } rest ? $"{directory}:{rest}" : directory;

    /// <summary>Where programs are found: directories with colons between them.</summary>
    public static string PathOf(Dictionary<string, string> environment) => environment.GetValueOrDefault("PATH", DefaultPath);

    /// <summary>Finds a program as a shell would, by its PATH; to be asked as the user who is to run it.</summary>
    /// <returns>Its path; null where there is none.</returns>
    public static string? FindProgram(Dictionary<string, string> environment, string name, string directory)
    {
        if (name.Contains('/', StringComparison.Ordinal))
            return Path.Combine(directory, name);
        // An empty part of PATH means the working directory.
        return PathOf(environment).Split(':')
            .Select(part => Path.Combine(directory, part, name))
            .FirstOrDefault(path => File.Exists(path) && Libc.MayExecute(path));
    }
}
