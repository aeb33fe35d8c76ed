using System.Buffers;

namespace FurtherLink.Transports.Gatt.Chunks;

/// <summary>A message that is cut into chunks. There is one more than its bytes fill, so that one that fills them exactly ends with an empty one.</summary>
/// <param name="id">Its id.</param>
/// <param name="message">Its bytes.</param>
/// <param name="chunkSize">The longest chunk, in bytes with its header.</param>
internal readonly struct ChunkedMessage(ushort id, ReadOnlySequence<byte> message, int chunkSize)
{
    /// <summary>The longest chunk that there is: the longest value of an attribute.</summary>
    public const int MaxChunk = 512;

    /// <summary>The longest chunk that survives all that BlueZ does to a notification, where it does not say how much the other side takes.</summary>
    public const int SafeChunk = 500;

    /// <summary>The shortest chunk: of the least that a link carries, 23 bytes.</summary>
    public const int MinChunk = 18;

    private readonly int _payload = chunkSize is >= MinChunk and <= MaxChunk
        ? chunkSize - ChunkHeader.Size
        : throw new ArgumentOutOfRangeException(nameof(chunkSize), chunkSize, $"From {MinChunk} to {MaxChunk}.");

    /// <summary>How many chunks it has.</summary>
    public int Count => checked((int)(message.Length / _payload) + 1);

    /// <summary>
    /// How long a chunk may be on a link. A notification is cut silently to 5 bytes less than its MTU where the other side takes several in one packet; one
    /// that is written to us is accepted up to 510 bytes.
    /// </summary>
    /// <param name="mtu">The link's MTU in bytes; null = not known.</param>
    public static int SizeFor(int? mtu) => mtu is { } known ? Math.Clamp(known - 5, MinChunk, SafeChunk) : SafeChunk;

    /// <summary>Writes one of its chunks.</summary>
    /// <param name="index">Which.</param>
    /// <param name="chunk">Where to.</param>
    /// <returns>Its length in bytes.</returns>
    public int Write(int index, Span<byte> chunk)
    {
        var count = Count;
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)count, nameof(index));
        new ChunkHeader(id, count - 1, index).Write(chunk);
        var start = (long)index * _payload;
        var bytes = message.Slice(start, Math.Min(_payload, message.Length - start));
        bytes.CopyTo(chunk[ChunkHeader.Size..]);
        return ChunkHeader.Size + (int)bytes.Length;
    }
}
