using System.Numerics;
using FurtherLink.Messages;

namespace FurtherLink.Sessions.Logs;

/// <summary>A run of bytes of one stream, contiguous in a block and in the log, taken within <see cref="LogOptions.TimeStep"/>. Only the newest may grow; only the oldest shrinks.</summary>
internal struct LogEntry
{
    /// <summary>Where the bytes are; it also says of which stream they are.</summary>
    public LogBlock Block;

    /// <summary>The first byte's offset in the log.</summary>
    public long Offset;

    /// <summary>What all entries before it have cost beside their bytes, since the log's beginning.</summary>
    public long OverheadBefore;

    /// <summary>When its first byte was taken, in milliseconds since the Unix epoch.</summary>
    public long Time;

    /// <summary>The first byte's place in the block.</summary>
    public int Start;

    /// <summary>How many bytes.</summary>
    public int Length;

    /// <summary>The offset behind its last byte.</summary>
    public readonly long End => Offset + Length;

    /// <summary>Its bytes.</summary>
    public readonly ReadOnlySpan<byte> Bytes => Block.Bytes.AsSpan(Start, Length);
}

/// <summary>Bytes that a reader can take from.</summary>
/// <param name="Kind">The stream.</param>
/// <param name="Block">Where they are; null = in a reader's own memory.</param>
/// <param name="Data">The bytes.</param>
/// <param name="Time">The time of the entry that has the first of them.</param>
/// <param name="IsLast">Whether they reach to the end of what there is.</param>
internal readonly record struct LogRun(OutputKind Kind, LogBlock? Block, ReadOnlyMemory<byte> Data, long Time, bool IsLast);

/// <summary>The entries of a log, oldest first, in a ring; each has a number that stays its own. Guarded by the log's lock.</summary>
internal sealed class LogEntries
{
    private LogEntry[] _ring = new LogEntry[2];

    /// <summary>The oldest entry's number.</summary>
    public long First { get; private set; }

    /// <summary>The number that the next entry will have.</summary>
    public long Next { get; private set; }

    /// <summary>Bytes of memory that the ring takes, at 40 for each entry.</summary>
    public long Size => _ring.Length * 40L;

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

    /// <summary>Finds the bytes at an offset.</summary>
    /// <param name="number">An entry that does not lie behind them; then theirs.</param>
    /// <param name="offset">The offset; nothing older may be asked for than there is.</param>
    /// <param name="enough">With fewer bytes, entries that are apart only by their times are joined.</param>
    /// <param name="run">The bytes.</param>
    /// <returns>False where there are none.</returns>
    public bool TryFind(ref long number, long offset, int enough, out LogRun run)
    {
        run = default;
        for (number = Math.Max(number, First); number < Next; number++)
        {
            ref var entry = ref this[number];
            if (offset >= entry.End)
            {
                if (number + 1 == Next)
                    return false; // it may grow
                continue;
            }

            var skip = (int)(offset - entry.Offset);
            var length = entry.Length;
            var last = number + 1;
            while (length - skip < enough && last < Next && this[last] is var next && next.Block == entry.Block && next.Start == entry.Start + length)
            {
                length += next.Length;
                last++;
            }

            run = new LogRun(entry.Block.Kind, entry.Block, entry.Block.Bytes.AsMemory(entry.Start + skip, length - skip), entry.Time, last == Next);
            return true;
        }

        return false;
    }

    private void Grow()
    {
        var larger = new LogEntry[BitOperations.RoundUpToPowerOf2((uint)_ring.Length + 1)];
        for (var number = First; number < Next; number++)
            larger[number & (larger.Length - 1)] = this[number];
        _ring = larger;
    }
}
