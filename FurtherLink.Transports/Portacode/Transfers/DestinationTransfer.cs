using System.Text.Json.Nodes;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>The end of a transfer that receives: the payload grows in a folder beside the target, and goes to its place when it is whole and right.</summary>
internal sealed class DestinationTransfer : Transfer
{
    private readonly TransferPlan _plan;
    private readonly StagingFolder _staging;
    private readonly FileStream _file;

    private DestinationTransfer(Guid id, string path, bool isFolder, TransferPlan plan, StagingFolder staging, FileStream file)
        : base(id, path, isFolder, plan.Payload)
    {
        _plan = plan;
        _staging = staging;
        _file = file;
        State = "receiving";
    }

    /// <inheritdoc />
    public override string Role => "destination";

    /// <summary>Makes room for what will come.</summary>
    /// <param name="id">The transfer's id.</param>
    /// <param name="path">Where it goes, absolute; the folder above must be there.</param>
    /// <param name="isFolder">Whether it is a folder.</param>
    /// <param name="plan">What is announced.</param>
    /// <param name="space">Looks whether there is room.</param>
    /// <exception cref="LinkException">It cannot go there.</exception>
    /// <exception cref="IOException">The disk refuses.</exception>
    public static DestinationTransfer Prepare(Guid id, string path, bool isFolder, TransferPlan plan, FreeSpace space)
    {
        var target = StagedFile.Follow(path);
        DemandTarget(target, isFolder, plan.Overwrite);
        // The archive and what is in it are there together at the end.
        space.Demand(System.IO.Path.GetDirectoryName(target)!, plan.Payload.Size + (isFolder ? plan.StorageBytes : 0));
        var staging = new StagingFolder(target);
        try
        {
            var file = new FileStream(staging.PayloadFile, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, 0, useAsync: true);
            return new DestinationTransfer(id, path, isFolder, plan, staging, file);
        }
        catch
        {
            staging.Dispose();
            throw;
        }
    }

    /// <summary>Whether a request announces the same.</summary>
    public bool IsFor(TransferPlan plan) =>
        plan.Payload.Size == Payload.Size && plan.Payload.ChunkSize == Payload.ChunkSize && plan.Payload.Hash.AsSpan().SequenceEqual(Payload.Hash);

    /// <summary>Takes a chunk; one that is there already is not written again.</summary>
    /// <returns>Whether it is new.</returns>
    /// <exception cref="LinkException">It has the wrong size, or the transfer is over.</exception>
    /// <exception cref="IOException">The disk refuses.</exception>
    public async ValueTask<bool> AddAsync(int index, ReadOnlyMemory<byte> chunk, CancellationToken cancellationToken)
    {
        if (State is not "completed")
            DemandGoingOn();
        if (chunk.Length != Payload.LengthOf(index))
            throw new LinkException(FailureCode.BadValue, $"Chunk {index} must have {Payload.LengthOf(index)} bytes, not {chunk.Length}");
        if (Has(index))
            return false;
        await RandomAccess.WriteAsync(_file.SafeFileHandle, chunk, Payload.OffsetOf(index), cancellationToken).ConfigureAwait(false);
        Mark(index);
        return true;
    }

    /// <inheritdoc />
    public override async ValueTask FinishAsync(CancellationToken cancellationToken)
    {
        if (State is "completed")
            return;
        DemandGoingOn();
        if (FirstMissing is { } first)
            throw new LinkException(FailureCode.BadMessage, $"Transfer is not complete: {Missing} chunks are missing, the first is {first}");
        var hash = await Payload.HashAsync(_file.SafeFileHandle, Payload.Size, cancellationToken).ConfigureAwait(false);
        if (!hash.AsSpan().SequenceEqual(Payload.Hash))
        {
            // Nobody knows which chunk is wrong.
            MarkNone();
            throw new LinkException(FailureCode.BadValue, "payload_hash parameter is not the hash of what came: all chunks are missing again");
        }

        DemandTarget(_staging.Target, IsFolder, _plan.Overwrite);
        if (IsFolder)
            await UnpackAsync(cancellationToken).ConfigureAwait(false);
        else
            _staging.InstallFile(_file, _plan.Overwrite, _plan.Mode, _plan.Modified);
        State = "completed";
        Dispose();
    }

    /// <inheritdoc />
    public override JsonObject Describe()
    {
        var fields = base.Describe();
        if (IsFolder)
        {
            fields["expanded_size"] = _plan.ExpandedSize;
            fields["expanded_storage_bytes"] = _plan.StorageBytes;
            fields["entry_count"] = _plan.Entries;
        }

        return fields;
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _file.Dispose();
        _staging.Dispose();
    }

    private async ValueTask UnpackAsync(CancellationToken cancellationToken)
    {
        _staging.ClearTree();
        _file.Position = 0;
        var unpacked = await FolderExtraction.RunAsync(_file, _staging.Tree, _plan.MaxExpanded, _plan.MaxEntries, cancellationToken).ConfigureAwait(false);
        if (_plan.ExpandedSize is { } announced && announced != unpacked.Size)
            throw new LinkException(FailureCode.BadValue, $"expanded_size parameter is {announced}, but the archive's files have {unpacked.Size} bytes");
        _staging.InstallFolder(unpacked.Root, _plan.Overwrite);
        if (unpacked.RootMode is { } mode && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(_staging.Target, mode);
    }

    private static void DemandTarget(string target, bool isFolder, bool overwrite)
    {
        if (System.IO.Path.GetDirectoryName(target) is not { } parent)
            throw new LinkException(FailureCode.BadValue, $"Path cannot be replaced: {target}");
        if (!Directory.Exists(parent))
            throw new LinkException(FailureCode.NotFound, $"Directory not found: {parent}");
        if (!isFolder)
            StagedFile.DemandRegular(target);
        else if (System.IO.Path.Exists(target) && !Directory.Exists(target))
            throw new LinkException(FailureCode.Failed, $"Path is not a directory: {target}");
        StagedFile.DemandFree(target, overwrite);
    }
}
