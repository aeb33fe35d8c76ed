using System.Numerics;

namespace FurtherLink.Sessions.Logs;

/// <summary>A run of bytes of one stream, contiguous in a block and in the log. Only the newest may grow; only the oldest shrinks.</summary>
internal struct LogEntry
{
    /// <summary>Where the bytes are; it also says of which stream they are.</summary>
    public LogBlock Block;

    /// <summary>The first byte's offset in the log.</summary>
    public long Offset;

    /// <summary>What all entries before it have cost beside their bytes, since the log's beginning.</summary>
    public long OverheadBefore;

    /// <summary>The first byte's place in the block.</summary>
    public int Start;

    /// <summary>How many bytes.</summary>
    public int Length;

    /// <summary>The offset behind its last byte.</summary>
    public readonly long End => Offset + Length;

    /// <summary>Its bytes.</summary>
    public readonly ReadOnlySpan<byte> Bytes => Block.Bytes.AsSpan(Start, Length);
}

/// <summary>The entries of a log, oldest first, in a ring; each has a number that stays its own. Guarded by the log's lock.</summary>
internal sealed class LogEntries
{
    private LogEntry[] _ring = new LogEntry[8];

    /// <summary>The oldest entry's number.</summary>
    public long First { get; private set; }

    /// <summary>The number that the next entry will have.</summary>
    public long Next { get; private set; }

    /// <summary>Bytes of memory that the ring takes, at 32 for each entry.</summary>
    public long Size => _ring.Length * 32L;

    /// <summary>The entry of a number from <see cref="First"/> to below <see cref="Next"/>; valid until one is added.</summary>
    public ref LogEntry this[long number] => ref _ring[number & (_ring.Length - 1)];

    /// <summary>Adds the newest.</summary>
    public void Add(LogEntry entry)
    {
        if (Next - First == _ring.Length)
            Grow();
        this[Next++] = entry;
    }

    /// <summary>Takes the oldest away.</summary>
    public void RemoveFirst() => this[First++] = default;

    /// <summary>The number of the entry that holds an offset, or of the newest one where the offset lies behind it.</summary>
    public long Find(long offset)
    {
        var low = First;
        var high = Next - 1;
        while (low < high)
        {
            var middle = high - ((high - low) / 2);
            if (this[middle].Offset <= offset)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }

    private void Grow()
    {
        var larger = new LogEntry[BitOperations.RoundUpToPowerOf2((uint)_ring.Length + 1)];
        for (var number = First; number < Next; number++)
            larger[number & (larger.Length - 1)] = this[number];
        _ring = larger;
    }
}
