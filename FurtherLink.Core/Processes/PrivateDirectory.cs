using System.Runtime.Versioning;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Processes.Native;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Processes;

/// <summary>
/// A directory of a random name that nobody else can have put there; disposing removes it with everything in it. What its new owner
/// puts in is not trusted: removing follows no link, also when somebody swaps directories meanwhile.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class PrivateDirectory : IDisposable
{
    // Deeper trees than this are not ours, and each level holds a descriptor while it is removed.
    private const int MaxDepth = 64;

    private bool _disposed;

    private readonly IDisposable? _note;

    private PrivateDirectory(string path, IDisposable? note)
    {
        Path = path;
        _note = note;
    }

    /// <summary>Absolute, without a slash at the end.</summary>
    public string Path { get; }

    /// <summary>Makes one.</summary>
    /// <param name="parent">Where; made if it is missing.</param>
    /// <param name="prefix">What its name begins with.</param>
    /// <param name="mode">Its permissions, whatever the umask.</param>
    /// <param name="ledger">Where it is written down for the case of a crash; null = nowhere.</param>
    /// <exception cref="IOException">The system refused; also <see cref="UnauthorizedAccessException"/>.</exception>
    public static PrivateDirectory Create(string parent, string prefix, UnixFileMode mode, Ledger? ledger = null)
    {
        Directory.CreateDirectory(parent);
        // A name that exists already was not met by chance.
        var path = System.IO.Path.Combine(System.IO.Path.GetFullPath(parent), prefix + UniqueName.New());
        if (Directory.Exists(path))
            throw new IOException($"{path} exists already");
        var note = ledger?.Note(path);
        try
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            File.SetUnixFileMode(path, mode);
            return new PrivateDirectory(path, note);
        }
        catch
        {
            note?.Dispose();
            throw;
        }
    }

    /// <summary>Makes it a user's own.</summary>
    /// <exception cref="IOException">Only root may do this.</exception>
    public void GiveTo(UserAccount user) => Libc.Give(Path, user.Uid, user.Gid);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Remove(Path, 0);
        _note?.Dispose();
    }

    private static void Remove(string path, int depth)
    {
        try
        {
            using var directory = Libc.TryOpenDirectory(path);
            if (directory is null)
            {
                File.Delete(path);
                return;
            }
            if (depth < MaxDepth)
                RemoveContent(directory, depth + 1);
            Directory.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Its owner made it so that we cannot remove it, or removed it already.
        }
    }

    private static void RemoveContent(SafeFileHandle directory, int depth)
    {
        // By its descriptor the directory stays the one that was opened, whatever its path means by now.
        var here = $"/proc/self/fd/{directory.DangerousGetHandle()}";
        foreach (var entry in Directory.GetFileSystemEntries(here))
            Remove(entry, depth);
    }
}
