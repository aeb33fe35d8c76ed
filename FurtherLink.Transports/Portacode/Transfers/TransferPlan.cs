using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>What a client announces that a destination will get.</summary>
/// <param name="Payload">The bytes.</param>
/// <param name="Overwrite">Whether they may replace what is there.</param>
internal sealed record TransferPlan(Payload Payload, bool Overwrite)
{
    /// <summary>Bytes of an archive's files; null where the client does not say.</summary>
    public long? ExpandedSize { get; private init; }

    /// <summary>Bytes that they take on the disk.</summary>
    public long StorageBytes { get; private init; }

    /// <summary>Files and folders of an archive; null where the client does not say.</summary>
    public int? Entries { get; private init; }

    /// <summary>Bytes of an archive's files that are unpacked, at most.</summary>
    public long MaxExpanded { get; private init; }

    /// <summary>Entries of an archive that are unpacked, at most.</summary>
    public int MaxEntries { get; private init; }

    /// <summary>A file's permissions; null where the client does not say.</summary>
    public UnixFileMode? Mode { get; private init; }

    /// <summary>When a file was changed; null where the client does not say.</summary>
    public DateTime? Modified { get; private init; }

    /// <summary>Reads and checks the arguments.</summary>
    /// <exception cref="LinkException">They make no sense, or are too much.</exception>
    public static TransferPlan Read(PortacodeRequest request, bool isFolder, TransferOptions options)
    {
        var size = request.Integer("payload_size", 0) ?? throw new LinkException(FailureCode.BadMessage, "payload_size parameter is required");
        if (size > options.MaxBytes)
            throw new LinkException(FailureCode.Limited, $"File is too large: a transfer may have {options.MaxBytes} bytes");
        var payload = new Payload(size, ContentHash.Require(request, "payload_hash"), Payload.ReadChunkSize(request));
        if (request.Integer("chunk_count", 0) is { } count && count != payload.ChunkCount)
        {
            throw new LinkException(
                FailureCode.BadValue, $"chunk_count parameter is {count}, but {size} bytes in chunks of {payload.ChunkSize} make {payload.ChunkCount}");
        }

        if (request.Text("archive_format") is { Length: > 0 } format && (format != "tar" || !isFolder))
            throw new LinkException(FailureCode.NotSupported, "archive_format parameter must be tar for a folder, and none for a file");
        var expanded = Bounded(request, "expanded_size", options.MaxBytes);
        var storage = request.Integer("expanded_storage_bytes", 0);
        var entries = Bounded(request, "entry_count", options.MaxEntries);
        var (mode, modified) = ReadMetadata(request);
        return new TransferPlan(payload, request.Flag("overwrite"))
        {
            ExpandedSize = expanded,
            // An archive is never smaller than what is in it.
            StorageBytes = Math.Max(storage ?? 0, expanded ?? size),
            Entries = (int?)entries,
            MaxExpanded = expanded ?? options.MaxBytes,
            MaxEntries = (int?)entries ?? options.MaxEntries,
            Mode = mode,
            Modified = modified,
        };
    }

    private static long? Bounded(PortacodeRequest request, string name, long most)
    {
        var value = request.Integer(name, 0);
        return value <= most || value is null ? value : throw new LinkException(FailureCode.Limited, $"{name} parameter must be at most {most}");
    }

    private static (UnixFileMode? Mode, DateTime? Modified) ReadMetadata(PortacodeRequest request)
    {
        if (request.Find("metadata") is not { } metadata)
            return default;
        if (metadata.ValueKind is not JsonValueKind.Object)
            throw new LinkException(FailureCode.BadMessage, "metadata parameter must be an object");
        // Only permissions: who receives a file decides whether it runs with another's rights.
        UnixFileMode? mode = Number(metadata, "mode") is { } bits ? (UnixFileMode)(bits & 0x1FF) : null;
        DateTime? modified = Number(metadata, "mtime_ns") is > 0 and var nanoseconds ? DateTime.UnixEpoch.AddTicks(nanoseconds / 100) : null;
        return (mode, modified);
    }

    private static long? Number(JsonElement metadata, string name) =>
        metadata.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;
}
