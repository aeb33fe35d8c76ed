using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Serving;

/// <summary>Paths of settings, which are relative to where the host was started.</summary>
internal static class HostPaths
{
    /// <summary>Makes them absolute: programs have working directories of their own.</summary>
    public static void MakeAbsolute(LinkOptions link, ServeOptions options)
    {
        link.WorkDirectory = Absolute(link.WorkDirectory);
        link.TempDirectory = Absolute(link.TempDirectory) ?? "/tmp";
        link.MiniscreenProjectsDirectory = Absolute(link.MiniscreenProjectsDirectory);
        link.PythonVenv = Absolute(link.PythonVenv);
        link.SpillDirectory = Absolute(link.SpillDirectory);
        link.LedgerDirectory = Absolute(link.LedgerDirectory) ?? FindLedger(options);
        if (link is { SpillCapacity: > 0, SpillDirectory: null })
        {
            var state = StateDirectory.Locate(options.StateDirectory, Environment.GetEnvironmentVariable);
            StateDirectory.Prepare(state);
            link.SpillDirectory = Path.Combine(state, "output");
        }
    }

    // A host without a place to keep anything serves all the same, as it does without a certificate.
    private static string? FindLedger(ServeOptions options)
    {
        try
        {
            var state = StateDirectory.Locate(options.StateDirectory, Environment.GetEnvironmentVariable);
            StateDirectory.Prepare(state);
            return Path.Combine(state, "ledger");
        }
        catch (SettingException)
        {
            return null;
        }
    }

    /// <summary>Where the device's tokens are kept: the setting, else in the state directory, which is made where it is missing.</summary>
    /// <exception cref="SettingException">The state directory cannot be made.</exception>
    public static string TokenFile(ServeOptions options)
    {
        if (options.TokenFile is { } path)
            return Path.GetFullPath(path);
        var state = StateDirectory.Locate(options.StateDirectory, Environment.GetEnvironmentVariable);
        StateDirectory.Prepare(state);
        return Path.Combine(state, "tokens.json");
    }

    private static string? Absolute(string? path) => string.IsNullOrEmpty(path) ? null : Path.GetFullPath(path);
}
