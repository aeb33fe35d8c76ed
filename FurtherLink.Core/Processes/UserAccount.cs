namespace FurtherLink.Processes;

/// <summary>An operating system user: what passwd(5) and group(5) say.</summary>
/// <param name="Name">The login name.</param>
/// <param name="Uid">The user id.</param>
/// <param name="Gid">The primary group's id.</param>
/// <param name="Home">The home directory.</param>
/// <param name="Shell">The login shell.</param>
public sealed record UserAccount(string Name, uint Uid, uint Gid, string Home, string Shell)
{
    /// <summary>The user this process runs as.</summary>
    public static UserAccount Current { get; } = new(Environment.UserName, 0, 0, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "/bin/sh");
}
