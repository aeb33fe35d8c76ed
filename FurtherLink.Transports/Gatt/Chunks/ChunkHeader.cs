using System.Buffers.Binary;

namespace FurtherLink.Transports.Gatt.Chunks;

/// <summary>What stands before the bytes of a chunk: of which message it is a part, and which.</summary>
/// <param name="Message">The message's id, of 16 bits.</param>
/// <param name="Last">The index of the message's last chunk, of 24 bits.</param>
/// <param name="Index">The index of this chunk, from 0 to <paramref name="Last"/>.</param>
internal readonly record struct ChunkHeader(ushort Message, int Last, int Index)
{
    /// <summary>Its length in bytes.</summary>
    public const int Size = 8;

    /// <summary>The largest index that 24 bits hold.</summary>
    public const int MaxIndex = (1 << 24) - 1;

    /// <summary>Reads the header of a chunk.</summary>
    /// <param name="chunk">The chunk: ids and indices are little-endian.</param>
    /// <exception cref="ChunkException">It has none, or one that contradicts itself.</exception>
    public static ChunkHeader Read(ReadOnlySpan<byte> chunk)
    {
        if (chunk.Length < Size)
            throw new ChunkException($"a chunk has a header of {Size} bytes; there are {chunk.Length}");
        var header = new ChunkHeader(BinaryPrimitives.ReadUInt16LittleEndian(chunk), ReadIndex(chunk[2..]), ReadIndex(chunk[5..]));
        return header.Index <= header.Last ? header : throw new ChunkException($"chunk {header.Index} of a message whose last is {header.Last}");
    }

    /// <summary>Writes it.</summary>
    /// <param name="chunk">To the beginning of this.</param>
    public void Write(Span<byte> chunk)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(chunk, Message);
        WriteIndex(chunk[2..], Last);
        WriteIndex(chunk[5..], Index);
    }

    private static int ReadIndex(ReadOnlySpan<byte> bytes) => bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);

    private static void WriteIndex(Span<byte> bytes, int index)
    {
        bytes[0] = (byte)index;
        bytes[1] = (byte)(index >> 8);
        bytes[2] = (byte)(index >> 16);
    }
}
