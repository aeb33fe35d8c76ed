using System.Threading.Channels;
using FurtherLink.Messages;
using FurtherLink.Sessions.Logs;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Sessions.Spills;

/// <summary>How much a session keeps on disk.</summary>
/// <param name="Capacity">Bytes at most; the oldest go first.</param>
/// <param name="SegmentSize">Bytes of a file, of which a whole one goes; at least 4 KiB.</param>
/// <param name="Retention">How old a byte may get.</param>
internal sealed record SpillOptions(long Capacity, int SegmentSize, TimeSpan Retention);

/// <summary>
/// Writes a session's output to disk before its log overwrites it: a lossless reader that works in batches, on the pool. Where the disk
/// takes no more it says so, lets the log overwrite, and tries again every minute; what was overwritten by then is missed.
/// </summary>
internal sealed partial class Spill : IAsyncDisposable
{
    private const int WakeAfter = 64 * 1024;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly string _path;
    private readonly OutputLog _log;
    private readonly SessionNotices _notices;
    private readonly SpillOptions _options;
    private readonly ILogger _logger;
    private readonly Action<Spill>? _ended;
    private readonly SpillFiles _files;
    private readonly SpillBatch _batch;
    private readonly Task _running;
    private OutputReader? _reader; // null while it is stopped, and behind the log's end
    private long _written; // the offset behind what is on disk
    private long _oldest = long.MaxValue; // the newest time of the oldest segment
    private long _retryAt = long.MaxValue; // while it is stopped
    private long _seenEnd;
    private bool _hasStopped; // and nothing was written since
    private volatile bool _disposed;
    private volatile string? _trouble;

    /// <summary>Begins.</summary>
    /// <param name="path">The session's directory, which is made when there is something to write.</param>
    /// <param name="log">Its log.</param>
    /// <param name="notices">Where it says that it has stopped.</param>
    /// <param name="options">Its bounds.</param>
    /// <param name="logger">Where it logs.</param>
    /// <param name="ended">Called once when it ends.</param>
    public Spill(string path, OutputLog log, SessionNotices notices, SpillOptions options, ILogger logger, Action<Spill>? ended = null)
    {
        _ended = ended;
        _path = path;
        _log = log;
        _notices = notices;
        _options = options;
        _logger = logger;
        _files = new SpillFiles(path, options.Capacity, options.SegmentSize);
        _batch = new SpillBatch(Math.Min(2 * WakeAfter, options.SegmentSize - SpillRecord.HeadSize));
        _written = log.Start;
        _reader = Attach();
        _signal.Writer.TryWrite(true);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Why it does not write, in words; null where it does.</summary>
    public string? Trouble => _trouble;

    /// <summary>Once a second: writes what rests, deletes what is too old, tries again. Must not wait.</summary>
    public void Tick()
    {
        var end = _log.End;
        var rests = end == _seenEnd && Volatile.Read(ref _reader) is { } reader && reader.Position < end;
        _seenEnd = end;
        if (rests || Volatile.Read(ref _oldest) < Cutoff || Volatile.Read(ref _retryAt) <= _log.Now)
            _signal.Writer.TryWrite(true);
    }

    /// <summary>Ends it and removes what is on disk.</summary>
    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        if (_signal.Writer.TryComplete())
            _ended?.Invoke(this);
        await _running.ConfigureAwait(false);
    }

    private long Cutoff => _log.Now - (long)_options.Retention.TotalMilliseconds;

    private OutputReader Attach() => _log.Attach(new ReaderOptions
    {
        From = _written,
        Timed = true,
        WakeAfter = WakeAfter,
        MemoryOnly = true,
        OnOutput = _ => _signal.Writer.TryWrite(true),
        OnStalled = LetGo,
    });

    // The disk has taken nothing for the stall timeout: the program goes on without it.
    private void LetGo(OutputReader reader)
    {
        const string Reason = "the disk takes nothing";
        _trouble = Reason;
        Log.Stalled(_logger, _path);
        _notices.Publish("spill", new SpillStopped(Reason), Delivery.Every);
        reader.Lossless = false;
    }

    private async Task RunAsync()
    {
        try
        {
            while (await _signal.Reader.WaitToReadAsync().ConfigureAwait(false))
            {
                _signal.Reader.TryRead(out _);
                await WorkAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            Detach();
            Remove();
        }
    }

    private async ValueTask WorkAsync()
    {
        try
        {
            _files.DeleteOlderThan(Cutoff);
            if (_retryAt <= _log.Now)
            {
                _retryAt = long.MaxValue;
                Volatile.Write(ref _reader, Attach());
            }

            while (WriteBatch() && !_disposed)
                await Task.Yield(); // others have their turn
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Stop(e);
        }

        Volatile.Write(ref _oldest, _files.Oldest ?? long.MaxValue);
    }

    // Returns whether there may be more.
    private bool WriteBatch()
    {
        if (_reader is not { } reader)
            return false;
        var hasEnded = false;
        while (!_batch.IsFull && !hasEnded && reader.TryRead(_batch.Room, out var chunk))
        {
            if (chunk.Missed > 0)
                SkipTo(chunk.Offset);
            hasEnded = chunk.Exit is not null;
            if (!hasEnded)
                _batch.Add(chunk);
        }

        var goesOn = _batch.Length > 0 && !hasEnded;
        Write();
        if (hasEnded)
            End();
        return goesOn;
    }

    // All is on disk: that is enough for those who come back.
    private void End()
    {
        Detach();
        if (_files.First <= _log.Start)
            _log.GiveMemoryBack();
    }

    private void Write()
    {
        if (_batch.Length == 0)
            return;
        _files.Append(_batch);
        _written = _batch.End;
        if (_hasStopped)
            Log.Resumed(_logger, _path);
        _hasStopped = false;
        _trouble = null;
        _batch.Clear(written: true);
        _reader!.Release(_written);
        if (_reader.Lossless)
            return;
        // It was let go of, and the disk is back: a new reader, of which the log tells anew when it stalls.
        Detach();
        _reader = Attach();
    }

    private void SkipTo(long offset)
    {
        Write();
        _files.Close();
        var tails = new Utf8Tail[2];
        lock (_log.Gate)
        {
            if (offset >= _log.Start)
                _log.LookBackLocked(offset, tails);
        }

        _batch.Begin(tails);
    }

    private void Stop(Exception exception)
    {
        Detach();
        _batch.Clear(written: false);
        Volatile.Write(ref _retryAt, _log.Now + (long)RetryAfter.TotalMilliseconds);
        _trouble = exception.Message;
        if (_hasStopped)
            return;
        _hasStopped = true;
        Log.Stopped(_logger, exception, _path, exception.Message);
        _notices.Publish("spill", new SpillStopped(exception.Message), Delivery.Every);
    }

    private void Detach()
    {
        _reader?.Dispose();
        Volatile.Write(ref _reader, null);
    }

    private void Remove()
    {
        try
        {
            _files.Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.RemoveFailed(_logger, e, _path);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Output cannot be kept on disk in {Path}: {Reason}. Make room there, or lower SpillCapacity; it is tried again every minute, and what leaves the memory meanwhile is lost")]
        public static partial void Stopped(ILogger logger, Exception exception, string path, string reason);

        [LoggerMessage(LogLevel.Information, "Output is kept on disk in {Path} again")]
        public static partial void Resumed(ILogger logger, string path);

        [LoggerMessage(LogLevel.Warning, "The disk takes no output in {Path}: the program goes on without it, and what leaves the memory meanwhile is lost")]
        public static partial void Stalled(ILogger logger, string path);

        [LoggerMessage(LogLevel.Warning, "Output on disk in {Path} cannot be removed")]
        public static partial void RemoveFailed(ILogger logger, Exception exception, string path);
    }
}
