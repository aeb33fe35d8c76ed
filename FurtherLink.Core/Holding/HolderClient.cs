using System.Net.Sockets;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Sessions;
using FurtherLink.Sessions.Spills;
using FurtherLink.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FurtherLink.Holding;

/// <summary>A server's side of holding: starts the holder when the first session needs it, and takes sessions back after a restart.</summary>
internal sealed partial class HolderClient : ISessionKeeper
{
    // What a frame has beside a message or a piece of output, and what is listed of a session: sizes and typed input.
    private const int FrameAllowance = 64 * 1024 * 1024;

    // A .NET process starts in well under a second, unless the machine has much else to do.
    private static readonly TimeSpan LaunchTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LaunchPause = TimeSpan.FromMilliseconds(20);

    private readonly HolderOptions _options;
    private readonly LinkOptions _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LinkMetrics? _metrics;
    private readonly SemaphoreSlim _launching = new(1);
    private readonly Lock _lock = new();
    private readonly HashSet<HeldSession> _sessions = [];
    private volatile string? _launchTrouble;

    /// <summary>Makes a client, which does nothing yet.</summary>
    public HolderClient(IOptions<HolderOptions> options, IOptions<LinkOptions> settings, TimeProvider time, ILogger<HolderClient> logger, LinkMetrics? metrics = null)
    {
        _options = options.Value;
        _settings = settings.Value;
        _time = time;
        _logger = logger;
        _metrics = metrics;
    }

    /// <inheritdoc/>
    public bool Keeps(RunRequest request) => request.Session.WhenDetached is WhenDetached.Keep or WhenDetached.Pause;

    /// <inheritdoc/>
    public IKeptSession Create(string id, RunRequest request, UserAccount user, SpillStore? spills, Action<IKeptSession> gone) =>
        HeldSession.Create(id, request, user, _settings, spills, _time, gone, Forget, _metrics);

    /// <inheritdoc/>
    public async Task StartAsync(IKeptSession session, RunRequest request, CancellationToken cancellationToken)
    {
        var held = (HeldSession)session;
        var link = new HolderLink(_settings.MaxMessage + FrameAllowance);

        // The holder may be older than the settings.
        held.Start(link, request with { Profile = _settings.FindProfile(request.Runner) ?? new RunProfile() });
        try
        {
            await ConnectAsync(link, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await held.AbandonAsync().ConfigureAwait(false);
            throw;
        }

        await held.OpenAsync().ConfigureAwait(false);
        lock (_lock)
            _sessions.Add(held);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<IKeptSession>> RecoverAsync(SpillStore? spills, Action<IKeptSession> gone, CancellationToken cancellationToken)
    {
        if (!File.Exists(_options.Socket))
            return [];
        var recovered = new List<IKeptSession>();
        try
        {
            var answer = await AskAsync(new HeldMessage { Type = "list" }, cancellationToken).ConfigureAwait(false);
            foreach (var state in answer?.Sessions ?? [])
            {
                if (await RecoverAsync(state, spills, gone, cancellationToken).ConfigureAwait(false) is { } session)
                    recovered.Add(session);
            }
        }
        catch (SocketException)
        {
            // The socket is one that a holder has left behind which was killed: there is nothing to take back.
        }
        catch (TimeoutException)
        {
            Log.Silent(_logger, _options.Socket);
        }

        return recovered;
    }

    /// <inheritdoc/>
    public async ValueTask<string?> FindTroubleAsync(CancellationToken cancellationToken)
    {
        // It runs only while it holds something.
        if (!File.Exists(_options.Socket))
            return _launchTrouble;
        try
        {
            await AskAsync(new HeldMessage { Type = "ping" }, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (SocketException)
        {
            // One that was killed leaves its socket, and its sessions have ended with it; the next session starts another.
            return _launchTrouble;
        }
        catch (Exception e) when (e is TimeoutException or LinkException)
        {
            return "the process that holds sessions does not answer";
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        HeldSession[] sessions;
        lock (_lock)
            sessions = [.. _sessions];
        await Task.WhenAll(sessions.Select(session => session.LetGoAsync())).ConfigureAwait(false);
        _launching.Dispose();
    }

    private async Task<HeldSession?> RecoverAsync(HeldState state, SpillStore? spills, Action<IKeptSession> gone, CancellationToken cancellationToken)
    {
        var session = HeldSession.Recover(state, _settings, spills, _time, gone, Forget, _metrics);
        var link = new HolderLink(_settings.MaxMessage + FrameAllowance);
        session.Attach(link);
        try
        {
            await link.ConnectAsync(_options.Socket, cancellationToken).ConfigureAwait(false);
            await session.OpenAsync().ConfigureAwait(false);
        }
        catch (LinkException e)
        {
            // It has gone since it was listed.
            Log.Lost(_logger, session.Id, e.Message);
            return null;
        }

        if (state.Info.Exit is null)
            _metrics?.SessionRecovered(session.Info.Runner);
        lock (_lock)
            _sessions.Add(session);
        return session;
    }

    private void Forget(HeldSession session)
    {
        lock (_lock)
            _sessions.Remove(session);
    }

    /// <summary>Asks the holder something.</summary>
    /// <returns>Its answer; null where it ends without one.</returns>
    /// <exception cref="SocketException">There is none.</exception>
    /// <exception cref="TimeoutException">It does not answer.</exception>
    private async Task<HeldMessage?> AskAsync(HeldMessage question, CancellationToken cancellationToken)
    {
        var link = new HolderLink(_settings.MaxMessage + FrameAllowance);
        var answer = new TaskCompletionSource<HeldMessage?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var receiving = Task.CompletedTask;
        link.Send(question);
        try
        {
            await link.ConnectAsync(_options.Socket, cancellationToken).ConfigureAwait(false);
            receiving = ReceiveAsync(link, answer);
            return await answer.Task.WaitAsync(AnswerTimeout, _time, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await link.DisposeAsync().ConfigureAwait(false);
            await receiving.ConfigureAwait(false);
        }
    }

    private static async Task ReceiveAsync(HolderLink link, TaskCompletionSource<HeldMessage?> answer)
    {
        try
        {
            await link.ReceiveAsync(frame =>
            {
                if (frame.Kind is Codecs.FrameKind.Text)
                    answer.TrySetResult(HeldFrames.Read(frame.Body));
                return default;
            }).ConfigureAwait(false);
        }
        catch (LinkException e)
        {
            answer.TrySetException(e);
        }

        answer.TrySetResult(null);
    }

    /// <summary>Connects, and starts the holder first where there is none.</summary>
    private async Task ConnectAsync(HolderLink link, CancellationToken cancellationToken)
    {
        await _launching.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var since = _time.GetTimestamp();
            for (var launched = false; ; launched = true)
            {
                try
                {
                    await link.ConnectAsync(_options.Socket, cancellationToken).ConfigureAwait(false);
                    _launchTrouble = null;
                    return;
                }
                catch (SocketException e)
                {
                    if (_time.GetElapsedTime(since) > LaunchTimeout)
                    {
                        _launchTrouble = "the process that holds sessions could not be started";
                        throw new LinkException(FailureCode.Failed, $"the process that holds sessions does not answer at {_options.Socket}; its log is beside it. Without \"session\", or with the setting Hold off, the server runs programs itself", e);
                    }
                }

                if (!launched)
                {
                    Log.Launching(_logger);
                    _options.Launch!();
                }

                await Task.Delay(LaunchPause, _time, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _launching.Release();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Starting the process that holds sessions")]
        public static partial void Launching(ILogger logger);

        [LoggerMessage(LogLevel.Warning, "The process that holds sessions does not answer at {Socket}: its sessions are left to it")]
        public static partial void Silent(ILogger logger, string socket);

        [LoggerMessage(LogLevel.Warning, "Session {SessionId} could not be taken back: {Why}")]
        public static partial void Lost(ILogger logger, string sessionId, string why);
    }
}
