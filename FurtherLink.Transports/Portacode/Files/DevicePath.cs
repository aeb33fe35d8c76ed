using FurtherLink.Device;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>
/// A path of a gateway, found. Where a root is set, the directory that it stands in is held open, so that nobody can lead it out of the root by
/// swapping what is on the way; disposing lets go of it.
/// </summary>
/// <param name="given">The path as the gateway named it; answers and errors repeat it.</param>
/// <param name="real">The path, absolute.</param>
/// <param name="root">The root, links resolved; null where there is none.</param>
internal sealed class DevicePath(string given, string real, string? root) : IDisposable
{
    // Nothing is ever there.
    private const string Nowhere = "/proc/self/fd/none/none";

    private SafeFileHandle? _parent;
    private string? _full;

    /// <summary>The path as the gateway named it; answers and errors repeat it.</summary>
    public string Given { get; } = given;

    /// <summary>The path, absolute. With a root set it has no links; see <see cref="DevicePaths.Find"/> about the last name.</summary>
    public string Real { get; } = real;

    /// <summary>The root, links resolved; null where there is none.</summary>
    public string? Root { get; } = root;

    /// <summary>Whether it is the top: the root, or where none is set "/".</summary>
    public bool IsTop => Real == (Root ?? "/");

    /// <summary>The last name of the path.</summary>
    public string Name => Path.GetFileName(Real);

    /// <summary>The path to make calls on. Where its directory is missing, one that leads nowhere.</summary>
    /// <exception cref="UnauthorizedAccessException">The way there may not be gone.</exception>
    public string Full => _full ??= Root is null ? Real : Hold();

    /// <summary>What is there, links at the end followed or not; null where nothing is.</summary>
    /// <exception cref="UnauthorizedAccessException">The way there may not be gone.</exception>
    public PathStatus? Look(bool followLinks = true) => PathStatus.TryOf(Full, followLinks && (Root is null || IsTop));

    /// <summary>Opens what is there to read it, without waiting for anything.</summary>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="Messages.LinkException">A link swapped in leads out of the root.</exception>
    public SafeFileHandle OpenToRead() => Checked(DeviceFiles.OpenToRead(Full));

    /// <summary>Opens what is there to write to it as it is, without waiting for anything.</summary>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="Messages.LinkException">A link swapped in leads out of the root.</exception>
    public SafeFileHandle OpenToWrite() => Checked(DeviceFiles.OpenToWrite(Full));

    /// <summary>A neighbour: another name in the directory that this stands in. Valid as long as this is.</summary>
    public string Beside(string name) => Path.Join(Path.GetDirectoryName(Full), name);

    /// <summary>Holds the directory that is there.</summary>
    /// <exception cref="UnauthorizedAccessException">The way there may not be gone.</exception>
    /// <exception cref="IOException">It is no directory, or not there.</exception>
    /// <exception cref="Messages.LinkException">A link swapped in leads out of the root.</exception>
    public HeldFolder OpenFolder() => new(this, Checked(DeviceFiles.HoldDirectory(Full)));

    /// <summary>Makes sure that an open file lies in the root, which closes it where it does not.</summary>
    /// <exception cref="Messages.LinkException">It does not.</exception>
    public SafeFileHandle Checked(SafeFileHandle file)
    {
        if (Root is null || (PlaceOf(file) is { } place && DevicePaths.IsInside(place, Root)))
            return file;
        file.Dispose();
        throw FileFaults.Denied(Given);
    }

    /// <inheritdoc/>
    public void Dispose() => _parent?.Dispose();

    /// <summary>The path of this process to an open directory.</summary>
    internal static string PathOf(SafeFileHandle directory) => $"/proc/self/fd/{directory.DangerousGetHandle()}";

    private static string? PlaceOf(SafeFileHandle file) => new FileInfo(PathOf(file)).LinkTarget;

    private string Hold()
    {
        var parent = IsTop ? Real : Path.GetDirectoryName(Real)!;
        try
        {
            _parent = DeviceFiles.HoldDirectory(parent);
        }
        catch (IOException e) when (Errno.Of(e) is Errno.NoEntry or Errno.NotDirectory)
        {
            return Nowhere;
        }
        // Resolved already, so that it leads elsewhere now means that somebody has changed it since.
        if (PlaceOf(_parent) != parent)
            throw FileFaults.Denied(Given);
        return IsTop ? PathOf(_parent) : Path.Join(PathOf(_parent), Name);
    }
}
