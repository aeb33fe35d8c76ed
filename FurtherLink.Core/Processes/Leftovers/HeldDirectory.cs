using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using FurtherLink.Processes.Children;

namespace FurtherLink.Processes.Leftovers;

/// <summary>
/// A directory that one living process holds: a lock file in it is kept locked (flock(2)) until that process ends, however it does, so that others
/// can tell what a crash has left. It says besides which process that is, for file systems that keep no locks. Readable by its owner alone.
/// </summary>
internal sealed class HeldDirectory : IDisposable
{
    private const string LockName = "lock";
    private const string NewPrefix = ".new-";

    private readonly FileStream _lock;

    private HeldDirectory(string path, FileStream @lock)
    {
        Path = path;
        _lock = @lock;
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Makes one, and its parents where they are missing.</summary>
    /// <exception cref="IOException">It cannot be made; also <see cref="UnauthorizedAccessException"/>.</exception>
    public static HeldDirectory Create(string path)
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
            @lock.Write(Encoding.ASCII.GetBytes(Self()));
            Directory.Move(draft, path);
            return new HeldDirectory(path, @lock);
        }
        catch (Exception)
        {
            @lock?.Dispose();
            RemoveEmpty(draft);
            throw;
        }
    }

    /// <summary>Takes over each directory in a directory that no living process holds; others, and what is no such directory, are left out.</summary>
    public static IEnumerable<HeldDirectory> TakeAbandoned(string root)
    {
        if (!Directory.Exists(root))
            yield break;
        foreach (var path in Directory.EnumerateDirectories(root))
        {
            if (!File.Exists(System.IO.Path.Combine(path, LockName)) || !TryLock(path, out var @lock))
                continue;
            yield return new HeldDirectory(path, @lock);
        }
    }

    /// <summary>Opens a file that its owner alone may read, unbuffered.</summary>
    /// <exception cref="IOException">It cannot be opened; also <see cref="UnauthorizedAccessException"/>.</exception>
    public static FileStream OpenPrivate(string path, FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (mode is FileMode.Create or FileMode.CreateNew && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    /// <summary>Removes it, once all else in it is removed: the lock last, so that what a crash leaves of it can be told still.</summary>
    /// <exception cref="IOException">Something is in it.</exception>
    public void Remove()
    {
        RemoveEmpty(Path);
        _lock.Dispose();
    }

    /// <summary>Lets go of it; what is in it stays.</summary>
    public void Dispose() => _lock.Dispose();

    private static FileStream OpenLock(string path, FileMode mode) =>
        OpenPrivate(System.IO.Path.Combine(path, LockName), mode, FileAccess.ReadWrite, FileShare.None);

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
            if (!IsAlive(@lock))
                return true;
            @lock.Dispose();
        }
        catch (IOException)
        {
            // Somebody has it, or it has just been removed.
        }

        @lock = null;
        return false;
    }

    private static string Self() => OperatingSystem.IsLinux()
        ? string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId} {ProcFs.Read(Environment.ProcessId)?.Start}")
        : "";

    // A process that is this one has put another program in its own place: its lock alone counts.
    private static bool IsAlive(FileStream @lock)
    {
        Span<byte> bytes = stackalloc byte[64];
        var words = Encoding.ASCII.GetString(bytes[..@lock.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)]).Split(' ');
        return OperatingSystem.IsLinux()
            && words is [var pid, var start]
            && int.TryParse(pid, CultureInfo.InvariantCulture, out var id)
            && id != Environment.ProcessId
            && ProcFs.Read(id) is { IsEnded: false } process
            && process.Start.ToString(CultureInfo.InvariantCulture) == start;
    }

    private static void RemoveEmpty(string path)
    {
        if (Directory.EnumerateFileSystemEntries(path).Any(entry => System.IO.Path.GetFileName(entry) != LockName))
            throw new IOException($"{path} is not empty");
        File.Delete(System.IO.Path.Combine(path, LockName));
        Directory.Delete(path);
    }
}
