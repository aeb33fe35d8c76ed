using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>The end of a transfer that receives: the payload grows in a folder beside the target, and goes to its place when it is whole and right.</summary>
internal sealed class DestinationTransfer : Transfer
{
    private readonly DevicePaths _paths;
    private readonly TransferPlan _plan;
    private readonly StagingFolder _staging;
    private readonly FileStream _file;

    private DestinationTransfer(Guid id, DevicePaths paths, string path, bool isFolder, TransferPlan plan, StagingFolder staging, FileStream file)
        : base(id, path, isFolder, plan.Payload)
    {
        _paths = paths;
        _plan = plan;
        _staging = staging;
        _file = file;
        State = "receiving";
    }

    /// <inheritdoc />
    public override string Role => "destination";

    /// <summary>Makes room for what will come.</summary>
    /// <param name="id">The transfer's id.</param>
    /// <param name="paths">Finds the path again, and holds its directory.</param>
    /// <param name="path">Where it goes, absolute; the folder above must be there.</param>
    /// <param name="isFolder">Whether it is a folder.</param>
    /// <param name="plan">What is announced.</param>
    /// <param name="space">Looks whether there is room.</param>
    /// <exception cref="LinkException">It cannot go there.</exception>
    /// <exception cref="IOException">The disk refuses.</exception>
    public static DestinationTransfer Prepare(Guid id, DevicePaths paths, string path, bool isFolder, TransferPlan plan, FreeSpace space)
    {
        var target = DevicePaths.Same(paths.FindTarget(path), path);
        StagingFolder? staging = null;
        try
        {
            DemandTarget(target, isFolder, plan.Overwrite);
            // The archive and what is in it are there together at the end.
            space.Demand(System.IO.Path.GetDirectoryName(target.Real)!, plan.Payload.Size + (isFolder ? plan.StorageBytes : 0));
            staging = new StagingFolder(target, paths.Ledger);
            return new DestinationTransfer(id, paths, path, isFolder, plan, staging, staging.CreatePayload());
        }
        catch
        {
            staging?.Dispose();
            target.Dispose();
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

        using var target = _paths.Again(_staging.Target.Real);
        DemandTarget(target, IsFolder, _plan.Overwrite);
        if (IsFolder)
            await UnpackAsync(target, cancellationToken).ConfigureAwait(false);
        else
            _staging.InstallFile(_file, target, _plan.Overwrite, _plan.Mode, _plan.Modified);
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

    private async ValueTask UnpackAsync(DevicePath target, CancellationToken cancellationToken)
    {
        using var tree = _staging.ClearTree();
        _file.Position = 0;
        var unpacked = await FolderExtraction.RunAsync(_file, tree, _plan.MaxExpanded, _plan.MaxEntries, cancellationToken).ConfigureAwait(false);
        if (_plan.ExpandedSize is { } announced && announced != unpacked.Size)
            throw new LinkException(FailureCode.BadValue, $"expanded_size parameter is {announced}, but the archive's files have {unpacked.Size} bytes");
        using var root = tree.Open(unpacked.Top ?? ".");
        _staging.InstallFolder(unpacked.Top, target, _plan.Overwrite);
        if (unpacked.RootMode is { } mode && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(root.Full, mode);
    }

    private static void DemandTarget(DevicePath target, bool isFolder, bool overwrite)
    {
        // The staging folder would be outside.
        if (target.IsTop)
            throw new LinkException(FailureCode.BadValue, $"Path cannot be replaced: {target.Real}");
        if (!Directory.Exists(System.IO.Path.GetDirectoryName(target.Full)))
            throw new LinkException(FailureCode.NotFound, $"Directory not found: {System.IO.Path.GetDirectoryName(target.Real)}");
        if (target.Look() is { } status && (isFolder ? !status.IsDirectory : !status.IsFile))
            throw new LinkException(FailureCode.Failed, isFolder ? $"Path is not a directory: {target.Real}" : $"Path is not a file: {target.Real}");
        StagedFile.DemandFree(target.Full, overwrite, target.Real);
    }
}
