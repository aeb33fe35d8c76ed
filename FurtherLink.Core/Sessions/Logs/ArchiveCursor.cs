namespace FurtherLink.Sessions.Logs;

/// <summary>
/// A reader's place below what its log has in memory: fetches stretches of the archive on the pool, one at a time, and wakes the reader
/// when one is there. Its members are called under the log's lock.
/// </summary>
internal sealed class ArchiveCursor(OutputLog log, OutputReader reader, IOutputArchive archive) : IThreadPoolWorkItem
{
    // 5 s in all: a spill writes what rests within 2 s, and a slow disk has some more.
    private const int MaxAttempts = 50;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(0.1);

    private readonly ArchivePieces _pieces = new();
    private readonly IArchiveReader _source = archive.Open();
    private int _index;
    private long _from = -1; // where the last stretch was asked for
    private long _startThen; // the log's start at that time
    private int _attempts;
    private ITimer? _retry;
    private bool _disposed;

    /// <summary>Whether a stretch is under way.</summary>
    public bool IsFetching { get; private set; }

    /// <summary>By kind, what lies before the first piece of the stretch and may wait for its rest.</summary>
    public ReadOnlySpan<Utf8Tail> Tails => _pieces.Tails;

    /// <summary>Finds the bytes at an offset in the stretch that is there; they are borrowed until the next <see cref="Skip"/>.</summary>
    /// <param name="offset">The offset.</param>
    /// <param name="enough">With fewer bytes, pieces that are apart only by their times are joined.</param>
    /// <param name="run">The bytes.</param>
    public bool TryFind(long offset, int enough, out LogRun run)
    {
        run = default;
        return !IsFetching && _pieces.TryFind(ref _index, offset, enough, out run);
    }

    /// <summary>Fetches the stretch at an offset that was not found, unless that was done.</summary>
    /// <returns>The offset itself while it is under way; else, as nothing is there, the one where reading goes on.</returns>
    public long Skip(long offset)
    {
        // What lay behind the log's start when the stretch was asked for may have been archived since.
        if (!IsFetching && _from == offset)
            return Math.Min(_index < _pieces.Count ? _pieces[_index].Offset : long.MaxValue, _startThen);
        if (!IsFetching)
        {
            IsFetching = true;
            _from = offset;
            _attempts = 0;
            _startThen = log.Start;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        return offset;
    }

    /// <summary>Lets go of the archive. Memory that a reader was given stays as it is.</summary>
    public void Dispose()
    {
        _disposed = true;
        if (!IsFetching)
            End();
    }

    private void End()
    {
        _retry?.Dispose();
        _source.Dispose();
    }

    void IThreadPoolWorkItem.Execute()
    {
        _pieces.Clear();
        _source.Read(_from, _pieces);
        bool wakes;
        lock (log.Gate)
        {
            if (_pieces.Count == 0 && archive.MayFollow && !_disposed && ++_attempts < MaxAttempts)
            {
                _retry ??= log.Options.Time.CreateTimer(
                    static state => ThreadPool.UnsafeQueueUserWorkItem((ArchiveCursor)state!, preferLocal: false), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _retry.Change(RetryAfter, Timeout.InfiniteTimeSpan);
                return;
            }

            IsFetching = false;
            _index = 0;
            if (_disposed)
                End();
            wakes = !_disposed && reader.IsWaitingLocked;
            if (wakes)
                reader.DisarmLocked();
        }

        if (wakes)
            reader.Wake();
    }
}
