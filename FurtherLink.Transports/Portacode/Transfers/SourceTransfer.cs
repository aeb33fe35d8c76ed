using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Files;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>The end of a transfer that sends: a file as it was when it was prepared, or the archive of a folder.</summary>
internal sealed class SourceTransfer : Transfer
{
    private readonly FileStream _file;
    private readonly DateTime _modified;
    private readonly FolderContent _content;
    private readonly JsonObject _metadata;

    private SourceTransfer(Guid id, string path, bool isFolder, Payload payload, FileStream file, FolderContent content, JsonObject metadata)
        : base(id, path, isFolder, payload)
    {
        _file = file;
        _modified = File.GetLastWriteTimeUtc(file.SafeFileHandle);
        _content = content;
        _metadata = metadata;
    }

    /// <inheritdoc />
    public override string Role => "source";

    /// <summary>Prepares a file or folder: packs it where it is a folder, and takes its hash.</summary>
    /// <param name="id">The transfer's id.</param>
    /// <param name="request">The request.</param>
    /// <param name="paths">Finds the path again, and holds its directory.</param>
    /// <param name="path">The file or folder, absolute.</param>
    /// <param name="isFolder">Which of them.</param>
    /// <param name="options">Limits.</param>
    /// <param name="space">Looks whether there is room for an archive.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="LinkException">It is something else, or too large.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static async ValueTask<SourceTransfer> PrepareAsync(
        Guid id, PortacodeRequest request, DevicePaths paths, string path, bool isFolder, TransferOptions options, FreeSpace space, CancellationToken cancellationToken)
    {
        var chunkSize = Payload.ReadChunkSize(request);
        using var at = paths.Again(path);
        var status = at.Look() ?? throw new LinkException(FailureCode.NotFound, isFolder ? $"Directory not found: {path}" : $"File not found: {path}");
        if (isFolder ? !status.IsDirectory : !status.IsFile)
            throw new LinkException(FailureCode.Failed, isFolder ? $"Path is not a directory: {path}" : $"Path is not a file: {path}");
        FileStream? file = null;
        try
        {
            FolderContent content;
            JsonObject metadata;
            if (isFolder)
            {
                using var folder = at.OpenFolder();
                var archive = new FolderArchive(folder, path, options);
                content = archive.Measure(cancellationToken);
                file = OpenStaging(at, content.ArchiveBytes, space);
                await archive.WriteAsync(file, cancellationToken).ConfigureAwait(false);
                await file.FlushAsync(cancellationToken).ConfigureAwait(false);
                using var opened = folder.OpenToRead(".");
                metadata = DescribeFile(opened);
            }
            else
            {
                file = new FileStream(TextFile.Open(at), FileAccess.Read, 0);
                if (file.Length > options.MaxBytes)
                    throw new LinkException(FailureCode.Limited, $"File is too large: a transfer may have {options.MaxBytes} bytes");
                content = new FolderContent(file.Length, (file.Length + 4095) / 4096 * 4096, 1, 0);
                metadata = DescribeFile(file.SafeFileHandle);
            }

            var size = file.Length;
            var hash = await Payload.HashAsync(file.SafeFileHandle, size, cancellationToken).ConfigureAwait(false);
            var transfer = new SourceTransfer(id, path, isFolder, new Payload(size, hash, chunkSize), file, content, metadata);
            file = null;
            return transfer;
        }
        finally
        {
            if (file is not null)
                await file.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Reads a chunk; the same one as often as asked.</summary>
    /// <exception cref="LinkException">The file has changed, or the transfer is over.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public async ValueTask<byte[]> ReadAsync(int index, CancellationToken cancellationToken)
    {
        DemandGoingOn();
        if (_file.Length != Payload.Size || File.GetLastWriteTimeUtc(_file.SafeFileHandle) != _modified)
            throw new LinkException(FailureCode.Failed, $"File has changed since the transfer was prepared: {Path}");
        var chunk = new byte[Payload.LengthOf(index)];
        await Payload.ReadExactlyAsync(_file.SafeFileHandle, chunk, Payload.OffsetOf(index), cancellationToken).ConfigureAwait(false);
        Mark(index);
        return chunk;
    }

    /// <inheritdoc />
    public override ValueTask FinishAsync(CancellationToken cancellationToken)
    {
        if (State is not "completed")
        {
            DemandGoingOn();
            State = "completed";
            Dispose();
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc />
    public override JsonObject Describe()
    {
        var fields = base.Describe();
        fields["expanded_size"] = _content.Size;
        fields["expanded_storage_bytes"] = _content.StorageBytes;
        fields["entry_count"] = _content.Entries;
        fields["skipped_entries"] = _content.Skipped;
        fields["metadata"] = _metadata.DeepClone();
        return fields;
    }

    /// <inheritdoc />
    public override void Dispose() => _file.Dispose();

    private static JsonObject DescribeFile(SafeFileHandle file)
    {
        var metadata = new JsonObject { ["mtime_ns"] = (File.GetLastWriteTimeUtc(file) - DateTime.UnixEpoch).Ticks * 100 };
        if (!OperatingSystem.IsWindows())
            metadata["mode"] = (int)File.GetUnixFileMode(file);
        return metadata;
    }

    /// <summary>A file for the archive, beside the folder or, where nothing can be made there, in the folder for temporary files.</summary>
    private static FileStream OpenStaging(DevicePath folder, long needed, FreeSpace space)
    {
        try
        {
            // Beside the top is outside it.
            if (!folder.IsTop)
                return Open(folder.Full, System.IO.Path.GetDirectoryName(folder.Real)!);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            // A folder that may be read need not be one that may be written beside.
        }

        var temporary = System.IO.Path.GetTempPath();
        return Open(System.IO.Path.Combine(temporary, "archive"), temporary);

        FileStream Open(string beside, string place)
        {
            space.Demand(place, needed);
            return StagedFile.OpenNameless(beside);
        }
    }
}
