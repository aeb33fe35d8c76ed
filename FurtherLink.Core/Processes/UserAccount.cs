using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes;

/// <summary>An operating system user: what passwd(5) and group(5) say.</summary>
/// <param name="Name">The login name.</param>
/// <param name="Uid">The user id.</param>
/// <param name="Gid">The primary group's id.</param>
/// <param name="Home">The home directory.</param>
/// <param name="Shell">The login shell.</param>
public sealed record UserAccount(string Name, uint Uid, uint Gid, string Home, string Shell)
{
    private const int NoPiFor = 10_000; // ms
    private static long _noPiUntil;

    /// <summary>The user this process runs as. Where that is not Linux: its name and home, without ids.</summary>
    public static UserAccount Current { get; } = FindCurrent();

    /// <summary>The ids of all groups of the user, the primary one included. Read from the system each time.</summary>
    [SupportedOSPlatform("linux")]
    public IReadOnlyList<uint> Groups => Libc.GroupsOf(Name, Gid);

    /// <summary>Finds a user by login name.</summary>
    /// <returns>Null where this device has no such user.</returns>
    [SupportedOSPlatform("linux")]
    public static UserAccount? TryFind(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length == 0 || name.Contains('\0', StringComparison.Ordinal) ? null : Libc.FindAccount(name);
    }

    /// <summary>Finds a user by id.</summary>
    /// <returns>Null where this device has no account of it.</returns>
    [SupportedOSPlatform("linux")]
    public static UserAccount? TryFind(uint uid) => Libc.FindAccount(uid);

    /// <summary>
    /// Who programs run as when nobody says: the setting; else, where this process is root, the user on the first X display, else "pi" if
    /// there is one; else the user of this process.
    /// </summary>
    /// <param name="setting">The setting, <see cref="LinkOptions.DefaultUser"/>; null or empty = none.</param>
    /// <exception cref="LinkException">The setting names a user that this device does not have.</exception>
    [SupportedOSPlatform("linux")]
    public static UserAccount FindDefault(string? setting)
    {
        if (!string.IsNullOrEmpty(setting))
            return TryFind(setting) ?? throw new LinkException(FailureCode.Failed, $"this device has no user \"{setting}\", which the setting DefaultUser names");
        if (!Libc.IsRoot)
            return Current;
        return (XDisplay.FindFirst() is { } display && XDisplay.FindUser(display) is { } user ? TryFind(user) : null) ?? FindPi() ?? Current;
    }

    /// <summary>Makes sure that programs can run as this user here.</summary>
    /// <exception cref="LinkException">They cannot: this process is another user and not root.</exception>
    [SupportedOSPlatform("linux")]
    internal void EnsureAllowed()
    {
        if (Uid != Libc.EffectiveUser && !Libc.IsRoot)
        {
            throw new LinkException(
                FailureCode.Failed, $"this server runs as \"{Current.Name}\" and can run programs as no other user; to run them as \"{Name}\", it must be root");
        }
    }

    /// <summary>Looks for "pi". The system looks in many places for who is not there: that is believed for a while.</summary>
    [SupportedOSPlatform("linux")]
    private static UserAccount? FindPi()
    {
        if (Environment.TickCount64 < Volatile.Read(ref _noPiUntil))
            return null;
        var found = TryFind("pi");
        if (found is null)
            Volatile.Write(ref _noPiUntil, Environment.TickCount64 + NoPiFor);
        return found;
    }

    private static UserAccount FindCurrent()
    {
        if (OperatingSystem.IsLinux())
        {
            var uid = Libc.EffectiveUser;
            // A user id without an account is what containers often run as.
            return Libc.FindAccount(uid) ?? new UserAccount(uid.ToString(), uid, Libc.EffectiveGroup, "/", "/bin/sh");
        }

        return new UserAccount(Environment.UserName, 0, 0, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "");
    }
}
