using FurtherLink.Processes;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Device;

/// <summary>A directory that paths of a client are kept in, and whom new directories in it are given to.</summary>
/// <param name="folder">The directory; disposed with this.</param>
/// <param name="path">Its absolute path as settings say it, links unresolved.</param>
/// <param name="owner">The user whose uploads these are; null = files stay the server's (which is that user).</param>
/// <param name="ownsDirectories">Whether new directories are given to the owner as well.</param>
internal sealed class ConfinedRoot(Folder folder, string path, UserAccount? owner, bool ownsDirectories) : IDisposable
{
    // As the kernel's own limit, path_resolution(7).
    private const int MaxLinks = 40;

    private readonly string _realPath = folder.RealPath;

    /// <summary>Its absolute path as settings say it, links unresolved.</summary>
    public string Path { get; } = path;

    /// <summary>Whom new files are given to; null = they stay the server's.</summary>
    public UserAccount? FileOwner => owner;

    /// <summary>Whom new directories are given to; null = they stay the server's.</summary>
    public UserAccount? DirectoryOwner => ownsDirectories ? owner : null;

    /// <summary>Whether it is for several users: the server writes in it for one of them, whose own it is not.</summary>
    public bool IsShared => owner is not null && !ownsDirectories;

    /// <summary>Finds the directory that a path's last name stands in, or is to stand in, making what is missing above it.</summary>
    /// <param name="target">The path; links on it are followed where they stay inside.</param>
    /// <param name="what">What it names, for the message.</param>
    /// <exception cref="Messages.LinkException">It leads out.</exception>
    /// <exception cref="IOException">Something on the way is no directory or cannot be made.</exception>
    public Place Resolve(RelativePath target, string what)
    {
        var pending = new Stack<string>(target.Parts.Reverse());
        var place = new Place(folder);
        var links = 0;
        try
        {
            while (pending.TryPop(out var name))
            {
                if (name == "..")
                {
                    if (!place.TryAscend())
                        throw RelativePath.Forbidden(target.ToString(), what, "leads out of its directory by a link");
                }
                else if (place.Parent.Look(name) is { IsLink: true })
                {
                    if (++links > MaxLinks)
                        throw RelativePath.Forbidden(target.ToString(), what, "goes through too many links");
                    var link = place.Parent.ReadLink(name) ?? "";
                    if (link.StartsWith('/'))
                    {
                        link = RelativePath.Inside(link, _realPath) ?? RelativePath.Inside(link, Path)
                            ?? throw RelativePath.Forbidden(target.ToString(), what, "leads out of its directory by a link");
                        while (place.TryAscend())
                            continue;
                    }
                    foreach (var part in link.Split('/').Where(p => p is not ("" or ".")).Reverse())
                        pending.Push(part);
                }
                else if (pending.Count == 0)
                {
                    place.Leaf = name;
                    return place;
                }
                else
                {
                    place.Descend(name, DirectoryOwner);
                }
            }
            throw RelativePath.Forbidden(target.ToString(), what, "is a link to a directory that it stands in");
        }
        catch
        {
            place.Undo();
            place.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="Folder.TryCreateUnnamed"/>
    public SafeFileHandle? TryCreateUnnamed() => folder.TryCreateUnnamed();

    /// <inheritdoc/>
    public void Dispose() => folder.Dispose();
}
