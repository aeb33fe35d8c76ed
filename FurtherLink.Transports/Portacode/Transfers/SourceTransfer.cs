using System.Text.Json.Nodes;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>The end of a transfer that sends: a file as it was when it was prepared, or the archive of a folder.</summary>
internal sealed class SourceTransfer : Transfer
{
    private readonly FileStream _file;
    private readonly DateTime _modified;
    private readonly FolderContent _content;
    private readonly JsonObject _metadata;

    private SourceTransfer(Guid id, string path, bool isFolder, Payload payload, FileStream file, DateTime modified, FolderContent content)
        : base(id, path, isFolder, payload)
    {
        _file = file;
        _modified = modified;
        _content = content;
        FileSystemInfo info = isFolder ? new DirectoryInfo(path) : new FileInfo(path);
        _metadata = new JsonObject { ["mtime_ns"] = (info.LastWriteTimeUtc - DateTime.UnixEpoch).Ticks * 100 };
        if (!OperatingSystem.IsWindows())
            _metadata["mode"] = (int)info.UnixFileMode;
    }

    /// <inheritdoc />
    public override string Role => "source";

    /// <summary>Prepares a file or folder: packs it where it is a folder, and takes its hash.</summary>
    /// <param name="id">The transfer's id.</param>
    /// <param name="request">The request.</param>
    /// <param name="path">The file or folder, absolute.</param>
    /// <param name="isFolder">Which of them.</param>
    /// <param name="options">Limits.</param>
    /// <param name="space">Looks whether there is room for an archive.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="LinkException">It is something else, or too large.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static async ValueTask<SourceTransfer> PrepareAsync(
        Guid id, PortacodeRequest request, string path, bool isFolder, TransferOptions options, FreeSpace space, CancellationToken cancellationToken)
    {
        var chunkSize = Payload.ReadChunkSize(request);
        FileStream? file = null;
        try
        {
            FolderContent content;
            if (isFolder)
            {
                if (!Directory.Exists(path))
                    throw new LinkException(FailureCode.NotFound, File.Exists(path) ? $"Path is not a directory: {path}" : $"Directory not found: {path}");
                content = FolderArchive.Measure(path, options, cancellationToken);
                file = OpenStaging(path, content.ArchiveBytes, space);
                await FolderArchive.WriteAsync(path, file, options, cancellationToken).ConfigureAwait(false);
                await file.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
            else
            {
                StagedFile.DemandRegular(path);
                file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0, useAsync: true);
                if (file.Length > options.MaxBytes)
                    throw new LinkException(FailureCode.Limited, $"File is too large: a transfer may have {options.MaxBytes} bytes");
                content = new FolderContent(file.Length, (file.Length + 4095) / 4096 * 4096, 1, 0);
            }

            var modified = File.GetLastWriteTimeUtc(file.SafeFileHandle);
            var size = file.Length;
            var hash = await Payload.HashAsync(file.SafeFileHandle, size, cancellationToken).ConfigureAwait(false);
            var transfer = new SourceTransfer(id, path, isFolder, new Payload(size, hash, chunkSize), file, modified, content);
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

    /// <summary>A file for the archive, beside the folder or, where nothing can be made there, in the folder for temporary files.</summary>
    private static FileStream OpenStaging(string folder, long needed, FreeSpace space)
    {
        try
        {
            if (System.IO.Path.GetDirectoryName(folder) is { } above)
                return Open(above);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            // A folder that may be read need not be one that may be written beside.
        }

        return Open(System.IO.Path.GetTempPath());

        FileStream Open(string place)
        {
            space.Demand(place, needed);
            var name = StagedFile.TemporaryName(System.IO.Path.Combine(place, "archive"));
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.Delete,
                Options = FileOptions.Asynchronous,
            };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            var file = new FileStream(name, options);
            // Without a name it is gone with the handle, even when the device dies.
            File.Delete(name);
            return file;
        }
    }
}
