using System.Reflection;
using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes.Leftovers;

namespace FurtherLink.Processes;

/// <summary>
/// The Python package <c>further_link</c> on disk, where every user's Python can import it. Put there at the first use; disposing
/// removes it. Thread safe.
/// </summary>
/// <param name="tempDirectory">Where its directory is made.</param>
/// <param name="ledger">Where that is written down for the case of a crash; null = nowhere.</param>
[SupportedOSPlatform("linux")]
internal sealed class PythonPackage(string tempDirectory, Ledger? ledger = null) : IDisposable
{
    // What the project file calls the embedded files.
    private const string Resources = "python/";

    private const UnixFileMode ReadableFile = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode ReadableDirectory =
        ReadableFile | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly Lock _lock = new();
    private PrivateDirectory? _directory;
    private bool _disposed;

    /// <summary>
    /// The directory to put in PYTHONPATH, absolute; only the server's user can write there. What is missing in it (a cleaner of old
    /// temporary files may have passed) is put back.
    /// </summary>
    /// <exception cref="LinkException">It cannot be written.</exception>
    public string Directory
    {
        get
        {
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                try
                {
                    if (_directory is null || !System.IO.Directory.Exists(_directory.Path))
                        _directory = PrivateDirectory.Create(tempDirectory, "furtherlink-python-", ReadableDirectory, ledger);
                    PutMissing(_directory.Path);
                    return _directory.Path;
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    throw new LinkException(FailureCode.Failed, $"start: the Python package cannot be put in {tempDirectory}: {e.Message}", e);
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _directory?.Dispose();
        }
    }

    private static void PutMissing(string directory)
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var name in assembly.GetManifestResourceNames())
        {
            if (!name.StartsWith(Resources, StringComparison.Ordinal))
                continue;
            var path = Path.Combine(directory, name[Resources.Length..]);
            if (File.Exists(path))
                continue;
            var package = Path.GetDirectoryName(path)!;
            System.IO.Directory.CreateDirectory(package);
            File.SetUnixFileMode(package, ReadableDirectory);
            // Whoever imports meanwhile sees the whole file or none.
            var unfinished = path + ".new";
            using (var source = assembly.GetManifestResourceStream(name)!)
            using (var target = File.Create(unfinished))
                source.CopyTo(target);
            File.SetUnixFileMode(unfinished, ReadableFile);
            File.Move(unfinished, path, overwrite: true);
        }
    }
}
