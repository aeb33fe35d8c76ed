using System.Buffers;
using System.Buffers.Text;
using System.Collections;
using System.Security.Cryptography;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>A file that comes as pieces of base64, in any order. The text is kept beside the file until it is whole. Not thread safe.</summary>
internal sealed class ChunkedUpload : IDisposable
{
    private readonly DevicePaths _paths;
    private readonly FileStream _text;
    private readonly BitArray _received;
    private readonly byte[]? _contentHash;
    private int _missing;
    private int _lastLength;

    /// <summary>Begins one, with nothing received.</summary>
    /// <param name="paths">Finds the file again, and holds its directory.</param>
    /// <param name="path">The file, absolute; its folder must be there.</param>
    /// <param name="count">How many pieces there are.</param>
    /// <param name="totalSize">Bytes of the whole base64 text.</param>
    /// <param name="contentHash">Its hash; null = it is not checked.</param>
    public ChunkedUpload(DevicePaths paths, string path, int count, long totalSize, byte[]? contentHash)
    {
        _paths = paths;
        Path = path;
        Count = count;
        TotalSize = totalSize;
        _contentHash = contentHash;
        _received = new BitArray(count);
        _missing = count;
        using var at = paths.Again(path);
        _text = StagedFile.OpenNameless(StagedFile.TargetOf(at));
    }

    /// <summary>The file, absolute.</summary>
    public string Path { get; }

    /// <summary>How many pieces there are.</summary>
    public int Count { get; }

    /// <summary>Bytes of the whole base64 text.</summary>
    public long TotalSize { get; }

    /// <summary>Bytes of each piece but the last, as the first of them had; 0 where none has come.</summary>
    public int PieceSize { get; private set; }

    /// <summary>Whether all pieces have come.</summary>
    public bool IsWhole => _missing == 0;

    /// <summary>Takes a piece; one that has come already changes nothing.</summary>
    /// <exception cref="LinkException">It does not fit among the others.</exception>
    /// <exception cref="IOException">It cannot be kept.</exception>
    public async ValueTask AddAsync(int index, string piece, CancellationToken cancellationToken)
    {
        if (_received[index])
            return;
        var isLast = index == Count - 1;
        var bytes = Encoding.UTF8.GetBytes(piece);
        var offset = isLast ? TotalSize - bytes.Length : (long)index * bytes.Length;
        if (isLast)
            Demand(offset >= 0 && (Count > 1 || offset == 0) && (PieceSize == 0 || offset == (long)PieceSize * (Count - 1)));
        else
            Demand(bytes.Length > 0 && (PieceSize == 0 || bytes.Length == PieceSize) && AgreesWithLast(bytes.Length));

        await RandomAccess.WriteAsync(_text.SafeFileHandle, bytes, offset, cancellationToken).ConfigureAwait(false);
        if (isLast)
            _lastLength = bytes.Length;
        else
            PieceSize = bytes.Length;
        _received[index] = true;
        _missing--;
    }

    /// <summary>Checks the whole text and puts the file in place.</summary>
    /// <returns>Its size in bytes.</returns>
    /// <exception cref="LinkException">It is not what was announced, or a file is there and must stay.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public async ValueTask<long> InstallAsync(bool overwrite, long? fileSize, CancellationToken cancellationToken)
    {
        using var file = _paths.Again(Path);
        using var staged = StagedFile.Beside(file, _paths.Ledger);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (text, content) = (ArrayPool<byte>.Shared.Rent(Chunks.Size), ArrayPool<byte>.Shared.Rent(Chunks.Size));
        try
        {
            for (long at = 0; at < TotalSize;)
            {
                var part = text.AsMemory(0, (int)Math.Min(Chunks.Size, TotalSize - at));
                var read = 0;
                while (read < part.Length)
                {
                    var more = await RandomAccess.ReadAsync(_text.SafeFileHandle, part[read..], at + read, cancellationToken).ConfigureAwait(false);
                    read += more > 0 ? more : throw new IOException("The pieces of an upload are gone");
                }

                at += read;
                hash.AppendData(part.Span);
                var status = Base64.DecodeFromUtf8(part.Span, content, out var used, out var written, isFinalBlock: at == TotalSize);
                if (status is not OperationStatus.Done || used != part.Length)
                    throw new LinkException(FailureCode.BadValue, "content_base64 parameter is not valid base64");
                await staged.Stream.WriteAsync(content.AsMemory(0, written), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(text);
            ArrayPool<byte>.Shared.Return(content);
        }

        if (_contentHash is not null && !hash.GetHashAndReset().AsSpan().SequenceEqual(_contentHash))
            throw new LinkException(FailureCode.BadValue, "content_hash parameter is not the hash of the content");
        var size = staged.Stream.Position;
        if (fileSize is { } announced && announced != size)
            throw new LinkException(FailureCode.BadValue, $"file_size parameter is {announced}, but the content has {size} bytes");
        staged.Install(overwrite);
        return size;
    }

    /// <inheritdoc />
    public void Dispose() => _text.Dispose();

    private bool AgreesWithLast(int length)
    {
        var last = _received[Count - 1] ? _lastLength : TotalSize - ((long)length * (Count - 1));
        // The last piece may be shorter than the others, not longer, and is not empty.
        return last > 0 && last <= length && ((long)length * (Count - 1)) + last == TotalSize;
    }

    private static void Demand(bool fits)
    {
        if (!fits)
        {
            throw new LinkException(
                FailureCode.BadValue, "The chunk's size does not agree with total_size, chunk_count and the other chunks: all but the last are of one size");
        }
    }
}
