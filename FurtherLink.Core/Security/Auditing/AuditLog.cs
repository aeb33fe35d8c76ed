using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FurtherLink.Security.Auditing;

/// <summary>
/// Writes down who has connected, and what they have started and changed: to the log category "FurtherLink.Audit", and to a file where
/// <see cref="AccessOptions.AuditFile"/> names one. Nobody waits for the file: 4096 events may wait for the disk, of more it is said how many are missing.
/// Thread safe.
/// </summary>
public sealed partial class AuditLog : IAsyncDisposable
{
    /// <summary>The log's category.</summary>
    public const string Category = "FurtherLink.Audit";

    private const int MostWaiting = 4096;

    // What somebody unknown makes happen a minute: they must not be able to fill a disk, or to hide something among the lines.
    private const int UnknownPerMinute = 60;

    private const string UnknownMissing = "that nobody known has made happen";

    private readonly Lock _lock = new();
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Channel<(DateTimeOffset Time, AuditEvent Entry)>? _waiting;
    private readonly Task _writing = Task.CompletedTask;
    private PerMinute _unknown;
    private int _unknownMissing;
    private int _missing;

    /// <summary>Makes it.</summary>
    /// <param name="options">Where the file is.</param>
    /// <param name="time">The clock; null = the system's.</param>
    /// <param name="loggers">Where it logs; null = nowhere.</param>
    public AuditLog(IOptions<AccessOptions> options, TimeProvider? time = null, ILoggerFactory? loggers = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _time = time ?? TimeProvider.System;
        _unknown = PerMinute.Full(UnknownPerMinute, _time);
        _logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger(Category);
        if (options.Value.AuditFile is not { Length: > 0 } path)
            return;
        _waiting = Channel.CreateBounded<(DateTimeOffset, AuditEvent)>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
        _writing = WriteAsync(new AuditFile(Path.GetFullPath(path)), _waiting.Reader);
    }

    /// <summary>Writes an event down. Of those that nobody known has made happen, at most 60 a minute, and then how many are missing.</summary>
    public void Write(AuditEvent entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var missing = 0;
        if (entry.Id is null && entry.Who is null && !TakeUnknown(out missing))
            return;
        if (missing > 0)
            Keep(Omitted(missing, UnknownMissing));
        Keep(entry);
    }

    /// <summary>Ends it when all that was said has been written.</summary>
    public async ValueTask DisposeAsync()
    {
        int missing;
        lock (_lock)
            (missing, _unknownMissing) = (_unknownMissing, 0);
        if (missing > 0)
            Keep(Omitted(missing, UnknownMissing));
        _waiting?.Writer.TryComplete();
        await _writing.ConfigureAwait(false);
    }

    private void Keep(AuditEvent entry)
    {
        if (_logger.IsEnabled(LogLevel.Information))
            Log.Happened(_logger, AuditText.Line(entry));
        if (_waiting?.Writer.TryWrite((_time.GetUtcNow(), entry)) == false)
            Interlocked.Increment(ref _missing);
    }

    private bool TakeUnknown(out int missing)
    {
        missing = 0;
        lock (_lock)
        {
            if (!_unknown.TryTake(UnknownPerMinute, _time, out _unknown))
            {
                _unknownMissing++;
                return false;
            }

            (missing, _unknownMissing) = (_unknownMissing, 0);
            return true;
        }
    }

    private async Task WriteAsync(AuditFile file, ChannelReader<(DateTimeOffset Time, AuditEvent Entry)> waiting)
    {
        var lost = 0;
        while (await waiting.WaitToReadAsync().ConfigureAwait(false))
        {
            if (lost > 0)
                file.Add(_time.GetUtcNow(), Omitted(lost, "that could not be written"));
            var count = 0;
            for (; waiting.TryRead(out var item); count++)
                file.Add(item.Time, item.Entry);
            var missing = Interlocked.Exchange(ref _missing, 0);
            if (missing > 0)
                file.Add(_time.GetUtcNow(), Omitted(missing, "that came faster than the disk took them"));
            try
            {
                file.Flush();
                lost = 0;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Once, until it works again.
                if (lost == 0)
                    Log.NotWritten(_logger, e.Message);
                lost += count + missing;
            }
        }
    }

    private static AuditEvent Omitted(int count, string why) => new("omitted") { Why = string.Create(CultureInfo.InvariantCulture, $"{count} events {why}") };

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Event}")]
        public static partial void Happened(ILogger logger, string @event);

        [LoggerMessage(LogLevel.Error, "The audit log cannot be written, what happens is missing there: {Why}")]
        public static partial void NotWritten(ILogger logger, string why);
    }
}
