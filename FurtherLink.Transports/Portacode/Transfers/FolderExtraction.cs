using System.Buffers;
using System.Formats.Tar;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>
/// Unpacks an archive that somebody sent into a folder of its own. Everything but files and folders is refused, and so is every name that is not
/// plainly below it; as no links are made, none can lead out.
/// </summary>
internal sealed class FolderExtraction
{
    private const UnixFileMode Permissions = (UnixFileMode)0x1FF;
    private const UnixFileMode Open = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // Above that no path is valid on Linux: 4096 bytes, a name and a slash each.
    private const int Deepest = 2048;

    private readonly string _target;
    private readonly long _maxBytes;
    private readonly int _maxEntries;
    private readonly List<(string Path, UnixFileMode Mode, DateTime Modified)> _folders = [];
    private string? _top;
    private bool _hasTop;
    private int _headers;

    private FolderExtraction(string target, long maxBytes, int maxEntries)
    {
        _target = target;
        _maxBytes = maxBytes;
        _maxEntries = maxEntries;
    }

    /// <summary>Files and folders unpacked.</summary>
    public int Entries { get; private set; }

    /// <summary>Bytes of the files unpacked.</summary>
    public long Size { get; private set; }

    /// <summary>The folder that was packed: the one at the archive's top where all is below it, otherwise the target itself.</summary>
    public string Root => _hasTop ? Path.Combine(_target, _top!) : _target;

    /// <summary>The permissions that it had; null where the archive does not say. Until it is in its place it can be written to.</summary>
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
        Stream archive, string target, long maxBytes, int maxEntries, CancellationToken cancellationToken)
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
            DemandNoFile(path, entry);
            _ = Directory.CreateDirectory(path);
            _folders.Add((path, entry.Mode & Permissions, entry.ModificationTime.UtcDateTime));
            return;
        }

        if (path == _target)
            throw Misplaced(entry);
        // A name that is too long for the file system is refused by it.
        _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (Path.Exists(path))
            throw new LinkException(FailureCode.BadValue, $"The archive has two entries of one name: {Shown(entry.Name)}");
        await WriteFileAsync(entry, path, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask WriteFileAsync(TarEntry entry, string path, CancellationToken cancellationToken)
    {
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0, useAsync: true);
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

    /// <summary>Where an entry goes; also finds out whether all of them are below one folder, which comes first then.</summary>
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
        return Path.Combine([_target, .. parts]);
    }

    private static void DemandNoFile(string path, TarEntry entry)
    {
        if (File.Exists(path))
            throw new LinkException(FailureCode.BadValue, $"The archive has two entries of one name: {Shown(entry.Name)}");
    }

    private static LinkException Misplaced(TarEntry entry) =>
        new(FailureCode.BadValue, $"The archive has an entry that leads out of its folder: {Shown(entry.Name)}");

    private static string Shown(string name) => name.Length > 200 ? name[..200] + "…" : name;

    /// <summary>A folder's mode may forbid to write into it, and what is written into it changes its time: both are set at the end, from the inside out.</summary>
    private void FinishFolders()
    {
        foreach (var (path, mode, modified) in _folders.OrderByDescending(static folder => folder.Path.Length))
        {
            Directory.SetLastWriteTimeUtc(path, modified);
            if (path == Root)
                RootMode = mode;
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, path == Root || path == _target ? mode | Open : mode);
        }
    }
}
