using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace FurtherLink.Sessions.Spills;

/// <summary>
/// One session's files on disk: segments, each named by the offset it begins at, and a lock file that their writer holds open
/// (flock(2)), so that others can tell what a crash has left. Readable by its owner alone.
/// </summary>
internal sealed class SpillDirectory : IDisposable
{
    private const string LockName = "lock";
    private const string Extension = ".output";
    private const string NewPrefix = ".new-";

    private readonly FileStream _lock;

    private SpillDirectory(string path, FileStream @lock)
    {
        Path = path;
        _lock = @lock;
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Makes one, and its parents where they are missing.</summary>
    /// <exception cref="IOException">It cannot be made; also <see cref="UnauthorizedAccessException"/>.</exception>
    public static SpillDirectory Create(string path)
    {
        var root = System.IO.Path.GetDirectoryName(path)!;
        MakePrivate(root);
        // It gets its name only when it is locked: nobody sees it without.
        var draft = System.IO.Path.Combine(root, NewPrefix + System.IO.Path.GetFileName(path));
        MakePrivate(draft);
        FileStream? @lock = null;
        try
        {
            @lock = OpenLock(draft, FileMode.Create);
            Directory.Move(draft, path);
            return new SpillDirectory(path, @lock);
        }
        catch (Exception)
        {
            @lock?.Dispose();
            Remove(draft);
            throw;
        }
    }

    /// <summary>The offsets at which the segments of a directory begin, in order; none where it does not exist.</summary>
    public static List<long> Segments(string path)
    {
        var offsets = new List<long>();
        try
        {
            foreach (var file in Directory.EnumerateFiles(path, "*" + Extension))
            {
                if (long.TryParse(System.IO.Path.GetFileNameWithoutExtension(file.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
                    offsets.Add(offset);
            }
        }
        catch (DirectoryNotFoundException)
        {
            offsets.Clear();
        }

        offsets.Sort();
        return offsets;
    }

    /// <summary>The file of a segment.</summary>
    public static string File(string path, long offset) =>
        System.IO.Path.Combine(path, offset.ToString("D19", CultureInfo.InvariantCulture) + Extension);

    /// <summary>Removes what writers that are no more have left in a directory of such directories. Everything else stays.</summary>
    /// <returns>How many there were.</returns>
    /// <exception cref="IOException">Something could not be removed; also <see cref="UnauthorizedAccessException"/>.</exception>
    public static int Sweep(string root)
    {
        var count = 0;
        if (!Directory.Exists(root))
            return 0;
        foreach (var path in Directory.EnumerateDirectories(root))
        {
            if (!System.IO.File.Exists(System.IO.Path.Combine(path, LockName)) || !TryLock(path, out var @lock))
                continue;
            using (@lock)
                Remove(path);
            count++;
        }

        return count;
    }

    /// <summary>Opens a new segment to write.</summary>
    /// <exception cref="IOException">It cannot be made; also <see cref="UnauthorizedAccessException"/>.</exception>
    public FileStream CreateSegment(long offset) =>
        OpenPrivate(File(Path, offset), FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Removes it with everything in it.</summary>
    public void Remove()
    {
        Remove(Path);
        _lock.Dispose();
    }

    /// <summary>Lets go of it; the files stay, until they are swept.</summary>
    public void Dispose() => _lock.Dispose();

    private static FileStream OpenLock(string path, FileMode mode) =>
        OpenPrivate(System.IO.Path.Combine(path, LockName), mode, FileAccess.ReadWrite, FileShare.None);

    private static FileStream OpenPrivate(string path, FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (mode == FileMode.Create && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    private static void MakePrivate(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static bool TryLock(string path, [NotNullWhen(true)] out FileStream? @lock)
    {
        try
        {
            @lock = OpenLock(path, FileMode.Open);
            return true;
        }
        catch (IOException)
        {
            @lock = null;
            return false;
        }
    }

    // Only what is ours, the lock last: what a crash leaves of this is swept the next time.
    private static void Remove(string path)
    {
        foreach (var offset in Segments(path))
            System.IO.File.Delete(File(path, offset));
        System.IO.File.Delete(System.IO.Path.Combine(path, LockName));
        Directory.Delete(path);
    }
}
