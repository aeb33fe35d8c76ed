using System.Text.Json.Nodes;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>A long text that is sent in pieces of at most 64 kB, each with the fields that say which one it is.</summary>
/// <param name="count">How many pieces there are.</param>
/// <param name="totalSize">Bytes of the whole text in UTF-8.</param>
/// <param name="contentHash">The hash of the whole text.</param>
internal sealed class Chunks(long count, long totalSize, string contentHash)
{
    /// <summary>Bytes of a full piece; a multiple of 4, so that each piece of base64 can be decoded alone.</summary>
    public const int Size = 64 * 1024;

    /// <summary>What the pieces have in common, so that they find each other.</summary>
    public string TransferId { get; } = Guid.NewGuid().ToString("N");

    /// <summary>How many pieces a text of so many bytes makes that can be cut anywhere; an empty one is one empty piece.</summary>
    public static long CountOf(long totalSize) => Math.Max(1, (totalSize + Size - 1) / Size);

    /// <summary>Cuts a text into pieces that end between characters.</summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Cut(ReadOnlyMemory<byte> utf8)
    {
        var pieces = new List<ReadOnlyMemory<byte>>();
        while (utf8.Length > Size)
        {
            var end = Size;
            // 10xxxxxx goes on with the character before; one has at most four bytes.
            while ((utf8.Span[end] & 0xC0) == 0x80 && end > Size - 4)
                end--;
            pieces.Add(utf8[..end]);
            utf8 = utf8[end..];
        }

        pieces.Add(utf8);
        return pieces;
    }

    /// <summary>Adds the fields of one piece to its message.</summary>
    /// <param name="fields">The message.</param>
    /// <param name="index">Which piece, from 0.</param>
    /// <param name="piece">Its bytes.</param>
    public void Describe(JsonObject fields, long index, ReadOnlySpan<byte> piece)
    {
        fields["chunked"] = true;
        fields["transfer_id"] = TransferId;
        fields["chunk_index"] = index;
        fields["chunk_count"] = count;
        fields["chunk_size"] = piece.Length;
        fields["total_size"] = totalSize;
        fields["content_hash"] = contentHash;
        fields["chunk_hash"] = ContentHash.Of(piece);
        fields["is_final_chunk"] = index == count - 1;
    }
}
