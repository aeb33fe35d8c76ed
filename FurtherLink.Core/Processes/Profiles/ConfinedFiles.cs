using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes.Leftovers;

namespace FurtherLink.Processes.Profiles;

/// <summary>
/// Where files and directories may be made for programs that run apart: only where the programs themselves may write, so that nobody writes by the server what
/// the program could not. Links that a program has put there lead nowhere else. It is used as the program's user.
/// </summary>
/// <param name="places">What the programs see.</param>
[SupportedOSPlatform("linux")]
internal sealed class ConfinedFiles(ConfinedPlaces places)
{
    /// <summary>Opens a directory to make a file in it, and makes it where it is missing.</summary>
    /// <exception cref="LinkException">Nothing is made there for such a program, or it cannot be made.</exception>
    public WalkedDirectory Open(string directory)
    {
        var full = Path.GetFullPath(directory);

        // The work directory itself may be missing still; what lies above it no program that runs apart has made.
        if (places.Writable.FirstOrDefault(root => ConfinedPlaces.IsWithin(full, root)) is { } above && !Directory.Exists(above))
            ProgramFiles.EnsureDirectory(above);
        var existing = full;
        while (WalkedDirectory.RealPath(existing) is null && Path.GetDirectoryName(existing) is { } next)
            existing = next;
        var real = WalkedDirectory.RealPath(existing);
        if (real is null || !IsOwn(real, mayBeTemporary: existing == full))
            throw new LinkException(FailureCode.BadValue, $"{directory} is not in the work directory {places.Writable[0]}, where alone files are made for a program that runs apart");
        WalkedDirectory? opened = null;
        ProgramFiles.Translate(directory, () => opened = WalkedDirectory.TryOpenOrMake(real, Path.GetRelativePath(existing, full)));
        return opened ?? throw new LinkException(FailureCode.BadValue, $"{directory} is no directory that can be made: a part of it is a file or a link");
    }

    /// <summary>Whether a file is one that the programs might have made, where its permissions are to be changed.</summary>
    public bool IsOwn(string file) =>
        File.ResolveLinkTarget(file, returnFinalTarget: false) is null && WalkedDirectory.RealPath(Path.GetDirectoryName(file) ?? "/") is { } real && IsOwn(real, mayBeTemporary: false);

    private bool IsOwn(string real, bool mayBeTemporary) =>
        places.Writable.Any(root => WalkedDirectory.RealPath(root) is { } own && ConfinedPlaces.IsWithin(real, own))
            || mayBeTemporary && real == WalkedDirectory.RealPath(places.Temporary);
}
