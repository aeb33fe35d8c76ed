using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes;

/// <summary>
/// While it lives, the current thread opens, makes and removes files as another user would: with that user's rights and ownership. Other
/// threads are not affected, so nothing may be awaited meanwhile.
/// </summary>
[SupportedOSPlatform("linux")]
internal readonly ref struct FileUser : IDisposable
{
    private readonly uint[]? _groups;

    /// <summary>Becomes a user; does nothing where the process is that user already.</summary>
    /// <exception cref="LinkException">Only root may.</exception>
    public FileUser(UserAccount user)
    {
        if (user.Uid == Libc.EffectiveUser)
            return;
        user.EnsureAllowed();
        _groups = Libc.ThreadGroups();
        try
        {
            Libc.SetFileUser(user.Uid, user.Gid, [.. user.Groups]);
        }
        catch
        {
            Restore(_groups);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_groups is not null)
            Restore(_groups);
    }

    // Only root gets this far, and root's group is 0 unless somebody has changed it for the whole process.
    private static void Restore(uint[] groups) => Libc.SetFileUser(0, Libc.EffectiveGroup, groups);
}
