using System.Buffers;
using System.Formats.Tar;
using FurtherLink.Device;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>
/// Unpacks an archive that somebody sent into a folder of its own. Everything but files and folders is refused, and so is every name that is not
/// plainly below it. No links are made, and one that somebody else puts there leads nowhere: what is written to is held open.
/// </summary>
internal sealed class FolderExtraction
{
    private const UnixFileMode Permissions = (UnixFileMode)0x1FF;
    private const UnixFileMode Open = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // Above that no path is valid on Linux: 4096 bytes, a name and a slash each.
    private const int Deepest = 2048;

    private readonly HeldFolder _target;
    private readonly long _maxBytes;
    private readonly int _maxEntries;
    private readonly Dictionary<string, (UnixFileMode Mode, DateTime Modified)> _folders = new(StringComparer.Ordinal);
    private string? _top;
    private bool _hasTop;
    private int _headers;

    private FolderExtraction(HeldFolder target, long maxBytes, int maxEntries)
    {
        _target = target;
        _maxBytes = maxBytes;
        _maxEntries = maxEntries;
    }

    /// <summary>Files and folders unpacked.</summary>
    public int Entries { get; private set; }

    /// <summary>Bytes of the files unpacked.</summary>
    public long Size { get; private set; }

    /// <summary>The name of the folder that was packed, where all is below it; null = the target itself is.</summary>
    public string? Top => _hasTop ? _top : null;

    /// <summary>The permissions that the folder had; null where the archive does not say. Until it is in its place it can be written to.</summary>
    public UnixFileMode? RootMode { get; private set; }

    /// <summary>Unpacks an archive.</summary>
    /// <param name="archive">The archive, from its start.</param>
    /// <param name="target">An empty folder that nobody else writes to.</param>
    /// <param name="maxBytes">Bytes that its files may have.</param>
    /// <param name="maxEntries">Files and folders that it may have.</param>
    /// <param name="cancellationToken">Stops it; the folder is left as it is then.</param>
    /// <exception cref="LinkException">The archive holds what it may not.</exception>
    /// <exception cref="InvalidDataException">It is no archive.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static async ValueTask<FolderExtraction> RunAsync(
        Stream archive, HeldFolder target, long maxBytes, int maxEntries, CancellationToken cancellationToken)
    {
        var extraction = new FolderExtraction(target, maxBytes, maxEntries);
        var reader = new TarReader(new BoundedReads(archive), leaveOpen: true);
        await using (reader.ConfigureAwait(false))
        {
            try
            {
                while (await reader.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
                    await extraction.ExtractAsync(entry, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or OverflowException or ArgumentException)
            {
                throw new LinkException(FailureCode.BadValue, $"The archive cannot be read: {e.Message}", e);
            }
        }

        if (extraction.Entries == 0)
            throw new LinkException(FailureCode.BadValue, "The archive is empty");
        extraction.FinishFolders();
        return extraction;
    }

    private async ValueTask ExtractAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        // Headers that make no file cost time too.
        if (++_headers > _maxEntries + 16L)
            throw new LinkException(FailureCode.Limited, $"The archive has more than {_maxEntries} entries");
        if (entry.EntryType is TarEntryType.GlobalExtendedAttributes)
            return;
        if (entry.EntryType is not (TarEntryType.Directory or TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            throw new LinkException(FailureCode.BadValue, $"The archive holds something else than files and folders: {Shown(entry.Name)} is a {entry.EntryType}");
        var path = Locate(entry);
        if (++Entries > _maxEntries)
            throw new LinkException(FailureCode.Limited, $"The archive has more than {_maxEntries} entries");

        if (entry.EntryType is TarEntryType.Directory)
        {
            MakeFolder(path, entry).Dispose();
            _folders[path] = (entry.Mode & Permissions, entry.ModificationTime.UtcDateTime);
            return;
        }

        if (path.Length == 0)
            throw Misplaced(entry);
        using var folder = MakeFolder(Path.GetDirectoryName(path)!, entry);
        var name = Path.GetFileName(path);
        if (folder.Look(name) is not null)
            throw Doubled(entry);
        await WriteFileAsync(entry, folder, name, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a folder of the archive, which is made where it is missing. A name that is too long for the file system is refused by it.</summary>
    private HeldFolder MakeFolder(string path, TarEntry entry)
    {
        try
        {
            return _target.Open(path.Length > 0 ? path : ".");
        }
        catch (IOException e) when (Errno.Of(e) is Errno.NotDirectory)
        {
            throw Doubled(entry);
        }
        catch (IOException e) when (Errno.Of(e) is Errno.NoEntry && path.Length > 0)
        {
            using var above = MakeFolder(Path.GetDirectoryName(path)!, entry);
            _ = DeviceFiles.TryMakeDirectory(above.PathTo(Path.GetFileName(path)));
            return above.Open(Path.GetFileName(path));
        }
    }

    private async ValueTask WriteFileAsync(TarEntry entry, HeldFolder folder, string name, CancellationToken cancellationToken)
    {
        var file = new FileStream(folder.Create(name), FileAccess.Write, 0);
        await using (file.ConfigureAwait(false))
        {
            var buffer = ArrayPool<byte>.Shared.Rent(81920);
            try
            {
                while (entry.DataStream is { } data && await data.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var read)
                {
                    Size += read;
                    if (Size > _maxBytes)
                        throw new LinkException(FailureCode.Limited, $"The archive's files have more than {_maxBytes} bytes");
                    await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(file.SafeFileHandle, entry.Mode & Permissions);
            File.SetLastWriteTimeUtc(file.SafeFileHandle, entry.ModificationTime.UtcDateTime);
        }
    }

    /// <summary>Where an entry goes, below the target; also finds out whether all of them are below one folder, which comes first then.</summary>
    private string Locate(TarEntry entry)
    {
        if (entry.Name.StartsWith('/') || entry.Name.Contains('\0', StringComparison.Ordinal))
            throw Misplaced(entry);
        var parts = entry.Name.Split('/').Where(static part => part is not ("" or ".")).ToList();
        if (parts.Count > Deepest || parts.Contains(".."))
            throw Misplaced(entry);
        if (Entries == 0 && parts.Count == 1 && entry.EntryType is TarEntryType.Directory)
            (_hasTop, _top) = (true, parts[0]);
        _hasTop &= parts.Count > 0 && parts[0] == _top;
        return string.Join('/', parts);
    }

    private static LinkException Doubled(TarEntry entry) => new(FailureCode.BadValue, $"The archive has two entries of one name: {Shown(entry.Name)}");

    private static LinkException Misplaced(TarEntry entry) =>
        new(FailureCode.BadValue, $"The archive has an entry that leads out of its folder: {Shown(entry.Name)}");

    private static string Shown(string name) => name.Length > 200 ? name[..200] + "…" : name;

    /// <summary>A folder's mode may forbid to write into it, and what is written into it changes its time: both are set at the end, from the inside out.</summary>
    private void FinishFolders()
    {
        foreach (var (path, (mode, modified)) in _folders.OrderByDescending(static folder => folder.Key.Length))
        {
            using var folder = _target.OpenToRead(path.Length > 0 ? path : ".");
            File.SetLastWriteTimeUtc(folder, modified);
            var isRoot = path == (Top ?? "");
            if (isRoot)
                RootMode = mode;
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(folder, isRoot || path.Length == 0 ? mode | Open : mode);
        }
    }
}
