using System.Runtime.CompilerServices;
using FurtherLink.Messages;
using FurtherLink.Sessions.Logs;

namespace FurtherLink.Sessions;

/// <summary>
/// A cursor in a log. One thread at a time reads and disposes; <see cref="Release"/> and <see cref="Lossless"/> are for any thread.
/// Disposing detaches it.
/// </summary>
public sealed class OutputReader : IDisposable
{
    private readonly OutputLog _log;
    private readonly CutCharacters? _cut; // of a text reader
    private long _position;
    private long _told; // where the last piece ended; the position may have moved on over what waits
    private long _number; // of the entry at the position, or of an earlier one
    private long _missed; // not yet told
    private long _time; // of what was taken last
    private long _seen; // the log's end when it began to wait
    private LogBlock? _held;
    private ArchiveCursor? _archive; // while it reads what has left the memory
    private bool _isInMemory; // it has been
    private bool _looksBack; // text: what waits at the position is still to be found
    private ReadSignal? _wait;
    private bool _waitsAsync;
    private bool _stallTold;
    private bool _ended;
    private volatile bool _disposed;

    /// <summary>Called under the log's lock.</summary>
    internal OutputReader(OutputLog log, ReaderOptions options)
    {
        _log = log;
        Options = options;
        IsLosslessLocked = options.Lossless;
        var from = Math.Max(0, options.From ?? log.End);
        _position = Math.Min(from, log.End);
        Released = log.Options.Archive is null ? Math.Max(_position, log.Start) : _position;
        _number = log.Entries.Find(_position);
        _told = _position;
        _isInMemory = _position >= log.Start;
        if (!options.Text)
            return;
        _cut = new CutCharacters();
        _looksBack = !_isInMemory;
        if (_looksBack)
            return;
        log.LookBackLocked(_position, _cut.Tails);
        // Behind the end of what has ended: one step for each cut character that was given out (see TakeEndLocked).
        while (log.IsCompleted && _position < from && _cut.TryTake(out _, out _))
            _position++;

        _told = _position;
    }

    /// <summary>How it reads.</summary>
    public ReaderOptions Options { get; }

    /// <summary>Where the next read begins.</summary>
    public long Position => Volatile.Read(ref _position);

    /// <summary>
    /// Whether the program waits for this reader. The log turns it off for one that trickles while others have waited for the stall
    /// timeout; then what it is too slow for is missed.
    /// </summary>
    public bool Lossless
    {
        get
        {
            lock (_log.Gate)
                return IsLosslessLocked;
        }

        set
        {
            int flushes;
            lock (_log.Gate)
            {
                IsLosslessLocked = value;
                if (HoldsLocked)
                    Released = Math.Max(Released, _log.Start);
                flushes = _log.TakeRoomLocked();
            }

            _log.EndFlushes(flushes);
        }
    }

    /// <summary><see cref="Lossless"/>, for the log.</summary>
    internal bool IsLosslessLocked { get; set; }

    /// <summary>
    /// Whether the program waits for it: where there is an archive, not before it has caught up with what is in memory, for what it may need is
    /// archived.
    /// </summary>
    internal bool HoldsLocked => IsLosslessLocked && (_log.Options.Archive is null || _position >= _log.Start);

    /// <summary>
    /// Whether it reads the archive where it is below the memory: one that is not lossless and has been in memory misses what it was too slow
    /// for, so as not to fall behind for good.
    /// </summary>
    internal bool ReadsArchiveLocked => _log.Options.Archive is not null && (IsLosslessLocked || !_isInMemory);

    /// <summary>Below it the reader needs nothing any more.</summary>
    internal long Released { get; private set; }

    /// <summary>Whether it waits to be told of more.</summary>
    internal bool IsWaitingLocked { get; private set; }

    /// <summary>Whether it waits and there is enough more. A program that waits for room is not kept waiting for the rest of a batch.</summary>
    internal bool IsDueLocked => IsWaitingLocked && _archive is not { IsFetching: true } && (_log.IsCompleted
        || (_seen < _log.End && (_log.End - _position >= Options.WakeAfter || _log.IsFlushWaitingLocked)));

    /// <summary>While a flush waits: when it last released something.</summary>
    internal long Moved { get; set; }

    /// <summary>While a flush waits: since when it waits for more.</summary>
    internal long Idle { get; set; }

    /// <summary>Takes the next piece.</summary>
    /// <param name="maxBytes">The most bytes of a piece, at least 1; for text less than 4 counts as 4, so that each character fits.</param>
    /// <param name="chunk">The piece; its data is borrowed until the next read.</param>
    /// <returns>
    /// False where there is none now: <see cref="ReaderOptions.OnOutput"/> is called once when there is more, maybe before this returns, on
    /// any thread (for text "more" may be half a character, and then it is false again). Also false after the last piece and after disposing,
    /// without a call.
    /// </returns>
    public bool TryRead(int maxBytes, out OutputChunk chunk) => Read(maxBytes, waitsAsync: false, out chunk);

    /// <summary>Waits for the next piece. Continues on the thread pool. Cancelling leaves everything as it was.</summary>
    /// <exception cref="InvalidOperationException">The last piece has been read.</exception>
    /// <exception cref="ObjectDisposedException">It is disposed, maybe while waiting.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<OutputChunk> ReadAsync(int maxBytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _wait ??= new ReadSignal();
        while (true)
        {
            if (Read(maxBytes, waitsAsync: true, out var chunk))
                return chunk;
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_ended)
                throw new InvalidOperationException("The log has been read to its end.");
            using (cancellationToken.UnsafeRegister(static state => ((OutputReader)state!).CancelWait(), this))
                await _wait.AsTask().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>
    /// Lets the log overwrite what lies below an offset, at most what was read. Makes room for the program; its writer may go on within this
    /// call. Any thread.
    /// </summary>
    public void Release(long offset)
    {
        int flushes;
        lock (_log.Gate)
        {
            offset = Math.Min(Math.Min(offset, _position), _log.End);
            if (offset <= Released)
                return;
            Released = offset;
            _log.Stall.MovedLocked(this);
            flushes = HoldsLocked ? _log.TakeRoomLocked() : 0;
        }

        _log.EndFlushes(flushes);
    }

    /// <summary>Detaches it: nothing waits for it any more. A callback that is under way may still arrive.</summary>
    public void Dispose()
    {
        int flushes;
        bool waited;
        lock (_log.Gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            waited = IsWaitingLocked;
            if (waited)
                DisarmLocked();
            if (_held is { } block)
            {
                // Somebody may still be at its data: then the block must not be filled again.
                block.IsAbandoned = true;
                _log.DropLocked(block);
                _held = null;
            }

            _archive?.Dispose();
            _log.DetachLocked(this);
            flushes = _log.TakeRoomLocked();
        }

        if (waited && _waitsAsync)
            _wait!.Set();
        _log.EndFlushes(flushes);
    }

    /// <summary>It waits no more.</summary>
    internal void DisarmLocked()
    {
        IsWaitingLocked = false;
        _log.Waker.Waiting--;
    }

    /// <summary>Tells it that there is more, after the lock; it was disarmed before.</summary>
    internal void Wake()
    {
        if (_waitsAsync)
            _wait!.Set();
        else if (!_disposed)
            Options.OnOutput?.Invoke(this);
    }

    /// <summary>Whether it is to be told that it stalls: once.</summary>
    internal bool TakeStallLocked() => !_stallTold && (_stallTold = true);

    private bool Read(int maxBytes, bool waitsAsync, out OutputChunk chunk)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 1);
        lock (_log.Gate)
        {
            if (_held is { } block)
                _log.DropLocked(block);
            _held = null;
            chunk = default;
            if (_disposed || _ended)
                return false;
            if (TakeLocked(Options.Text ? Math.Max(maxBytes, 4) : maxBytes, out chunk))
            {
                chunk = chunk with { Offset = _told + _missed, Missed = _missed };
                _told = chunk.Next;
                _missed = 0;
                return true;
            }

            if (!IsWaitingLocked)
                _log.Waker.Waiting++;
            IsWaitingLocked = true;
            _seen = _log.End;
            _log.Stall.IdleLocked(this);
            _waitsAsync = waitsAsync;
            if (waitsAsync)
                _wait!.Reset();
            return false;
        }
    }

    private bool TakeLocked(int maxBytes, out OutputChunk chunk)
    {
        var enough = Options.Timed ? 1 : maxBytes;
        while (_position < _log.Start)
        {
            var run = default(LogRun);
            var archive = ReadsArchiveLocked ? _archive ??= new ArchiveCursor(_log, this, _log.Options.Archive!) : null;
            if (archive?.TryFind(_position, enough, out run) == true)
            {
                LookBackLocked(archive);
                if (TakeRunLocked(run, maxBytes, out chunk))
                    return true;
                continue;
            }

            chunk = default;
            var next = archive?.Skip(_position) ?? _log.Start;
            if (next == _position)
                return false;
            // What waits for its rest lies before the hole and will not get it.
            if (TakeCutLocked(_position, out chunk))
                return true;
            _missed += next - _position;
            Volatile.Write(ref _position, next);
            _looksBack = _cut is not null;
        }

        LookBackLocked(null);
        _isInMemory = true;
        if (_archive is not null)
            EndArchiveLocked();
        while (_log.Entries.TryFind(ref _number, _position, enough, out var run))
        {
            var before = _position;
            if (TakeRunLocked(run, maxBytes, out chunk))
                return true;
            if (_position == before)
                break;
        }

        return TakeEndLocked(out chunk);
    }

    // What waits at the position, where it was not come to by reading.
    private void LookBackLocked(ArchiveCursor? archive)
    {
        if (!_looksBack)
            return;
        _looksBack = false;
        if (archive is null)
            _log.LookBackLocked(_position, _cut!.Tails);
        else
            _cut!.Set(archive.Tails);
    }

    private void EndArchiveLocked()
    {
        _archive?.Dispose();
        _archive = null;
        _number = _log.Entries.Find(_position);
    }

    private bool TakeRunLocked(in LogRun run, int maxBytes, out OutputChunk chunk)
    {
        chunk = default;
        _time = run.Time;
        if (_cut?.Has(run.Kind) == true)
        {
            var advance = _cut.Join(run.Kind, run.Data.Span, out var joined);
            chunk = Take(run.Kind, advance, joined);
            return !joined.IsEmpty;
        }

        var data = run.Data[..Math.Min(run.Data.Length, maxBytes)];
        var rest = _cut is null ? 0 : Utf8Tail.IncompleteAtEnd(data.Span);
        if (rest == data.Length)
        {
            if (run.IsLast && !_log.IsCompleted)
                return false; // its rest may come right behind it
            _cut!.Append(run.Kind, data.Span);
            Volatile.Write(ref _position, _position + rest);
            return false;
        }

        _held = run.Block;
        if (_held is not null)
            _held.References++;
        var whole = data[..^rest];
        if (rest > 0 && Utf8Tail.IncompleteAtEnd(whole.Span) > 0)
        {
            // That these bytes will never be a character, only the rest tells: who goes on behind must have seen it.
            _cut!.Append(run.Kind, data[^rest..].Span);
            rest = 0;
        }

        chunk = Take(run.Kind, data.Length - rest, whole);
        return true;
    }

    // Behind the last byte: what is cut short for good, then the exit. Each such piece takes the position one further, so that going on
    // from there gives none of them twice.
    private bool TakeEndLocked(out OutputChunk chunk)
    {
        chunk = default;
        if (_log.ExitLocked is not { } exit)
            return false;
        if (TakeCutLocked(_position + 1, out chunk))
            return true;
        chunk = new OutputChunk(OutputKind.Out, 0, _position, default, 0, exit) { Time = _log.ExitTimeLocked };
        _ended = true;
        return true;
    }

    private bool TakeCutLocked(long next, out OutputChunk chunk)
    {
        chunk = default;
        if (_cut?.TryTake(out var kind, out var data) != true)
            return false;
        chunk = Take(kind, next - _position, data);
        return true;
    }

    // Read puts in the offset and what was missed.
    private OutputChunk Take(OutputKind kind, long advance, ReadOnlyMemory<byte> data)
    {
        var next = _position + advance;
        Volatile.Write(ref _position, next);
        return new OutputChunk(kind, 0, next, data, 0, null) { Time = _time };
    }

    private void CancelWait()
    {
        lock (_log.Gate)
        {
            if (!IsWaitingLocked)
                return;
            DisarmLocked();
        }

        _wait!.Set();
    }
}
