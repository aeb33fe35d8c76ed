using System.Formats.Tar;
using FurtherLink.Device;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>Packs a folder into one uncompressed PAX tar, its name before every entry. Links, pipes, sockets and devices stay out.</summary>
internal static class FolderArchive
{
    /// <summary>Counts what a folder holds.</summary>
    /// <exception cref="LinkException">It is too much.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static FolderContent Measure(string folder, TransferOptions options, CancellationToken cancellationToken)
    {
        long size = 0;
        long storage = 4096;
        var (entries, skipped) = (1, 0);
        foreach (var item in Walk(folder))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (item.Special)
            {
                skipped++;
                continue;
            }

            entries++;
            var bytes = item.Info is FileInfo file ? file.Length : 0;
            size += bytes;
            storage += (Math.Max(bytes, 1) + 4095) / 4096 * 4096;
            if (entries > options.MaxEntries)
                throw new LinkException(FailureCode.Limited, $"The folder has more than {options.MaxEntries} entries: {folder}");
            if (size > options.MaxBytes)
                throw new LinkException(FailureCode.Limited, $"The folder has more than {options.MaxBytes} bytes: {folder}");
        }

        return new FolderContent(size, storage, entries, skipped);
    }

    /// <summary>Writes the archive.</summary>
    /// <exception cref="LinkException">It is too much meanwhile.</exception>
    /// <exception cref="IOException">It cannot be read, or written.</exception>
    public static async ValueTask WriteAsync(string folder, Stream archive, TransferOptions options, CancellationToken cancellationToken)
    {
        var root = Path.GetFileName(folder.TrimEnd('/'));
        if (root.Length == 0)
            root = "root";
        var writer = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true);
        await using (writer.ConfigureAwait(false))
        {
            await WriteEntryAsync(writer, new DirectoryInfo(folder), root + "/", cancellationToken).ConfigureAwait(false);
            foreach (var item in Walk(folder))
            {
                if (item.Special)
                    continue;
                var name = root + "/" + Path.GetRelativePath(folder, item.Info.FullName);
                await WriteEntryAsync(writer, item.Info, item.Info is DirectoryInfo ? name + "/" : name, cancellationToken).ConfigureAwait(false);
                if (archive.Position > options.MaxBytes)
                    throw new LinkException(FailureCode.Limited, $"The folder's archive has more than {options.MaxBytes} bytes: {folder}");
            }
        }
    }

    private static async ValueTask WriteEntryAsync(TarWriter writer, FileSystemInfo info, string name, CancellationToken cancellationToken)
    {
        var type = info is DirectoryInfo ? TarEntryType.Directory : TarEntryType.RegularFile;
        var entry = new PaxTarEntry(type, name) { ModificationTime = new DateTimeOffset(info.LastWriteTimeUtc) };
        if (!OperatingSystem.IsWindows())
            entry.Mode = info.UnixFileMode;
        if (info is not FileInfo)
        {
            await writer.WriteEntryAsync(entry, cancellationToken).ConfigureAwait(false);
            return;
        }

        var file = new FileStream(info.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0, useAsync: true);
        var content = new FixedLengthStream(file, file.Length);
        await using (content.ConfigureAwait(false))
        {
            entry.DataStream = content;
            await writer.WriteEntryAsync(entry, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>All that is below a folder, links not followed, a folder before what it holds, in the order of names.</summary>
    private static IEnumerable<(FileSystemInfo Info, bool Special)> Walk(string folder)
    {
        var waiting = new Stack<DirectoryInfo>([new DirectoryInfo(folder)]);
        var all = new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false, ReturnSpecialDirectories = false };
        while (waiting.TryPop(out var directory))
        {
            foreach (var info in directory.EnumerateFileSystemInfos("*", all).OrderBy(static info => info.Name, StringComparer.Ordinal))
            {
                var special = info.LinkTarget is not null || PathStatus.IsSpecial(info.FullName);
                yield return (info, special);
                if (!special && info is DirectoryInfo below)
                    waiting.Push(below);
            }
        }
    }
}
