using System.Collections.Frozen;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>The actions content_request, file_download and file_upload. What the disk refuses is an answer without success.</summary>
internal sealed class ContentActions : IActions, IDisposable
{
    private readonly Func<string, string> _resolve;
    private readonly DevicePaths _paths;
    private readonly ContentStore _store;
    private readonly TransferOptions _options;
    private readonly ChunkedUploads _uploads;
    private readonly FileDownload _download;

    /// <summary>The actions over the device's files.</summary>
    /// <param name="paths">Finds what a path leads to, and holds its directory.</param>
    /// <param name="store">What was sent lately.</param>
    /// <param name="options">Limits.</param>
    /// <param name="time">The clock for what is given up.</param>
    /// <param name="freeSpace">Free bytes where a folder is; null = asks the system.</param>
    /// <param name="resolve">Makes a path of a request absolute, or refuses it with a <see cref="LinkException"/>; null = <paramref name="paths"/> does.</param>
    public ContentActions(
        DevicePaths paths, ContentStore store, TransferOptions options, TimeProvider time, Func<string, long>? freeSpace = null, Func<string, string>? resolve = null)
    {
        _resolve = resolve ?? paths.Resolve;
        _paths = paths;
        _store = store;
        _options = options;
        _uploads = new ChunkedUploads(_paths, options, new FreeSpace(freeSpace), time);
        _download = new FileDownload(_paths, store, options.MaxWholeBytes);
        Handlers = new Dictionary<string, ActionHandler>(StringComparer.Ordinal)
        {
            ["content_request"] = SendContentAsync,
            ["file_download"] = DownloadAsync,
            ["file_upload"] = UploadAsync,
        }.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <inheritdoc />
    public FrozenDictionary<string, ActionHandler> Handlers { get; }

    /// <summary>Gives up the uploads under way.</summary>
    public void Dispose() => _uploads.Dispose();

    private async ValueTask SendContentAsync(PortacodeRequest request, IReplies replies, CancellationToken cancellationToken)
    {
        var hash = ContentHash.Write(ContentHash.Require(request, "content_hash"));
        if (!_store.TryGet(hash, out var content))
        {
            await replies.SendAsync(new PortacodeEvent("content_response", new JsonObject
            {
                ["content_hash"] = hash,
                ["content"] = null,
                ["success"] = false,
                ["error"] = "Content not found",
                ["chunked"] = false,
            })).ConfigureAwait(false);
            return;
        }

        var inPieces = request.Flag("chunked");
        IReadOnlyList<ReadOnlyMemory<byte>> pieces = inPieces ? Chunks.Cut(content) : [content];
        var chunks = new Chunks(pieces.Count, content.Length, hash);
        for (var i = 0; i < pieces.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var fields = new JsonObject
            {
                ["content_hash"] = hash,
                ["content"] = Encoding.UTF8.GetString(pieces[i].Span),
                ["success"] = true,
                ["chunked"] = false,
            };
            if (inPieces)
                chunks.Describe(fields, i, pieces[i].Span);
            await replies.SendAsync(new PortacodeEvent("content_response", fields)).ConfigureAwait(false);
        }
    }

    private async ValueTask DownloadAsync(PortacodeRequest request, IReplies replies, CancellationToken cancellationToken)
    {
        var path = request.RequireText("path");
        var inPieces = request.Flag("chunked");
        try
        {
            path = _resolve(path);
            if (inPieces)
                await _download.SendPiecesAsync(path, replies, cancellationToken).ConfigureAwait(false);
            else
                await _download.SendWholeAsync(path, replies, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (FileFault.Is(e))
        {
            await replies.SendAsync(new PortacodeEvent("file_download_response", new JsonObject
            {
                ["path"] = path,
                ["success"] = false,
                ["error"] = FileFault.Of(e, path).Message,
                ["chunked"] = false,
            })).ConfigureAwait(false);
        }
    }

    private async ValueTask UploadAsync(PortacodeRequest request, IReplies replies, CancellationToken cancellationToken)
    {
        var path = request.RequireText("path");
        var content = request.RequireContent("content_base64");
        var inPieces = request.Flag("chunked");
        var answer = new JsonObject { ["path"] = path };
        if (request.Text("file_name") is { } name)
            answer["file_name"] = name;
        if (request.Text("mime_type") is { } type)
            answer["mime_type"] = type;
        answer["chunked"] = inPieces;
        if (inPieces)
        {
            answer["transfer_id"] = request.RequireText("transfer_id");
            answer["chunk_index"] = request.Integer("chunk_index", 0, int.MaxValue);
        }

        try
        {
            answer["path"] = path = Target(request, path);
            var size = inPieces
                ? await _uploads.AddAsync(request, path, content, cancellationToken).ConfigureAwait(false)
                : Install(request, path, content);
            if (inPieces)
                answer["chunk_received"] = true;
            if (size is { } written)
                (answer["bytes_written"], answer["file_size"]) = (written, written);
            answer["complete"] = size is not null;
            answer["success"] = true;
        }
        catch (Exception e) when (FileFault.Is(e))
        {
            answer["complete"] = false;
            answer["success"] = false;
            answer["error"] = FileFault.Of(e, path).Message;
        }

        await replies.SendAsync(new PortacodeEvent("file_upload_response", answer)).ConfigureAwait(false);
    }

    private string Target(PortacodeRequest request, string path)
    {
        var target = _resolve(path);
        if (Directory.Exists(target) && request.Text("file_name") is { Length: > 0 } name)
        {
            if (name is "." or ".." || name.AsSpan().ContainsAny('/', '\0'))
                throw new LinkException(FailureCode.BadValue, "file_name parameter must be a name without a path");
            target = _resolve(Path.Combine(target, name));
        }

        StagedFile.DemandRegular(target);
        if (_paths.IsConfined)
            DevicePaths.Same(FileWriter.Prepare(_paths, target), target).Dispose();
        else
            _ = Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        return target;
    }

    private long? Install(PortacodeRequest request, string path, string content)
    {
        if (content.Length > (_options.MaxUploadBytes + 2) / 3 * 4)
            throw new LinkException(FailureCode.Limited, $"File is too large: an upload may have {_options.MaxUploadBytes} bytes");
        var bytes = new byte[(content.Length / 4 * 3) + 3];
        if (!Convert.TryFromBase64String(content, bytes, out var size))
            throw new LinkException(FailureCode.BadValue, "content_base64 parameter is not valid base64");
        if (request.Integer("file_size", 0) is { } announced && announced != size)
            throw new LinkException(FailureCode.BadValue, $"file_size parameter is {announced}, but the content has {size} bytes");
        if (ContentHash.Read(request, "content_hash") is { } hash && ContentHash.Write(hash) != ContentHash.Of(Encoding.UTF8.GetBytes(content)))
            throw new LinkException(FailureCode.BadValue, "content_hash parameter is not the hash of the content");
        StagedFile.DemandFree(path, request.Flag("overwrite"));
        using var at = _paths.Again(path);
        using var staged = StagedFile.Beside(at, _paths.Ledger);
        staged.Stream.Write(bytes, 0, size);
        staged.Install(request.Flag("overwrite"));
        return size;
    }
}
