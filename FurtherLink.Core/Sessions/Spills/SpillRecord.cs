using System.Buffers.Binary;
using System.Numerics;
using FurtherLink.Messages;
using FurtherLink.Sessions.Logs;

namespace FurtherLink.Sessions.Spills;

/// <summary>
/// One entry of a segment file. All numbers are little endian: a CRC-32C of what follows (4 bytes), the data's length (4), offset (8), time
/// (8) and kind (4), then the data. A record cut short or torn by a crash does not have its checksum, and ends what can be read.
/// </summary>
/// <param name="Kind">The stream; 0 = a segment's head, whose data are the last bytes of each stream before it.</param>
/// <param name="Offset">The first byte's offset in the log.</param>
/// <param name="Time">When it was taken, in milliseconds since the Unix epoch.</param>
/// <param name="Length">Bytes of data.</param>
internal readonly record struct SpillRecord(OutputKind Kind, long Offset, long Time, int Length)
{
    /// <summary>Bytes before the data.</summary>
    public const int HeaderSize = 28;

    /// <summary>The most data of a record: what a log gives at once.</summary>
    public const int MaxLength = LogBlockPool.LargeSize;

    /// <summary>Bytes of a segment's head: for each of the two streams a count and up to four bytes.</summary>
    public const int HeadSize = HeaderSize + HeadLength;

    private const int HeadLength = 2 * 5;
    private const OutputKind Head = default;

    /// <summary>Bytes of all of it.</summary>
    public int Size => HeaderSize + Length;

    /// <summary>The offset behind its last byte.</summary>
    public long End => Offset + Length;

    /// <summary>Whether it is a segment's head.</summary>
    public bool IsHead => Kind == Head;

    /// <summary>Writes a record.</summary>
    /// <returns>The bytes written.</returns>
    public static int Write(Span<byte> destination, OutputKind kind, long offset, long time, ReadOnlySpan<byte> data)
    {
        BinaryPrimitives.WriteInt32LittleEndian(destination[4..], data.Length);
        BinaryPrimitives.WriteInt64LittleEndian(destination[8..], offset);
        BinaryPrimitives.WriteInt64LittleEndian(destination[16..], time);
        BinaryPrimitives.WriteInt32LittleEndian(destination[24..], (int)kind);
        data.CopyTo(destination[HeaderSize..]);
        BinaryPrimitives.WriteUInt32LittleEndian(destination, Checksum(destination[4..(HeaderSize + data.Length)]));
        return HeaderSize + data.Length;
    }

    /// <summary>Writes a segment's head.</summary>
    /// <param name="destination">Room for <see cref="HeadSize"/>.</param>
    /// <param name="offset">Where the segment begins.</param>
    /// <param name="time">When its first byte was taken.</param>
    /// <param name="tails">By kind, the last bytes before it.</param>
    public static int WriteHead(Span<byte> destination, long offset, long time, ReadOnlySpan<Utf8Tail> tails)
    {
        Span<byte> data = stackalloc byte[HeadLength];
        data.Clear();
        for (var i = 0; i < tails.Length; i++)
        {
            var tail = tails[i];
            data[5 * i] = (byte)tail.Count;
            tail.TakeFirst(tail.Count, data[(5 * i + 1)..]);
        }

        return Write(destination, Head, offset, time, data);
    }

    /// <summary>Reads the record that some bytes begin with.</summary>
    /// <returns>False where none is whole there.</returns>
    public static bool TryRead(ReadOnlySpan<byte> source, out SpillRecord record)
    {
        record = default;
        if (source.Length < HeaderSize || BinaryPrimitives.ReadInt32LittleEndian(source[4..]) is var length && length is < 0 or > MaxLength || source.Length < HeaderSize + length)
            return false;
        var kind = (OutputKind)BinaryPrimitives.ReadInt32LittleEndian(source[24..]);
        record = new SpillRecord(kind, BinaryPrimitives.ReadInt64LittleEndian(source[8..]), BinaryPrimitives.ReadInt64LittleEndian(source[16..]), length);
        return Checksum(source[4..record.Size]) == BinaryPrimitives.ReadUInt32LittleEndian(source)
            && kind switch { Head => length == HeadLength, OutputKind.Out or OutputKind.Error => length > 0, _ => false };
    }

    /// <summary>What a segment's head says.</summary>
    public static void ReadTails(ReadOnlySpan<byte> data, Span<Utf8Tail> tails)
    {
        tails.Clear();
        for (var i = 0; i < tails.Length; i++)
            tails[i].Append(data.Slice(5 * i + 1, Math.Min((byte)4, data[5 * i])));
    }

    private static uint Checksum(ReadOnlySpan<byte> data)
    {
        // 0xFFFFFFFF: so that a stretch of zeros, as a crash may leave, has not zero.
        var sum = uint.MaxValue;
        for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..])
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(data));
        foreach (var b in data)
            sum = BitOperations.Crc32C(sum, b);
        return ~sum;
    }
}
