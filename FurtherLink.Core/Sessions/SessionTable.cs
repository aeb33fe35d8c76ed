using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Security.Auditing;
using FurtherLink.Sessions.Channels;
using FurtherLink.Sessions.Spills;
using FurtherLink.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FurtherLink.Sessions;

/// <summary>All sessions of this device: starts them, finds them, and ends them by their policy. Thread safe.</summary>
public sealed partial class SessionTable : IAsyncDisposable
{
    // Longer than a program has to end by itself and to be killed; a server ends within two.
    private static readonly TimeSpan ExitPatience = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, IKeptSession> _sessions = new(StringComparer.Ordinal);
    private readonly HashSet<string> _starting = new(StringComparer.Ordinal);
    private readonly TaskSet _removals = new();
    private readonly SessionWatchers _watchers = new();
    private readonly FrozenDictionary<string, IProcessRunner> _runners;
    private readonly LinkOptions _options;
    private readonly ISessionKeeper? _keeper;
    private readonly TimeProvider _time;
    private readonly Ledger? _ledger;
    private readonly ILogger _logger;
    private readonly ILogger _channelLogger;
    private readonly SpillStore? _spills;
    private readonly LinkMetrics? _metrics;
    private readonly SessionAudit? _audit;
    private readonly CancellationTokenSource _stopped = new();
    private volatile bool _closed;

    /// <summary>Makes a table.</summary>
    /// <param name="options">The core's settings.</param>
    /// <param name="runners">The ways to run programs; of two with one name the later counts.</param>
    /// <param name="sources">More of them, each of which stands behind a runner of its name; null = none.</param>
    /// <param name="time">The clock; null = the system's.</param>
    /// <param name="loggers">Where it logs; null = nowhere.</param>
    /// <param name="ledger">Where sockets of sessions are written down; null = nowhere.</param>
    public SessionTable(
        IOptions<LinkOptions> options, IEnumerable<IProcessRunner> runners, IEnumerable<IRunnerSource>? sources = null,
        TimeProvider? time = null, ILoggerFactory? loggers = null, Ledger? ledger = null)
        : this(keeper: null, metrics: null, options, runners, sources, time, loggers, ledger)
    {
    }

    /// <summary>Makes a table whose sessions partly run in another process.</summary>
    internal SessionTable(
        ISessionKeeper? keeper, LinkMetrics? metrics, IOptions<LinkOptions> options, IEnumerable<IProcessRunner> runners, IEnumerable<IRunnerSource>? sources,
        TimeProvider? time, ILoggerFactory? loggers, Ledger? ledger, AuditLog? audit = null)
    {
        _audit = audit is null ? null : new SessionAudit(audit);
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Value;
        _runners = (sources ?? []).SelectMany(source => source.Runners).Concat(runners).GroupBy(runner => runner.Name, StringComparer.Ordinal).ToFrozenDictionary(same => same.Key, same => same.Last(), StringComparer.Ordinal);
        _keeper = keeper;
        _metrics = metrics;
        _time = time ?? TimeProvider.System;
        _ledger = ledger;
        loggers ??= NullLoggerFactory.Instance;
        _logger = loggers.CreateLogger<SessionTable>();
        _channelLogger = loggers.CreateLogger("FurtherLink.Sessions.SideChannels");
        _spills = SpillStore.Create(_options, _time, loggers);
        if (_spills is not null)
            _removals.Run(_spills.Sweep);
    }

    /// <summary>
    /// Cancelled when the device shuts down and its programs have been ended, or a second has passed over that: who is attached knows their exits then,
    /// and connections end.
    /// </summary>
    public CancellationToken Stopped => _stopped.Token;

    /// <summary>Whether it takes no new programs: the device shuts down.</summary>
    internal bool IsClosed => _closed;

    /// <summary>Why output is not kept on disk that should be; null where it is, or need not be.</summary>
    internal string? SpillTrouble => _sessions.Values.Select(static session => session.SpillTrouble).FirstOrDefault(static trouble => trouble is not null);

    /// <summary>The sessions there are now, ended ones that can still be read included.</summary>
    public IEnumerable<ISession> Sessions => _sessions.Values;

    /// <summary>Finds a session by its global id or the name it was given; null where there is none.</summary>
    public ISession? Find(string idOrName)
    {
        ArgumentNullException.ThrowIfNull(idOrName);
        return _sessions.GetValueOrDefault(idOrName)
            ?? All.FirstOrDefault(session => session.Known.Name == idOrName);
    }

    /// <summary>Starts a program as a session.</summary>
    /// <param name="request">What to run.</param>
    /// <param name="created">
    /// Called before the program runs, on the caller's thread before the first wait: who attaches here misses nothing. Where the start
    /// then fails, the session is ended and never was in the table. Null = nothing.
    /// </param>
    /// <param name="cancellationToken">Gives up before the program exists.</param>
    /// <returns>The session, its program running.</returns>
    /// <exception cref="LinkException">There is no such runner or user, or the program cannot be started; on anything but Linux, always.</exception>
    public async Task<ISession> StartAsync(RunRequest request, Action<ISession>? created = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var activity = LinkActivities.StartSession();
        try
        {
            var session = await StartNamedAsync(request, created, cancellationToken).ConfigureAwait(false);
            activity?.Describe(session.Info);
            return session;
        }
        catch (Exception e)
        {
            activity?.Fail(e);
            throw;
        }
    }

    /// <summary>Follows what is started from now on, until the result is disposed; what there is already is in <see cref="Sessions"/>.</summary>
    /// <param name="started">Called with each session when its program runs, on the thread that started it. It must neither wait nor throw.</param>
    public IDisposable Watch(Action<ISession> started) => _watchers.Add(started);

    /// <summary>
    /// The programs that another process holds go on when this table ends, for the next one to take them back: the host restarts. Default false.
    /// </summary>
    public bool LeavesHeld { get; set; }

    /// <summary>Takes back the sessions whose programs another process has held since an earlier run. Called once, before clients come.</summary>
    public async Task RecoverAsync(CancellationToken cancellationToken)
    {
        if (_keeper is null)
            return;
        foreach (var session in await _keeper.RecoverAsync(_spills, Discard, cancellationToken).ConfigureAwait(false))
        {
            _sessions[session.Id] = session;
            _audit?.Follow(session, null);
            Log.Recovered(_logger, session.Id, session.Info.Runner, session.Info.ProcessId);
        }
    }

    /// <summary>Ends all programs, at once and not one after the other, and takes no new ones. Logs stay readable.</summary>
    public async Task StopAllAsync()
    {
        _closed = true;
        var ended = Task.WhenAll(_sessions.Values.Where(IsEndedWithTable).Select(session => session.ShutDownAsync().AsTask()));
        await ended.WaitAsync(ExitPatience, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stopped.CancelAsync().ConfigureAwait(false);
        await ended.ConfigureAwait(false);
    }

    /// <summary>Ends all programs and lets go of everything.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAllAsync().ConfigureAwait(false);
        if (_audit is not null)
            await _audit.LeaveAsync().ConfigureAwait(false);
        foreach (var session in _sessions.Values.Where(IsEndedWithTable))
            Discard(session);
        await _removals.WhenEmptyAsync().ConfigureAwait(false);
        if (_keeper is not null)
            await _keeper.DisposeAsync().ConfigureAwait(false);
        _stopped.Dispose();
    }

    /// <summary>Ends a session's program where it still runs, and forgets it. Nothing happens where there is none of this id.</summary>
    public async Task RemoveAsync(string id)
    {
        if (_sessions.TryRemove(id, out var session))
            await RemoveAsync(session).ConfigureAwait(false);
    }

    /// <summary>How a program ended that ran until the server shut down.</summary>
    internal static ExitStatus Explain(ExitStatus status, bool isShutDown) =>
        isShutDown && status.Reason is null ? status with { Reason = "the server is shutting down" } : status;

    /// <summary>The name of the user that programs run as when nobody says; "" where there is none.</summary>
    internal string DefaultUser => OperatingSystem.IsLinux() ? FindUser(null).Name : "";

    private bool IsEndedWithTable(IKeptSession session) => session is Session || !LeavesHeld;

    private async Task<ISession> StartNamedAsync(RunRequest request, Action<ISession>? created, CancellationToken cancellationToken)
    {
        if (_closed)
            throw new LinkException(FailureCode.Failed, "this device is shutting down");
        if (!_runners.TryGetValue(request.Runner, out var runner))
            throw new LinkException(FailureCode.NotFound, $"there is no runner \"{request.Runner}\"; there are: {string.Join(", ", _runners.Keys.Order())}");
        request.Terminal?.Demand();
        if (!OperatingSystem.IsLinux())
            throw new LinkException(FailureCode.NotSupported, "programs can be run on Linux only");
        var user = FindUser(request.User);
        var name = request.Session.Name;
        Take(name, request.SessionId);
        try
        {
            var id = request.SessionId ?? RandomNumberGenerator.GetHexString(12, lowercase: true);
            var session = await StartCountedAsync(id, request, runner, user, created, cancellationToken).ConfigureAwait(false);
            DropEnded();
            _sessions[id] = session;
            _watchers.Tell(session);
            _audit?.Started(session, request.Starter);
            Log.Started(_logger, id, request.Runner, session.Known.ProcessId, user.Name);
            // Everybody who was attached may have left while it started, or the device has begun to shut down.
            if (session.Hold.IsEnded)
                Discard(session);
            else if (_closed)
                await session.DisposeAsync().ConfigureAwait(false);
            return session;
        }
        finally
        {
            lock (_starting)
            {
                _starting.Remove(name ?? "");
                _starting.Remove(request.SessionId ?? "");
            }
        }
    }

    [SupportedOSPlatform("linux")]
    private async Task<IKeptSession> StartCountedAsync(
        string id, RunRequest request, IProcessRunner runner, UserAccount user, Action<ISession>? created, CancellationToken cancellationToken)
    {
        _metrics?.SessionStarted(runner.Name);
        try
        {
            return await StartAsync(id, request, runner, user, created, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            _metrics?.SessionFailedToStart(runner.Name);
            throw;
        }
    }

    [SupportedOSPlatform("linux")]
    private async Task<IKeptSession> StartAsync(
        string id, RunRequest request, IProcessRunner runner, UserAccount user, Action<ISession>? created, CancellationToken cancellationToken)
    {
        if (_keeper?.Keeps(request) == true)
        {
            var held = _keeper.Create(id, request, user, _spills, Discard);
            created?.Invoke(held);
            await _keeper.StartAsync(held, request with { User = user.Name }, cancellationToken).ConfigureAwait(false);
            return held;
        }

        var session = new Session(id, request, user, _options, _time, Discard, _spills, _metrics);
        created?.Invoke(session);
        await session.StartAsync(runner, OpenChannels, cancellationToken).ConfigureAwait(false);
        return session;
    }

    /// <summary>Keeps a name and an id for a session that is being started: what one session can be found by, no other can.</summary>
    /// <exception cref="LinkException">Another has it.</exception>
    private void Take(string? name, string? id)
    {
        lock (_starting)
        {
            if (name is not null && IsTaken(name))
                throw new LinkException(FailureCode.AlreadyExists, $"there is a session named \"{name}\" already");
            if (id is not null && IsTaken(id))
                throw new LinkException(FailureCode.AlreadyExists, $"there is a session \"{id}\" already");
            if (name is not null)
                _starting.Add(name);
            if (id is not null)
                _starting.Add(id);
        }
    }

    private bool IsTaken(string idOrName) => _starting.Contains(idOrName) || Find(idOrName) is not null;

    [SupportedOSPlatform("linux")]
    private UserAccount FindUser(string? name)
    {
        if (name is null)
            return UserAccount.FindDefault(_options.DefaultUser);
        return UserAccount.TryFind(name) ?? throw new LinkException(FailureCode.Failed, $"there is no user \"{name}\" on this device");
    }

    [SupportedOSPlatform("linux")]
    private SideChannels OpenChannels(Session session) =>
        SideChannels.Create(_options.TempDirectory, session.User, session.Notices, _channelLogger, _time, _ledger);

    /// <summary>How many programs of somebody run.</summary>
    internal int CountRunning(string owner) => All.Count(session => session.Known is { Exit: null } info && info.Owner == owner);

    // Without a copy of the table: this is asked at each start.
    private IEnumerable<IKeptSession> All => _sessions.Select(static pair => pair.Value);

    /// <summary>Lets ended sessions go that are too many to keep: each holds up to a whole log.</summary>
    private void DropEnded()
    {
        if (_spills is not null || _sessions.Count <= _options.MaxExited)
            return;
        foreach (var session in All.Where(static one => one.IsLeft).OrderByDescending(static one => one.Known.Created).Skip(_options.MaxExited))
            Discard(session);
    }

    /// <summary>Lets ended sessions go that nobody is attached to, those that began first, until all output takes less memory than it may.</summary>
    /// <returns>False where that is not enough.</returns>
    internal bool KeepOutputBelow(long most)
    {
        var kept = All.Sum(static session => session.Output.RetainedBytes);
        if (kept < most)
            return true;
        foreach (var session in All.Where(static one => one.IsLeft).OrderBy(static one => one.Known.Created))
        {
            kept -= session.Output.RetainedBytes;
            Discard(session);
            if (kept < most)
                return true;
        }

        return false;
    }

    private void Discard(IKeptSession session)
    {
        if (_sessions.TryRemove(session.Id, out _))
            _removals.Add(RemoveAsync(session));
    }

    private async Task RemoveAsync(IKeptSession session)
    {
        try
        {
            await session.RemoveAsync().ConfigureAwait(false);
            Log.Removed(_logger, session.Id);
        }
        catch (Exception e)
        {
            Log.RemoveFailed(_logger, e, session.Id);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Session {SessionId} started: {Runner}, process {ProcessId}, user {User}")]
        public static partial void Started(ILogger logger, string sessionId, string runner, int processId, string user);

        [LoggerMessage(LogLevel.Information, "Session {SessionId} is taken back: {Runner}, process {ProcessId}")]
        public static partial void Recovered(ILogger logger, string sessionId, string runner, int processId);

        [LoggerMessage(LogLevel.Debug, "Session {SessionId} removed")]
        public static partial void Removed(ILogger logger, string sessionId);

        [LoggerMessage(LogLevel.Error, "Session {SessionId} could not be cleaned up")]
        public static partial void RemoveFailed(ILogger logger, Exception exception, string sessionId);
    }
}
