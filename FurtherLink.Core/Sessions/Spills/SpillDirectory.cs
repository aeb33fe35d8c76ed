using System.Globalization;
using FurtherLink.Processes.Leftovers;

namespace FurtherLink.Sessions.Spills;

/// <summary>One session's files on disk: segments, each named by the offset it begins at, in a directory that their writer holds.</summary>
internal sealed class SpillDirectory : IDisposable
{
    private const string Extension = ".output";

    private readonly HeldDirectory _directory;

    private SpillDirectory(HeldDirectory directory) => _directory = directory;

    /// <summary>Where it is.</summary>
    public string Path => _directory.Path;

    /// <summary>Makes one, and its parents where they are missing.</summary>
    /// <exception cref="IOException">It cannot be made; also <see cref="UnauthorizedAccessException"/>.</exception>
    public static SpillDirectory Create(string path) => new(HeldDirectory.Create(path));

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
        foreach (var directory in HeldDirectory.TakeAbandoned(root))
        {
            using var spill = new SpillDirectory(directory);
            spill.Remove();
            count++;
        }

        return count;
    }

    /// <summary>Opens a new segment to write.</summary>
    /// <exception cref="IOException">It cannot be made; also <see cref="UnauthorizedAccessException"/>.</exception>
    public FileStream CreateSegment(long offset) =>
        HeldDirectory.OpenPrivate(File(Path, offset), FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Removes it with everything in it.</summary>
    public void Remove()
    {
        // Only what is ours: what a crash leaves of this is swept the next time.
        foreach (var offset in Segments(Path))
            System.IO.File.Delete(File(Path, offset));
        _directory.Remove();
    }

    /// <summary>Lets go of it; the files stay, until they are swept.</summary>
    public void Dispose() => _directory.Dispose();
}
