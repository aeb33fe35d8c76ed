using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Processes.Native;

namespace FurtherLink.Device;

/// <summary>Opens the directories that uploads go to: the user's work directory and the miniscreen's projects. Both are made when missing.</summary>
internal static class WorkDirectories
{
    // In the home of the user.
    private const string OwnWork = "further";

    /// <summary>Opens the work directory.</summary>
    /// <param name="options">Its <see cref="LinkOptions.WorkDirectory"/> wins and is trusted, links included.</param>
    /// <param name="user">Whose it is; null in the result = the server is that user and need not give files away.</param>
    /// <exception cref="LinkException">The server may not write for that user, or the directory is not the user's.</exception>
    /// <exception cref="IOException">It cannot be made or opened.</exception>
    public static ConfinedRoot OpenWork(LinkOptions options, UserAccount user) => options.WorkDirectory is { Length: > 0 } path
        ? OpenConfigured(Path.GetFullPath(path), user)
        : OpenOwn(user, OwnWork);

    /// <summary>Whether the work directory is there already.</summary>
    public static bool HasWork(LinkOptions options, UserAccount user) =>
        Directory.Exists(options.WorkDirectory is { Length: > 0 } path ? path : Path.Combine(user.Home, OwnWork));

    /// <summary>Opens the directory of the miniscreen's projects.</summary>
    /// <inheritdoc cref="OpenWork"/>
    public static ConfinedRoot OpenProjects(LinkOptions options, UserAccount user) => options.MiniscreenProjectsDirectory is { Length: > 0 } path
        ? OpenConfigured(Path.GetFullPath(path), user)
        : OpenOwn(user, "Desktop", "Projects", "Further");

    private static ConfinedRoot OpenConfigured(string path, UserAccount user)
    {
        var owner = NewOwner(user);
        if (!Directory.Exists(path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path) ?? "/");
            using var parent = Folder.Open(Path.GetDirectoryName(path) ?? "/");
            parent.OpenOrMake(Path.GetFileName(path), owner, out _).Dispose();
        }
        var folder = Folder.Open(path);
        return new ConfinedRoot(folder, path, owner, IsInHome(folder, user));
    }

    private static ConfinedRoot OpenOwn(UserAccount user, params ReadOnlySpan<string> names)
    {
        var owner = NewOwner(user);
        if (!Directory.Exists(user.Home))
            throw new LinkException(FailureCode.Failed, $"the user {user.Name} has no home directory ({user.Home}); a work directory can be set");
        var path = Path.Combine([user.Home, .. names]);
        var folder = Folder.Open(user.Home);
        try
        {
            foreach (var name in names)
            {
                var next = folder.Look(name) is { IsLink: true } ? FollowOwn(folder, name, user) : folder.OpenOrMake(name, owner, out _);
                folder.Dispose();
                folder = next;
            }
            return new ConfinedRoot(folder, path, owner, IsInHome(folder, user));
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    // The user may have put a link there, to a disk that is theirs; one to what is not theirs would let the server write where they may not.
    private static Folder FollowOwn(Folder parent, string name, UserAccount user)
    {
        var folder = parent.Follow(name);
        if (folder.Owner == user.Uid)
            return folder;
        folder.Dispose();
        throw new LinkException(FailureCode.Failed, $"{name} in the home of {user.Name} is a link to a directory that is not theirs");
    }

    private static UserAccount? NewOwner(UserAccount user)
    {
        var self = LibcAt.geteuid();
        if (self == user.Uid)
            return null;
        return self == 0
            ? user
            : throw new LinkException(FailureCode.Failed, $"the server may not write files for the user {user.Name}: it does not run as root");
    }

    private static bool IsInHome(Folder folder, UserAccount user)
    {
        if (!Directory.Exists(user.Home))
            return false;
        using var home = Folder.Open(user.Home);
        return RelativePath.Inside(folder.RealPath, home.RealPath) is not null;
    }
}
