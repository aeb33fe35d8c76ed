using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>
/// The actions transfer_prepare, transfer_read_chunk, transfer_receive_chunk, transfer_status, transfer_finalize and transfer_cancel. A transfer goes
/// on after its gateway has gone and come back, through any gateway that has its token.
/// </summary>
internal sealed class TransferActions : IActions, IDisposable
{
    private const int LeastToken = 32;
    private const int MostToken = 4096;

    private readonly Func<string, string> _resolve;
    private readonly DevicePaths _paths;
    private readonly TransferOptions _options;
    private readonly FreeSpace _space;
    private readonly TransferTable _table;
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>The actions over the device's files.</summary>
    /// <param name="paths">Finds what a path leads to, and holds its directory.</param>
    /// <param name="options">Limits.</param>
    /// <param name="time">The clock for what is given up.</param>
    /// <param name="freeSpace">Free bytes where a folder is; null = asks the system.</param>
    /// <param name="resolve">Makes a path of a request absolute, or refuses it with a <see cref="LinkException"/>; null = <paramref name="paths"/> does.</param>
    public TransferActions(DevicePaths paths, TransferOptions options, TimeProvider time, Func<string, long>? freeSpace = null, Func<string, string>? resolve = null)
    {
        _resolve = resolve ?? paths.Resolve;
        _paths = paths;
        _options = options;
        _space = new FreeSpace(freeSpace);
        _table = new TransferTable(options.MaxTransfers, time);
        Handlers = new Dictionary<string, ActionHandler>(StringComparer.Ordinal)
        {
            ["transfer_prepare"] = PrepareAsync,
            ["transfer_read_chunk"] = ReadChunkAsync,
            ["transfer_receive_chunk"] = ReceiveChunkAsync,
            ["transfer_status"] = StatusAsync,
            ["transfer_finalize"] = FinalizeAsync,
            ["transfer_cancel"] = CancelAsync,
        }.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <inheritdoc />
    public FrozenDictionary<string, ActionHandler> Handlers { get; }

    /// <summary>Gives up all transfers.</summary>
    public void Dispose()
    {
        _stopping.Cancel();
        _table.Dispose();
    }

    private async ValueTask PrepareAsync(PortacodeRequest request, IReplies replies, CancellationToken cancellationToken)
    {
        var (id, token) = Identify(request);
        var isSource = Choose(request, "role", "source", "destination");
        var isFolder = Choose(request, "kind", "folder", "file");
        var path = _resolve(request.RequireText("path"));
        // A slash at the end is no name.
        if (path.Length > 1)
            path = path.TrimEnd('/');
        var plan = isSource ? null : TransferPlan.Read(request, isFolder, _options);
        var most = (long)_options.TransferIdle.TotalSeconds;
        var idle = TimeSpan.FromSeconds(Math.Min(request.Integer("ttl_seconds", 1) ?? most, most));

        var fields = await GuardAsync(path, async () =>
        {
            using var lease = await _table.OpenAsync(id, token, idle, cancellationToken).ConfigureAwait(false);
            if (lease.Transfer is { } known && known.State is not "canceled")
            {
                var isSame = plan is null ? known is SourceTransfer : known is DestinationTransfer there && there.IsFor(plan);
                if (!isSame || known.Path != path || known.IsFolder != isFolder)
                    throw new LinkException(FailureCode.AlreadyExists, $"Transfer is one of something else: {id}");
            }
            else
            {
                lease.Transfer = plan is not null
                    ? DestinationTransfer.Prepare(id, _paths, path, isFolder, plan, _space)
                    : await SourceTransfer.PrepareAsync(id, request, _paths, path, isFolder, _options, _space, cancellationToken).ConfigureAwait(false);
            }

            return Describe(lease);
        }).ConfigureAwait(false);
        await replies.SendAsync(new PortacodeEvent("transfer_prepared", fields)).ConfigureAwait(false);
    }

    private ValueTask ReadChunkAsync(PortacodeRequest request, IReplies replies, CancellationToken cancellationToken) =>
        WithAsync(request, replies, "transfer_chunk_response", async lease =>
        {
            if (lease.Transfer is not SourceTransfer source)
                throw new LinkException(FailureCode.BadMessage, "The transfer is a destination: it has no chunks to read");
            var index = Index(request, source);
            var chunk = await source.ReadAsync(index, cancellationToken).ConfigureAwait(false);
            var fields = Progress(request, source, index);
            fields["chunk_size"] = chunk.Length;
            fields["content_base64"] = Convert.ToBase64String(chunk);
            fields["chunk_hash"] = Convert.ToHexStringLower(SHA256.HashData(chunk));
            fields["is_final_chunk"] = index == source.Payload.ChunkCount - 1;
            return fields;
        }, cancellationToken);

    private ValueTask ReceiveChunkAsync(PortacodeRequest request, IReplies replies, CancellationToken cancellationToken) =>
        WithAsync(request, replies, "transfer_chunk_received", async lease =>
        {
            if (lease.Transfer is not DestinationTransfer destination)
                throw new LinkException(FailureCode.BadMessage, "The transfer is a source: it takes no chunks");
            var index = Index(request, destination);
            var text = request.RequireContent("content_base64");
            var chunk = new byte[(text.Length / 4 * 3) + 3];
            if (!Convert.TryFromBase64String(text, chunk, out var size))
                throw new LinkException(FailureCode.BadValue, "content_base64 parameter is not valid base64");
            // Some take the hash of the bytes, some that of the text.
            var hash = ContentHash.Require(request, "chunk_hash");
            if (!SHA256.HashData(chunk.AsSpan(0, size)).AsSpan().SequenceEqual(hash) && !SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan().SequenceEqual(hash))
                throw new LinkException(FailureCode.BadValue, $"chunk_hash parameter is not the hash of chunk {index}");
            var isNew = await destination.AddAsync(index, chunk.AsMemory(0, size), cancellationToken).ConfigureAwait(false);
            var fields = Progress(request, destination, index);
            fields["chunk_size"] = size;
            fields["duplicate"] = !isNew;
            return fields;
        }, cancellationToken);

    private ValueTask StatusAsync(PortacodeRequest request, IReplies replies, CancellationToken cancellationToken) =>
        WithAsync(request, replies, "transfer_status_response", static lease =>
        {
            var fields = Describe(lease);
            fields["missing_chunks"] = lease.Transfer!.ListMissing();
            return ValueTask.FromResult(fields);
        }, cancellationToken);

    /// <summary>Once begun, the gateway's going does not stop it: the client asks again and is told the same.</summary>
    private ValueTask FinalizeAsync(PortacodeRequest request, IReplies replies, CancellationToken cancellationToken) =>
        WithAsync(request, replies, "transfer_finalized", async lease =>
        {
            await lease.Transfer!.FinishAsync(_stopping.Token).ConfigureAwait(false);
            var fields = Describe(lease);
            fields["success"] = true;
            return fields;
        }, cancellationToken);

    private ValueTask CancelAsync(PortacodeRequest request, IReplies replies, CancellationToken cancellationToken) =>
        WithAsync(request, replies, "transfer_canceled", static lease =>
        {
            lease.Transfer!.Cancel();
            var fields = Describe(lease);
            fields["success"] = true;
            return ValueTask.FromResult(fields);
        }, cancellationToken);

    private async ValueTask WithAsync(
        PortacodeRequest request, IReplies replies, string answer, Func<TransferLease, ValueTask<JsonObject>> work, CancellationToken cancellationToken)
    {
        var (id, token) = Identify(request);
        JsonObject fields;
        using (var lease = await _table.FindAsync(id, token, cancellationToken).ConfigureAwait(false))
            fields = await GuardAsync(lease.Transfer!.Path, () => work(lease)).ConfigureAwait(false);
        await replies.SendAsync(new PortacodeEvent(answer, fields)).ConfigureAwait(false);
    }

    private static async ValueTask<JsonObject> GuardAsync(string path, Func<ValueTask<JsonObject>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (Exception e) when (FileFault.Is(e))
        {
            throw FileFault.Of(e, path);
        }
    }

    private static JsonObject Describe(TransferLease lease)
    {
        var fields = lease.Transfer!.Describe();
        fields["expires_at"] = lease.ExpiresAt.ToUnixTimeSeconds();
        return fields;
    }

    private static JsonObject Progress(PortacodeRequest request, Transfer transfer, int index) => new()
    {
        ["transfer_id"] = request.RequireText("transfer_id"),
        ["chunk_index"] = index,
        ["chunk_count"] = transfer.Payload.ChunkCount,
        ["missing_count"] = transfer.Missing,
        ["progress_percent"] = transfer.Progress,
        ["complete"] = transfer.Missing == 0,
    };

    private static int Index(PortacodeRequest request, Transfer transfer) =>
        (int)(request.Integer("chunk_index", 0, transfer.Payload.ChunkCount - 1) ?? throw new LinkException(FailureCode.BadMessage, "chunk_index parameter is required"));

    /// <summary>The transfer's id and the hash of its token, which itself is not kept.</summary>
    private static (Guid Id, byte[] Token) Identify(PortacodeRequest request)
    {
        if (!Guid.TryParse(request.RequireText("transfer_id"), out var id))
            throw new LinkException(FailureCode.BadValue, "transfer_id parameter must be a UUID");
        var token = request.RequireText("authorization_token");
        if (token.Length is < LeastToken or > MostToken)
            throw new LinkException(FailureCode.BadValue, $"authorization_token parameter must have {LeastToken} to {MostToken} characters");
        return (id, SHA256.HashData(Encoding.UTF8.GetBytes(token)));
    }

    private static bool Choose(PortacodeRequest request, string name, string yes, string no)
    {
        var text = request.RequireText(name);
        if (text != yes && text != no)
            throw new LinkException(FailureCode.BadValue, $"{name} parameter must be {yes} or {no}");
        return text == yes;
    }
}
