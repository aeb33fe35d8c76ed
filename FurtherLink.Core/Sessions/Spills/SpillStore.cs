using FurtherLink.Sessions.Logs;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Sessions.Spills;

/// <summary>The output that the sessions of a table keep on disk. Thread safe.</summary>
internal sealed partial class SpillStore
{
    // 8 MiB: of the oldest that much goes at once, or an eighth of a capacity that is smaller.
    private const long MaxSegment = 8 * 1024 * 1024;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly HashSet<Spill> _spills = [];
    private readonly string _root;
    private readonly SpillOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private ITimer? _timer;

    /// <summary>Makes one.</summary>
    /// <param name="root">Where the sessions' directories are; it need not exist.</param>
    /// <param name="capacity">Bytes for each session.</param>
    /// <param name="retention">How old a byte may get.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it logs.</param>
    public SpillStore(string root, long capacity, TimeSpan retention, TimeProvider time, ILogger logger)
    {
        _root = Path.GetFullPath(root);
        _options = new SpillOptions(capacity, (int)Math.Min(MaxSegment, capacity / 8), retention);
        _time = time;
        _logger = logger;
    }

    /// <summary>Makes the one that the settings ask for; null where they ask for none.</summary>
    /// <exception cref="ArgumentException">They do not say where.</exception>
    public static SpillStore? Create(LinkOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        if (options.SpillCapacity == 0)
            return null;
        if (string.IsNullOrEmpty(options.SpillDirectory))
            throw new ArgumentException("SpillCapacity is set, and SpillDirectory does not say where; set it, or SpillCapacity to 0.", nameof(options));
        return new SpillStore(options.SpillDirectory, options.SpillCapacity, options.SpillRetention, time, loggers.CreateLogger("FurtherLink.Sessions.Spills"));
    }

    /// <summary>Whether anything of a session was written after a time, by whatever process.</summary>
    public bool HasWritten(string id, DateTimeOffset after)
    {
        var path = Path.Combine(_root, id);
        return SpillDirectory.Segments(path).Any(offset => new FileInfo(SpillDirectory.File(path, offset)) is { Exists: true, Length: > 0 } file && file.LastWriteTimeUtc > after.UtcDateTime);
    }

    /// <summary>A session's output on disk, to be read.</summary>
    /// <param name="id">The session's.</param>
    /// <param name="isWrittenElsewhere">Whether another process writes it, maybe a little behind the log that reads.</param>
    public IOutputArchive ArchiveOf(string id, bool isWrittenElsewhere = false) => new SpillArchive(Path.Combine(_root, id), isWrittenElsewhere, _logger);

    /// <summary>Keeps a session's output on disk from now on, until what this gives back is disposed.</summary>
    public Spill Follow(string id, OutputLog log, SessionNotices notices)
    {
        var spill = new Spill(Path.Combine(_root, id), log, notices, _options, _logger, Forget);
        lock (_lock)
        {
            _spills.Add(spill);
            _timer ??= _time.CreateTimer(static state => ((SpillStore)state!).Tick(), this, Interval, Interval);
        }

        return spill;
    }

    /// <summary>Removes what a crash has left, of this process or another. Waits for the disk.</summary>
    public void Sweep()
    {
        try
        {
            if (SpillDirectory.Sweep(_root) is > 0 and var count)
                Log.Swept(_logger, count, _root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.SweepFailed(_logger, e, _root);
        }
    }

    private void Forget(Spill spill)
    {
        lock (_lock)
        {
            _spills.Remove(spill);
            if (_spills.Count > 0)
                return;
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void Tick()
    {
        Spill[] spills;
        lock (_lock)
            spills = [.. _spills];
        foreach (var spill in spills)
            spill.Tick();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Output of {Count} sessions that a crash had left in {Path} was removed")]
        public static partial void Swept(ILogger logger, int count, string path);

        [LoggerMessage(LogLevel.Warning, "What a crash has left in {Path} cannot be removed")]
        public static partial void SweepFailed(ILogger logger, Exception exception, string path);
    }
}
