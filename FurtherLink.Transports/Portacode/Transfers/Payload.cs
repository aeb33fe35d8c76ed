using System.Security.Cryptography;
using FurtherLink.Messages;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>The bytes that a transfer sends, and how they are cut.</summary>
/// <param name="Size">How many.</param>
/// <param name="Hash">Their SHA-256 hash.</param>
/// <param name="ChunkSize">Bytes of a chunk; the last may have fewer.</param>
internal sealed record Payload(long Size, byte[] Hash, int ChunkSize)
{
    /// <summary>Bytes of a chunk where the client does not say; in base64 exactly 256 KiB.</summary>
    public const int DefaultChunk = 192 << 10;

    /// <summary>Bytes of a chunk, at least: one of 10 GiB has 2.6 million then.</summary>
    public const int LeastChunk = 4 << 10;

    /// <summary>Bytes of a chunk, at most.</summary>
    public const int MostChunk = 1 << 20;

    /// <summary>How many chunks there are; an empty payload has one, which is empty.</summary>
    public int ChunkCount { get; } = (int)Math.Max(1, (Size + ChunkSize - 1) / ChunkSize);

    /// <summary>The size that a client asks chunks to have.</summary>
    /// <exception cref="LinkException">It cannot be.</exception>
    public static int ReadChunkSize(PortacodeRequest request) => (int)(request.Integer("chunk_size", LeastChunk, MostChunk) ?? DefaultChunk);

    /// <summary>Where a chunk begins.</summary>
    public long OffsetOf(int index) => (long)index * ChunkSize;

    /// <summary>How many bytes a chunk has.</summary>
    public int LengthOf(int index) => (int)Math.Min(ChunkSize, Size - OffsetOf(index));

    /// <summary>The hash of a file's first bytes.</summary>
    /// <exception cref="IOException">It has fewer, or cannot be read.</exception>
    public static async ValueTask<byte[]> HashAsync(SafeFileHandle file, long size, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[128 << 10];
        for (long at = 0; at < size;)
        {
            var part = buffer.AsMemory(0, (int)Math.Min(buffer.Length, size - at));
            await ReadExactlyAsync(file, part, at, cancellationToken).ConfigureAwait(false);
            hash.AppendData(part.Span);
            at += part.Length;
        }

        return hash.GetHashAndReset();
    }

    /// <summary>Fills a buffer from a place in a file.</summary>
    /// <exception cref="IOException">It ends before, or cannot be read.</exception>
    public static async ValueTask ReadExactlyAsync(SafeFileHandle file, Memory<byte> buffer, long offset, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            var read = await RandomAccess.ReadAsync(file, buffer, offset, cancellationToken).ConfigureAwait(false);
            if (read == 0)
                throw new IOException("A file has become shorter while it was read");
            buffer = buffer[read..];
            offset += read;
        }
    }
}
