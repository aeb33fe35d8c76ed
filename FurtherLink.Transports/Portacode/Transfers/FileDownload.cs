using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Files;
using Microsoft.AspNetCore.StaticFiles;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>Sends a file as base64: in one message, or in pieces without ever holding all of it.</summary>
/// <param name="paths">Finds a path again, and holds its directory.</param>
/// <param name="store">Keeps what went in one message.</param>
/// <param name="mostWhole">Bytes of a file that may go in one message.</param>
internal sealed class FileDownload(DevicePaths paths, ContentStore store, int mostWhole)
{
    // What becomes one piece: base64 makes 4 characters of 3 bytes.
    private const int PieceBytes = Chunks.Size / 4 * 3;

    private readonly FileExtensionContentTypeProvider _types = new();

    /// <summary>Sends a file in one message.</summary>
    /// <exception cref="LinkException">It is none, or too large.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public async ValueTask SendWholeAsync(string path, IReplies replies, CancellationToken cancellationToken)
    {
        using var file = Open(path);
        await SendWholeAsync(path, file, replies, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends a file in pieces. It is read twice: each piece tells the hash of the whole.</summary>
    /// <exception cref="LinkException">It is none, or changes meanwhile.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public async ValueTask SendPiecesAsync(string path, IReplies replies, CancellationToken cancellationToken)
    {
        using var file = Open(path);
        var size = file.Length;
        if (size == 0)
        {
            await SendWholeAsync(path, file, replies, cancellationToken).ConfigureAwait(false);
            return;
        }

        var total = (size + 2) / 3 * 4;
        var (content, text) = (ArrayPool<byte>.Shared.Rent(PieceBytes), ArrayPool<byte>.Shared.Rent(Chunks.Size));
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (long at = 0; at < size; at += PieceBytes)
                hash.AppendData(await ReadAsync(at).ConfigureAwait(false));
            var whole = hash.GetHashAndReset();

            var chunks = new Chunks(Chunks.CountOf(total), total, ContentHash.Write(whole));
            for (long index = 0; index < Chunks.CountOf(total); index++)
            {
                var piece = await ReadAsync(index * PieceBytes).ConfigureAwait(false);
                hash.AppendData(piece);
                if (index == Chunks.CountOf(total) - 1 && !hash.GetHashAndReset().AsSpan().SequenceEqual(whole))
                    throw new LinkException(FailureCode.Failed, $"File has changed while it was read: {path}");
                var fields = Describe(path, size, Encoding.ASCII.GetString(piece));
                chunks.Describe(fields, index, piece);
                await replies.SendAsync(new PortacodeEvent("file_download_response", fields)).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(content);
            ArrayPool<byte>.Shared.Return(text);
        }

        async ValueTask<byte[]> ReadAsync(long at)
        {
            var wanted = content.AsMemory(0, (int)Math.Min(PieceBytes, size - at));
            for (var read = 0; read < wanted.Length;)
            {
                var more = await RandomAccess.ReadAsync(file.SafeFileHandle, wanted[read..], at + read, cancellationToken).ConfigureAwait(false);
                read += more > 0 ? more : throw new LinkException(FailureCode.Failed, $"File has changed while it was read: {path}");
            }

            _ = Base64.EncodeToUtf8(wanted.Span, text, out _, out var written);
            return text[..written];
        }
    }

    private async ValueTask SendWholeAsync(string path, FileStream file, IReplies replies, CancellationToken cancellationToken)
    {
        // The system makes some files while they are read, and calls them empty until then: only the end tells their size.
        var content = new MemoryStream();
        var buffer = new byte[PieceBytes];
        while (await file.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var read)
        {
            if (content.Length + read > mostWhole)
                throw new LinkException(FailureCode.Limited, $"File is too large for one message: {path}; ask for it with chunked");
            await content.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
        }

        var text = Convert.ToBase64String(content.GetBuffer(), 0, (int)content.Length);
        var fields = Describe(path, content.Length, text);
        fields["chunked"] = false;
        fields["content_hash"] = store.Add(text);
        await replies.SendAsync(new PortacodeEvent("file_download_response", fields)).ConfigureAwait(false);
    }

    private JsonObject Describe(string path, long size, string text)
    {
        var fields = new JsonObject { ["path"] = path, ["file_name"] = Path.GetFileName(path) };
        if (_types.TryGetContentType(path, out var type))
            fields["mime_type"] = type;
        fields["file_size"] = size;
        fields["content_base64"] = text;
        fields["success"] = true;
        return fields;
    }

    private FileStream Open(string path)
    {
        using var at = paths.Again(path);
        StagedFile.DemandRegular(at.Full, path);
        return new FileStream(TextFile.Open(at), FileAccess.Read, 0);
    }
}
