using FurtherLink.Host.Configuration;
using FurtherLink.Security;

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

    /// <summary>Says which files a host uses that lets others in, or writes down what they do.</summary>
    /// <param name="access">What is told.</param>
    /// <param name="options">The settings.</param>
    /// <param name="letsIn">Whether tokens and passwords count; otherwise it serves whoever has started it, or whom it dials.</param>
    /// <exception cref="SettingException">One of them cannot be used.</exception>
    public static void Use(AccessOptions access, ServeOptions options, bool letsIn)
    {
        access.TokenFile = letsIn ? TokenFile(options) : null;
        access.PasswordFile = letsIn ? Absolute(options.PasswordFile) : null;
        access.AuditFile = Absolute(options.AuditFile);
        if (access.FindFaults() is { Count: > 0 } faults)
            throw new SettingException(faults);
    }

    private static string? Absolute(string? path) => string.IsNullOrEmpty(path) ? null : Path.GetFullPath(path);
}
