using System.Buffers;
using FurtherLink.Sessions.Logs;

namespace FurtherLink.Sessions.Spills;

/// <summary>Records that are written at once. Its memory is its own only while it holds some.</summary>
/// <param name="size">Bytes that it may hold, at least 1 KiB.</param>
internal sealed class SpillBatch(int size)
{
    private readonly Utf8Tail[] _before = new Utf8Tail[2];
    private readonly Utf8Tail[] _after = new Utf8Tail[2];
    private byte[] _bytes = [];

    /// <summary>Bytes that it holds.</summary>
    public int Length { get; private set; }

    /// <summary>The offset it begins at.</summary>
    public long Offset { get; private set; }

    /// <summary>The offset behind its last byte.</summary>
    public long End { get; private set; }

    /// <summary>When the newest of its bytes was taken, in milliseconds since the Unix epoch.</summary>
    public long Newest { get; private set; }

    /// <summary>Its records.</summary>
    public ReadOnlySpan<byte> Records => _bytes.AsSpan(0, Length);

    /// <summary>By kind, the last bytes before it.</summary>
    public ReadOnlySpan<Utf8Tail> Tails => _before;

    /// <summary>Whether less than a quarter of it is left: no place for crumbs.</summary>
    public bool IsFull => size - Length < size / 4;

    /// <summary>The most data that another record may have.</summary>
    public int Room => Math.Min(size - Length - SpillRecord.HeaderSize, SpillRecord.MaxLength);

    /// <summary>What is added first does not follow on what was cleared last. It must be empty.</summary>
    /// <param name="tails">By kind, the last bytes before it.</param>
    public void Begin(ReadOnlySpan<Utf8Tail> tails)
    {
        tails.CopyTo(_before);
        tails.CopyTo(_after);
    }

    /// <summary>Adds a chunk for which there is room.</summary>
    public void Add(in OutputChunk chunk)
    {
        if (Length == 0)
        {
            Offset = chunk.Offset;
            _bytes = ArrayPool<byte>.Shared.Rent(size);
        }

        Length += SpillRecord.Write(_bytes.AsSpan(Length), chunk.Kind, chunk.Offset, chunk.Time, chunk.Data.Span);
        End = chunk.Next;
        Newest = chunk.Time;
        _after[OutputLog.Index(chunk.Kind)].Append(chunk.Data.Span);
    }

    /// <summary>Empties it.</summary>
    /// <param name="written">Whether what comes follows on what it held, or is that once more.</param>
    public void Clear(bool written)
    {
        if (Length == 0)
            return;
        if (written)
            _after.CopyTo(_before, 0);
        else
            _before.CopyTo(_after, 0);
        Length = 0;
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
    }
}
