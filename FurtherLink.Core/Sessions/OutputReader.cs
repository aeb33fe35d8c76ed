using System.Runtime.CompilerServices;
using FurtherLink.Sessions.Logs;

namespace FurtherLink.Sessions;

/// <summary>
/// A cursor in a log. One thread at a time reads and disposes; <see cref="Release"/> and <see cref="Lossless"/> are for any thread.
/// Disposing detaches it.
/// </summary>
public sealed class OutputReader : IDisposable
{
    private readonly OutputLog _log;
    private readonly LogCursor _cursor;
    private long _seen; // the log's end when it began to wait
    private ReadSignal? _wait;
    private bool _waitsAsync;
    private bool _stallTold;
    private volatile bool _disposed;

    /// <summary>Called under the log's lock.</summary>
    internal OutputReader(OutputLog log, ReaderOptions options)
    {
        _log = log;
        Options = options;
        IsLosslessLocked = options.Lossless;
        _cursor = new LogCursor(log, this);
        Released = log.Options.Archive is null || options.MemoryOnly ? Math.Max(Position, log.Start) : Position;
    }

    /// <summary>How it reads.</summary>
    public ReaderOptions Options { get; }

    /// <summary>Where the next read begins.</summary>
    public long Position => _cursor.Position;

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

    /// <summary>Whether the program waits for it: not while it reads the archive, where what it needs is kept.</summary>
    internal bool HoldsLocked => IsLosslessLocked && !_cursor.IsInArchive;

    /// <summary>Its place in the log.</summary>
    internal LogCursor CursorLocked => _cursor;

    /// <summary>Below it the reader needs nothing any more.</summary>
    internal long Released { get; private set; }

    /// <summary>Whether it waits to be told of more.</summary>
    internal bool IsWaitingLocked { get; private set; }

    /// <summary>Whether it waits and there is enough more. A program that waits for room is not kept waiting for the rest of a batch.</summary>
    internal bool IsDueLocked => IsWaitingLocked && !_cursor.IsFetching && (_log.IsCompleted
        || (_seen < _log.End && (_log.End - Position >= Options.WakeAfter || _log.IsFlushWaitingLocked)));

    /// <summary>While a flush waits: when it last released something.</summary>
    internal long Moved { get; set; }

    /// <summary>While a flush waits: since when it waits for more.</summary>
    internal long Idle { get; set; }

    /// <summary>Takes the next piece.</summary>
    /// <param name="maxBytes">The most bytes of a piece, at least 1; for text one whole character is never too long.</param>
    /// <param name="chunk">The piece; its data is borrowed until the next read.</param>
    /// <returns>
    /// False where there is none now, or it has to be fetched from disk (below the log's <see cref="OutputLog.Start"/>): <see cref="ReaderOptions.OnOutput"/> is called once when there is more, maybe before this returns, on
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
            if (_cursor.HasEnded)
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
            offset = Math.Min(Math.Min(offset, Position), _log.End);
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
            _cursor.Dispose();
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
        bool taken;
        int flushes;
        lock (_log.Gate)
        {
            var held = HoldsLocked;
            taken = ReadLocked(maxBytes, waitsAsync, out chunk);
            if (!held || HoldsLocked)
                return taken;
            flushes = _log.TakeRoomLocked();
        }

        _log.EndFlushes(flushes);
        return taken;
    }

    private bool ReadLocked(int maxBytes, bool waitsAsync, out OutputChunk chunk)
    {
        _cursor.LetGo();
        chunk = default;
        if (_disposed || _cursor.HasEnded)
            return false;
        if (_cursor.TryTake(maxBytes, out chunk))
            return true;
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
