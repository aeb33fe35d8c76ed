using System.Formats.Tar;
using FurtherLink.Device;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>Packs a folder into one uncompressed PAX tar, its name before every entry. Links, pipes, sockets and devices stay out.</summary>
/// <param name="folder">The folder.</param>
/// <param name="path">Its path.</param>
/// <param name="options">Limits.</param>
internal sealed class FolderArchive(HeldFolder folder, string path, TransferOptions options)
{
    /// <summary>Counts what the folder holds.</summary>
    /// <exception cref="LinkException">It is too much.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public FolderContent Measure(CancellationToken cancellationToken)
    {
        long size = 0;
        long storage = 4096;
        var (entries, skipped) = (1, 0);
        foreach (var (_, _, status) in Walk())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (IsSpecial(status))
            {
                skipped++;
                continue;
            }

            entries++;
            var bytes = status.IsFile ? status.Size : 0;
            size += bytes;
            storage += (Math.Max(bytes, 1) + 4095) / 4096 * 4096;
            if (entries > options.MaxEntries)
                throw new LinkException(FailureCode.Limited, $"The folder has more than {options.MaxEntries} entries: {path}");
            if (size > options.MaxBytes)
                throw new LinkException(FailureCode.Limited, $"The folder has more than {options.MaxBytes} bytes: {path}");
        }

        return new FolderContent(size, storage, entries, skipped);
    }

    /// <summary>Writes the archive.</summary>
    /// <exception cref="LinkException">It is too much meanwhile.</exception>
    /// <exception cref="IOException">It cannot be read, or written.</exception>
    public async ValueTask WriteAsync(Stream archive, CancellationToken cancellationToken)
    {
        var root = Path.GetFileName(path);
        if (root.Length == 0)
            root = "root";
        var writer = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true);
        await using (writer.ConfigureAwait(false))
        {
            await WriteEntryAsync(writer, folder, ".", root + "/", cancellationToken).ConfigureAwait(false);
            foreach (var (inner, below, status) in Walk())
            {
                if (IsSpecial(status))
                    continue;
                var name = $"{root}/{below}";
                await WriteEntryAsync(writer, inner, Path.GetFileName(below), status.IsDirectory ? name + "/" : name, cancellationToken).ConfigureAwait(false);
                if (archive.Position > options.MaxBytes)
                    throw new LinkException(FailureCode.Limited, $"The folder's archive has more than {options.MaxBytes} bytes: {path}");
            }
        }
    }

    private async ValueTask WriteEntryAsync(TarWriter writer, HeldFolder inner, string entryName, string name, CancellationToken cancellationToken)
    {
        using var opened = inner.OpenToRead(entryName);
        var status = PathStatus.Of(opened);
        var isDirectory = name.EndsWith('/');
        if (isDirectory ? !status.IsDirectory : !status.IsFile)
            throw new LinkException(FailureCode.Failed, $"The folder has changed while it was packed: {path}");
        var entry = new PaxTarEntry(isDirectory ? TarEntryType.Directory : TarEntryType.RegularFile, name) { ModificationTime = new DateTimeOffset(File.GetLastWriteTimeUtc(opened)) };
        if (!OperatingSystem.IsWindows())
            entry.Mode = status.Mode;
        if (isDirectory)
        {
            await writer.WriteEntryAsync(entry, cancellationToken).ConfigureAwait(false);
            return;
        }

        var content = new FixedLengthStream(new FileStream(opened, FileAccess.Read, 0), status.Size);
        await using (content.ConfigureAwait(false))
        {
            entry.DataStream = content;
            await writer.WriteEntryAsync(entry, cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool IsSpecial(PathStatus status) => status is { IsFile: false, IsDirectory: false };

    /// <summary>All that is below the folder, links not followed, a folder before what it holds, in the order of names.</summary>
    /// <returns>The folder that an entry is in, open until the next one is asked for; its path below the whole; what it is.</returns>
    private IEnumerable<(HeldFolder Inner, string Below, PathStatus Status)> Walk()
    {
        var waiting = new Stack<string>([""]);
        while (waiting.TryPop(out var next))
        {
            using var inner = folder.Open(next.Length > 0 ? next : ".");
            foreach (var name in inner.Names().Order(StringComparer.Ordinal))
            {
                var below = Path.Join(next, name);
                var status = inner.Look(name) ?? throw new LinkException(FailureCode.Failed, $"Cannot pack \"{name}\", which is gone or has a name that is not UTF-8: {path}");
                yield return (inner, below, status);
                if (status.IsDirectory)
                    waiting.Push(below);
            }
        }
    }
}
