using System.IO.Pipelines;
using FurtherLink.Messages;
using FurtherLink.Sessions.Logs;

namespace FurtherLink.Sessions;

/// <summary>
/// A bounded log of a program's output, addressed by absolute 64-bit byte offsets that count both streams in the order of their
/// flushes. Any number of readers, each with its own place. Thread safe.
/// </summary>
/// <remarks>
/// The oldest bytes are overwritten as new ones come; while a lossless reader has not released them, the log is full instead and the
/// writers' flushes wait. The lock covers where bytes are, never a copy of them.
/// </remarks>
public sealed class OutputLog : IDisposable
{
    /// <summary>What an entry costs beside its bytes.</summary>
    internal const int EntryCost = 40;

    // Below it a block of 64 KiB would be too large a part of the whole.
    private const int LargeBlocksFrom = 4 * LogBlockPool.LargeSize;

    private readonly LogWriter[] _writers;
    private readonly Utf8Tail[] _evicted = new Utf8Tail[2]; // the bytes right before _start, by kind
    private long _start;
    private long _end;
    private long _overhead; // of all entries ever
    private long _blockBytes;
    private long _exitTime;
    private ExitStatus? _exit;
    private bool _isArchived;
    private bool _disposed;

    /// <summary>Makes an empty log.</summary>
    public OutputLog(LogOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        _start = _end = options.Start;
        Waker = new LogWaker(this);
        Stall = new LogStall(this);
        _writers = [new LogWriter(this, OutputKind.Out), new LogWriter(this, OutputKind.Error)];
    }

    /// <summary>The options it was made with.</summary>
    public LogOptions Options { get; }

    /// <summary>The oldest offset still kept. A snapshot.</summary>
    public long Start => Volatile.Read(ref _start);

    /// <summary>The offset behind the newest byte. A snapshot.</summary>
    public long End => Volatile.Read(ref _end);

    /// <summary>Whether <see cref="Complete"/> was called: nothing more will come.</summary>
    public bool IsCompleted { get; private set; }

    /// <summary>Bytes of memory it holds: all of its blocks, and the table of what is where. A snapshot.</summary>
    public long RetainedBytes
    {
        get
        {
            lock (Gate)
                return _blockBytes + Entries.Size;
        }
    }

    /// <summary>
    /// What comes next has a later offset: what lies between is missed by all readers, and what was there is let go. For a log that mirrors
    /// another one.
    /// </summary>
    internal void SkipTo(long offset)
    {
        OutputReader? reader;
        lock (Gate)
        {
            if (offset <= _end)
                return;
            EvictLocked(long.MaxValue, 0);
            Array.Clear(_evicted);
            Volatile.Write(ref _end, offset);
            Volatile.Write(ref _start, offset);
            reader = Waker.TakeLocked();
        }

        reader?.Wake();
    }

    /// <summary>Guards everything but the bytes.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>Where the bytes are.</summary>
    internal LogEntries Entries { get; } = new();

    /// <summary>Who reads.</summary>
    internal List<OutputReader> Readers { get; } = [];

    /// <summary>Wakes who waits for more.</summary>
    internal LogWaker Waker { get; }

    /// <summary>Watches who holds up the program.</summary>
    internal LogStall Stall { get; }

    /// <summary>Called when readers may need less than before; any thread, it must neither wait nor throw. Null = nobody wants to know.</summary>
    internal Action? OnRoom { get; set; }

    /// <summary>The lowest offset that a lossless reader still needs, or the end.</summary>
    internal long Floor
    {
        get
        {
            lock (Gate)
                return Math.Min(FloorLocked(), _end);
        }
    }

    /// <summary>How the program ended; null while it runs.</summary>
    internal ExitStatus? ExitLocked => _exit;

    /// <summary>When it ended.</summary>
    internal long ExitTimeLocked => _exitTime;

    /// <summary>Whether a writer waits for room.</summary>
    internal bool IsFlushWaitingLocked => _writers[0].IsWaiting || _writers[1].IsWaiting;

    /// <summary>The time for what is taken now, in milliseconds since the Unix epoch.</summary>
    internal long Now => Options.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The writer of one stream, the same one each time; used by one thread at a time.</summary>
    /// <remarks>
    /// It hands out the log's own memory. What was advanced is seen by readers after the flush. A flush completes at once, unless the log
    /// is full: then when half of it is free, when nobody holds it any more, or, with <see cref="FlushResult.IsCompleted"/>, at the log's
    /// end. What it continues with runs on the thread that made room and must not wait. While a flush waits, another one takes its bytes,
    /// above the capacity if need be, and completes at once: what a kernel still has when a program ends. After the log's end what is
    /// written is dropped.
    /// </remarks>
    public PipeWriter GetWriter(OutputKind kind) => _writers[Index(kind)];

    /// <summary>
    /// Ends the log: readers get the rest and then a last piece with the status. What is not flushed by then is dropped. Only the first call
    /// counts.
    /// </summary>
    public void Complete(ExitStatus status)
    {
        int flushes;
        OutputReader? reader;
        lock (Gate)
        {
            if (IsCompleted)
                return;
            IsCompleted = true;
            _exit = status;
            _exitTime = Now;
            flushes = TakeFlushesLocked();
            Stall.EndLocked();
            reader = Waker.TakeLocked();
        }

        EndFlushes(flushes);
        reader?.Wake();
    }

    /// <summary>
    /// Attaches a reader. What is overwritten already is reported as missed by its first piece. An offset below 0 counts as 0, one behind the
    /// end as the end.
    /// </summary>
    public OutputReader Attach(ReaderOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        lock (Gate)
        {
            var reader = new OutputReader(this, options);
            Readers.Add(reader);
            return reader;
        }
    }

    /// <summary>
    /// Gives the memory back, as soon as the last reader is gone and the writers are completed. A log that was not completed ends as killed. Attaching still works: all is
    /// missed then.
    /// </summary>
    public void Dispose()
    {
        Complete(new ExitStatus(-9) { Reason = "The session was removed." });
        lock (Gate)
        {
            _disposed = true;
            ClearLocked();
        }
    }

    /// <summary>All of it is archived, and nothing will come: the memory is given back as soon as nobody reads.</summary>
    internal void GiveMemoryBack()
    {
        lock (Gate)
        {
            _isArchived = true;
            ClearLocked();
        }
    }

    /// <summary>The place of a kind in what is kept by kind.</summary>
    internal static int Index(OutputKind kind) =>
        kind is OutputKind.Out or OutputKind.Error ? (int)kind - 1 : throw new ArgumentOutOfRangeException(nameof(kind), kind, "Out or Error.");

    /// <summary>Takes in bytes that lie in a block already.</summary>
    internal void AppendLocked(LogBlock block, int start, int length, long? stated)
    {
        // A clock that was set back begins anew, too; what was stated has been stepped already.
        var time = stated ?? Now;
        var step = stated is null ? LogOptions.TimeStep : 1;
        if (Entries.Next > Entries.First && LastLocked is var last && last.Block == block && last.Start + last.Length == start
            && (ulong)(time - last.Time) < (ulong)step)
        {
            LastLocked.Length += length;
        }
        else
        {
            Entries.Add(new LogEntry { Block = block, Offset = _end, OverheadBefore = _overhead, Time = time, Start = start, Length = length });
            _overhead += EntryCost;
            block.References++;
        }

        Volatile.Write(ref _end, _end + length);
        Options.Metrics?.Printed(block.Kind, length);
        if (IsFullLocked())
            EvictLocked(FloorLocked(), Options.Capacity);
    }

    /// <summary>Counts bytes of a block that nothing is put in as used.</summary>
    internal void SkipLocked(int bytes)
    {
        _overhead += bytes;
        // Or a flush that brings nothing new would wait for a reader that has released what it has.
        if (IsFullLocked())
            EvictLocked(FloorLocked(), Options.Capacity);
    }

    /// <summary>Takes a block from the pool, with one reference.</summary>
    /// <param name="kind">The stream that fills it.</param>
    /// <param name="before">The size of that stream's block before it, which the size grows with; 0 = it is the first.</param>
    /// <param name="atLeast">The least size.</param>
    internal LogBlock RentLocked(OutputKind kind, int before, int atLeast)
    {
        var size = before switch
        {
            _ when Options.Capacity < LargeBlocksFrom => LogBlockPool.SmallSize,
            0 => LogBlockPool.FirstSize,
            <= LogBlockPool.FirstSize => LogBlockPool.SmallSize,
            _ => LogBlockPool.LargeSize,
        };
        var block = Options.Pool.Rent(Math.Max(size, atLeast));
        block.Kind = kind;
        block.References = 1;
        _blockBytes += block.Bytes.Length;
        return block;
    }

    /// <summary>Drops a reference to a block.</summary>
    internal void DropLocked(LogBlock block)
    {
        if (--block.References > 0)
            return;
        _blockBytes -= block.Bytes.Length;
        Options.Pool.Return(block);
    }

    /// <summary>Whether a writer has to wait.</summary>
    internal bool IsFullLocked() => UsedLocked > Options.Capacity;

    /// <summary>Whether what lies from an offset on leaves half of the log free.</summary>
    internal bool HasRoomLocked(long from) => CostLocked(from) <= Options.Capacity / 2;

    /// <summary>
    /// Somebody needs less: lets go of what is above the capacity, and takes the flushes that have room now, for <see cref="EndFlushes"/>.
    /// </summary>
    internal int TakeRoomLocked()
    {
        var waiting = IsFlushWaitingLocked;
        if (!waiting && !IsFullLocked())
            return 0;
        var floor = FloorLocked();
        EvictLocked(floor, Options.Capacity);
        return waiting && HasRoomLocked(floor) ? TakeFlushesLocked() : 0;
    }

    /// <summary>Lets writers go on, after the lock.</summary>
    internal void EndFlushes(int flushes)
    {
        if ((flushes & 1) != 0)
            _writers[0].EndFlush();
        if ((flushes & 2) != 0)
            _writers[1].EndFlush();
        OnRoom?.Invoke();
    }

    /// <summary>Takes a reader out.</summary>
    internal void DetachLocked(OutputReader reader)
    {
        Readers.Remove(reader);
        ClearLocked();
    }

    /// <summary>
    /// What waits at an offset: of each kind the bytes before it that are a character cut short. So a text reader can go on anywhere.
    /// </summary>
    internal void LookBackLocked(long offset, Utf8Tail[] cut)
    {
        Array.Clear(cut);
        if (Entries.Next > Entries.First)
        {
            for (var number = Entries.Find(offset); number >= Entries.First && (cut[0].Count < 3 || cut[1].Count < 3); number--)
            {
                ref var entry = ref Entries[number];
                if (offset > entry.Offset)
                    cut[Index(entry.Block.Kind)].Prepend(entry.Bytes[..(int)Math.Min(entry.Length, offset - entry.Offset)]);
            }
        }

        for (var i = 0; i < cut.Length; i++)
        {
            cut[i].Prepend(_evicted[i]);
            cut[i].KeepLast(cut[i].Incomplete);
        }
    }

    private ref LogEntry LastLocked => ref Entries[Entries.Next - 1];

    private long UsedLocked =>
        Entries.Next == Entries.First ? 0 : _end - _start + _overhead - Entries[Entries.First].OverheadBefore;

    // The lowest offset that a lossless reader still needs.
    private long FloorLocked()
    {
        var floor = long.MaxValue;
        foreach (var reader in Readers)
        {
            if (reader.HoldsLocked && reader.Released < floor)
                floor = reader.Released;
        }

        return floor;
    }

    // What lies from an offset on: its bytes, and what its entries cost beside them.
    private long CostLocked(long from) =>
        from >= _end ? 0 : _end - from + _overhead - Entries[Entries.Find(from)].OverheadBefore;

    private void EvictLocked(long floor, long target)
    {
        while (UsedLocked - target is > 0 and var excess)
        {
            ref var oldest = ref Entries[Entries.First];
            // The floor may lie far below, at what is archived.
            var count = (int)Math.Min(Math.Min(oldest.Length, excess), Math.Max(0, floor - oldest.Offset));
            if (count == 0)
                return;
            _evicted[Index(oldest.Block.Kind)].Append(oldest.Bytes[..count]);
            Volatile.Write(ref _start, _start + count);
            if (count == oldest.Length)
            {
                DropLocked(oldest.Block);
                Entries.RemoveFirst();
            }
            else
            {
                oldest.Offset += count;
                oldest.Start += count;
                oldest.Length -= count;
            }
        }
    }

    private void ClearLocked()
    {
        if ((_disposed || _isArchived) && Readers.Count == 0)
            EvictLocked(long.MaxValue, 0);
    }

    private int TakeFlushesLocked() =>
        (_writers[0].TakeWaitingLocked() ? 1 : 0) | (_writers[1].TakeWaitingLocked() ? 2 : 0);
}
