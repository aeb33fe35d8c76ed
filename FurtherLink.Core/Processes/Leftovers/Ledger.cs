using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FurtherLink.Processes.Leftovers;

/// <summary>
/// What this process has made for a while: temporary files, sockets, programs. Each is written down on disk before it is made and crossed off when it
/// is gone, so that the next process, or one beside it, can <see cref="SweepAsync">sweep</see> what a crash has left. Thread safe.
/// </summary>
/// <remarks>
/// Each process has a directory of its own in <see cref="LinkOptions.LedgerDirectory"/>, which it holds as long as it lives, with a small file for each
/// thing. Where nothing can be written there, nothing is written down and everything else goes on.
/// </remarks>
public sealed partial class Ledger : IDisposable
{
    private const int Attempts = 3;

    private readonly Lock _lock = new();
    private readonly string? _root;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private HeldDirectory? _directory;
    private bool _closed;
    private long _last;

    /// <summary>Makes one that has written down nothing yet.</summary>
    /// <param name="root">Where the directories of processes are, see <see cref="LinkOptions.LedgerDirectory"/>; null or empty = nowhere.</param>
    /// <param name="time">The clock; null = the system's.</param>
    /// <param name="logger">Where it logs; null = nowhere.</param>
    internal Ledger(string? root, TimeProvider? time = null, ILogger? logger = null)
    {
        _root = string.IsNullOrEmpty(root) ? null : Path.GetFullPath(root);
        _time = time ?? TimeProvider.System;
        _logger = logger ?? NullLogger.Instance;
    }

    /// <summary>Writes down a file or directory that is about to be made. Its name must be one that nobody else can have chosen, such as a random one.</summary>
    /// <param name="path">Where; its directory need not exist.</param>
    /// <returns>Disposed once it is removed, or has become something that stays.</returns>
    public IDisposable Note(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Write(new LedgerRecord { Path = Real(path) });
    }

    /// <summary>Writes down something random of name, and how many empty directories above it were made for it.</summary>
    internal IDisposable Note(string path, int above) => Write(new LedgerRecord { Path = path, Above = above });

    /// <summary>Writes down a file that is made at once, by a name that others may choose as well.</summary>
    internal IDisposable NoteFile(string path, uint owner) =>
        Write(new LedgerRecord { Path = Real(path), Owner = owner, Born = _time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0 });

    /// <summary>Writes down a control group that is about to be made.</summary>
    internal IDisposable NoteGroup(string path) => Write(new LedgerRecord { Group = path });

    /// <summary>Writes down programs that are about to be started.</summary>
    internal IDisposable NotePrograms(ulong family, int session) => Write(new LedgerRecord { Family = family, Session = session });

    /// <summary>
    /// Ends the programs and removes the things that processes have left which are no more. What those have that live stays, and what cannot be
    /// removed is tried again the next time.
    /// </summary>
    /// <returns>How many processes had left something.</returns>
    public async Task<int> SweepAsync(CancellationToken cancellationToken = default)
    {
        if (_root is null || !OperatingSystem.IsLinux())
            return 0;
        // Off the caller's thread: it waits for disks.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var count = 0;
        try
        {
            foreach (var directory in HeldDirectory.TakeAbandoned(_root))
            {
                using (directory)
                {
                    if (await new LedgerSweep(directory, _time, _logger).RunAsync(cancellationToken).ConfigureAwait(false))
                        count++;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.SweepFailed(_logger, e, _root);
        }

        return count;
    }

    /// <summary>Lets go of it, once everything is crossed off; what is not is left to the next sweep.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_closed)
                return;
            _closed = true;
            try
            {
                _directory?.Remove();
            }
            catch (IOException)
            {
                // Something is still written down.
            }

            _directory?.Dispose();
        }
    }

    /// <summary>A path whose links are resolved but for its last name: what it names now, whoever changes links later.</summary>
    private static string Real(string path)
    {
        path = Path.GetFullPath(path);
        return OperatingSystem.IsLinux() && Path.GetDirectoryName(path) is { } parent && WalkedDirectory.RealPath(parent) is { } real
            ? Path.Combine(real, Path.GetFileName(path))
            : path;
    }

    private Entry Write(LedgerRecord record)
    {
        var path = "";
        if (_root is not null)
        {
            try
            {
                path = Path.Combine(Own().Path, Interlocked.Increment(ref _last).ToString("D12", CultureInfo.InvariantCulture) + LedgerRecord.Extension);
                using var file = HeldDirectory.OpenPrivate(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
                file.Write(record.Write().Span);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                Log.NotWritten(_logger, _root, e.Message);
            }
        }

        return new Entry(path);
    }

    private HeldDirectory Own()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return _directory ??= HeldDirectory.Create(Path.Combine(_root!, UniqueName.New()));
                }
                catch (IOException) when (attempt < Attempts)
                {
                    // A sweep has looked whose it is before it was locked.
                }
            }
        }
    }

    private sealed class Entry(string path) : IDisposable
    {
        public void Dispose()
        {
            if (path.Length == 0)
                return;
            try
            {
                File.Delete(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The sweep finds nothing there, or nothing of the time.
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "What would be left by a crash cannot be written down in {Path}: {Why}")]
        public static partial void NotWritten(ILogger logger, string path, string why);

        [LoggerMessage(LogLevel.Warning, "What a crash has left, by {Path}, cannot be removed")]
        public static partial void SweepFailed(ILogger logger, Exception exception, string path);
    }
}
