using FurtherLink.Host.Certificates;
using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Serving;

/// <summary>The one folder for what the host keeps: its key, its certificate. Nobody else may look into it.</summary>
internal static class StateDirectory
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Where it is: the setting; else STATE_DIRECTORY (the first of several, see systemd.exec(5)); else under XDG_STATE_HOME; else under the home.</summary>
    /// <param name="setting">The setting; null = not given.</param>
    /// <param name="variable">Gives an environment variable.</param>
    /// <returns>An absolute path.</returns>
    /// <exception cref="SettingException">There is no home to put it in.</exception>
    public static string Locate(string? setting, Func<string, string?> variable)
    {
        if (setting is not null)
            return Path.GetFullPath(setting);
        if (variable("STATE_DIRECTORY")?.Split(':', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() is { } service)
            return Path.GetFullPath(service);

        // The XDG Base Directory Specification: a relative path is to be ignored.
        if (variable("XDG_STATE_HOME") is { Length: > 0 } state && Path.IsPathRooted(state))
            return Path.Combine(state, "furtherlink");
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        return home.Length > 0
            ? Path.Combine(home, ".local", "state", "furtherlink")
            : throw new SettingException("StateDirectory: there is no home directory to keep the key in; say where with --state-dir.");
    }

    /// <summary>Makes it where it is missing, and closes it to others where it is open and nothing else's.</summary>
    /// <exception cref="SettingException">It cannot be made or closed, is something else's, or others can put another in its place.</exception>
    public static void Prepare(string path)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(path);
                return;
            }

            Directory.CreateDirectory(path, Private);
            if (OperatingSystem.IsLinux() && OwnPath.Fault(path) is { } fault)
                throw new SettingException($"StateDirectory: {fault}, or say another with --state-dir.");
            if (File.GetUnixFileMode(path) == Private)
                return;
            // A folder that is something else's is not closed to those who use it: /tmp, /proc, a home.
            if (Directory.EnumerateFileSystemEntries(path).Any() && !File.Exists(Path.Combine(path, OwnCertificate.KeyFile)))
                throw new SettingException($"StateDirectory: \"{path}\" is open to others and holds other things; say a folder of its own with --state-dir.");
            File.SetUnixFileMode(path, Private);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"StateDirectory: \"{path}\" cannot be made and kept private: {exception.Message} Say another with --state-dir.");
        }
    }
}
