using System.Collections.Frozen;
using System.IO.Pipelines;
using FurtherLink.Codecs;
using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Security.Auditing;
using FurtherLink.Sessions;
using FurtherLink.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FurtherLink;

/// <summary>Serves connections of every transport: reads frames, decodes, dispatches; one outbox writes. Thread safe.</summary>
public sealed partial class LinkServer : ILinkServer
{
    // What is still to be told has this long to reach a client on a clean end.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    // RFC 6455 section 7.4.1.
    private const ushort PolicyViolation = 1008;

    private readonly SessionTable _sessions;
    private readonly FrozenDictionary<string, LinkCodec> _codecs;
    private readonly FrozenDictionary<string, IService> _services;
    private readonly LinkOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LinkMetrics? _metrics;
    private readonly Admission _admission;
    private readonly AuditLog? _audit;

    /// <summary>Makes a server.</summary>
    /// <param name="sessions">The device's sessions.</param>
    /// <param name="codecs">The dialects; of two with one name the later counts.</param>
    /// <param name="services">The services; of two with one name the later counts.</param>
    /// <param name="options">The core's settings.</param>
    /// <param name="time">The clock; null = the system's.</param>
    /// <param name="logger">Where it logs; null = nowhere.</param>
    public LinkServer(
        SessionTable sessions, IEnumerable<LinkCodec> codecs, IEnumerable<IService> services, IOptions<LinkOptions> options,
        TimeProvider? time = null, ILogger<LinkServer>? logger = null)
        : this(sessions, metrics: null, codecs, services, options, time, logger)
    {
    }

    /// <summary>Makes a server that is counted.</summary>
    internal LinkServer(
        SessionTable sessions, LinkMetrics? metrics, IEnumerable<LinkCodec> codecs, IEnumerable<IService> services, IOptions<LinkOptions> options,
        TimeProvider? time, ILogger<LinkServer>? logger, AuditLog? audit = null)
    {
        _audit = audit;
        ArgumentNullException.ThrowIfNull(options);
        _sessions = sessions;
        _metrics = metrics;
        _codecs = codecs.GroupBy(codec => codec.Name, StringComparer.Ordinal).ToFrozenDictionary(same => same.Key, same => same.Last(), StringComparer.Ordinal);
        _services = services.GroupBy(service => service.Name, StringComparer.Ordinal).ToFrozenDictionary(same => same.Key, same => same.Last(), StringComparer.Ordinal);
        _options = options.Value;
        _time = time ?? TimeProvider.System;
        _admission = new Admission(sessions, _options, _time);
        _logger = logger ?? NullLogger<LinkServer>.Instance;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The connection's dialect is unknown: a mistake of the transport.</exception>
    public async Task ServeAsync(LinkConnection connection, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        if (!_codecs.TryGetValue(connection.Codec, out var dialect))
            throw new ArgumentException($"There is no codec \"{connection.Codec}\"; there are: {string.Join(", ", _codecs.Keys.Order())}.", nameof(connection));

        Log.Connected(_logger, connection.Id, connection.Codec);
        // Of who is not known yet it is told when they are, or are not.
        if (connection.Principal is not null)
            _audit?.Write(AuditEvent.Of("connected", connection.Grant, connection.Caller) with { Connection = connection.Id });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var room = new AsyncSignal();
        var codec = dialect.Create(connection);
        var outbox = new Outbox(codec, connection, room, _time, _metrics);
        var tasks = new TaskSet();
        var dispatcher = new Dispatcher(_services, _sessions, outbox, tasks, room, _logger);
        var peers = new PeerSet(client => new Peer(client, connection, _sessions, _admission, outbox, tasks, Abort), connection.ManyClients);
        string? end = null;
        using var guard = new ConnectionGuard(connection, _options.AuthenticationTimeout, _time, End);
        using var unblock = stop.Token.UnsafeRegister(_ => Unblock(), null);
        var sending = SendAsync(outbox, stop);
        _metrics?.ClientCame(connection.Codec);

        var clean = false;
        try
        {
            if (connection.Opening is { } opening)
                dispatcher.Dispatch(opening, peers.Get(opening.Client), 0);
            clean = await ReceiveAsync(connection, codec, dispatcher, peers, room, stop.Token).ConfigureAwait(false);
        }
        finally
        {
            await EndAsync(connection, peers, outbox, tasks, sending, clean, end, cancellationToken).ConfigureAwait(false);
            _metrics?.ClientLeft(connection.Codec);
            (codec as IDisposable)?.Dispose();
            Log.Disconnected(_logger, connection.Id);
        }

        void Abort(string why)
        {
            Log.Aborted(_logger, connection.Id, why);
            outbox.Abort();
        }

        void End(string why)
        {
            Log.Aborted(_logger, connection.Id, why);
            _audit?.Write(AuditEvent.Of("closed", connection.Grant, connection.Caller) with { Connection = connection.Id, Why = why });
            end = why;
            try
            {
                stop.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has ended by itself.
            }
        }

        void Unblock()
        {
            connection.Frames.Input.CancelPendingRead();
            room.Set(inline: false);
        }
    }

    private async Task SendAsync(Outbox outbox, CancellationTokenSource stop)
    {
        // Off the caller's stack: a transport's flush may run far.
        await Task.Yield();
        try
        {
            await outbox.RunAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The transport broke; it has said so where that is worth a line.
        }
        catch (Exception e)
        {
            Log.SendFailed(_logger, e);
        }

        await stop.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>The loop of what a client says.</summary>
    /// <returns>True where the client may still be listening.</returns>
    private async Task<bool> ReceiveAsync(
        LinkConnection connection, IMessageCodec codec, Dispatcher dispatcher, PeerSet peers, AsyncSignal room, CancellationToken stop)
    {
        var input = connection.Frames.Input;
        var maxMessage = connection.MaxMessage ?? _options.MaxMessage;
        while (!stop.IsCancellationRequested)
        {
            ReadResult result;
            try
            {
                result = await input.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The transport broke; it has said so where that is worth a line.
                return false;
            }

            var buffer = result.Buffer;
            try
            {
                while (!stop.IsCancellationRequested && Frames.TryRead(ref buffer, maxMessage, out var frame))
                {
                    if (frame.Kind is FrameKind.Close)
                        return true;
                    if (frame.Kind is FrameKind.TooLong)
                        dispatcher.Fail(null, null, peers.Only, new LinkException(FailureCode.Limited, $"a message of more than {maxMessage} bytes was not read"));
                    else
                        Decode(frame, codec, dispatcher, peers);
                    while (dispatcher.IsFull && !stop.IsCancellationRequested)
                        await room.WaitAsync().ConfigureAwait(false);
                }

                if (result.IsCompleted)
                    return true;
            }
            catch (LinkException e)
            {
                Log.BadFrame(_logger, e.Message);
                return false;
            }
            finally
            {
                input.AdvanceTo(buffer.Start, buffer.End);
            }
        }

        return true;
    }

    private static void Decode(in Frame frame, IMessageCodec codec, Dispatcher dispatcher, PeerSet peers)
    {
        ClientMessage? message;
        try
        {
            if (!codec.TryDecode(frame, out message))
                return;
        }
        catch (Exception e)
        {
            dispatcher.Fail(null, null, peers.Only, e);
            return;
        }

        dispatcher.Dispatch(message, peers.Get(message.Client), frame.Body.Length);
    }

    private async Task EndAsync(
        LinkConnection connection, PeerSet peers, Outbox outbox, TaskSet tasks, Task sending, bool clean, string? why, CancellationToken stopped)
    {
        // Told to stop, the server still owes its client the exits of what it ends; so it does where the client has ended, and hears on.
        if (clean && !stopped.IsCancellationRequested && connection.HearsEnd)
            await WithinAsync(Task.WhenAny(sending, tasks.WhenEmptyAsync())).ConfigureAwait(false);
        if (clean && (stopped.IsCancellationRequested || connection.HearsEnd))
            await WithinAsync(Task.WhenAny(sending, Task.WhenAll(peers.All.Select(peer => peer.StopAsync())))).ConfigureAwait(false);
        foreach (var peer in peers.All)
            await peer.LeaveAsync().ConfigureAwait(false);
        await tasks.WhenEmptyAsync().ConfigureAwait(false);

        if (clean)
            outbox.Complete(why is not null ? (PolicyViolation, why) : stopped.IsCancellationRequested ? Goodbye : null);
        else
            outbox.Abort();
        if (!await WithinAsync(sending).ConfigureAwait(false))
        {
            Log.Unsent(_logger, connection.Id);
            outbox.Abort();
            await sending.ConfigureAwait(false);
        }
    }

    // RFC 6455 section 7.4.1, and 1012 of the registry that it founded (service restart): a client may come back at once.
    private (ushort Code, string Reason) Goodbye =>
        _sessions.LeavesHeld ? ((ushort)1012, "the server restarts") : ((ushort)1001, "the server is shutting down");

    private async Task<bool> WithinAsync(Task task)
    {
        try
        {
            await task.WaitAsync(LastWords, _time, CancellationToken.None).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Connection {ConnectionId} speaks {Codec}")]
        public static partial void Connected(ILogger logger, string connectionId, string codec);

        [LoggerMessage(LogLevel.Debug, "Connection {ConnectionId} ended")]
        public static partial void Disconnected(ILogger logger, string connectionId);

        [LoggerMessage(LogLevel.Information, "Connection {ConnectionId} is ended: {Why}")]
        public static partial void Aborted(ILogger logger, string connectionId, string why);

        [LoggerMessage(LogLevel.Debug, "Connection {ConnectionId} did not take the last messages")]
        public static partial void Unsent(ILogger logger, string connectionId);

        [LoggerMessage(LogLevel.Warning, "A transport delivered a broken frame: {Why}")]
        public static partial void BadFrame(ILogger logger, string why);

        [LoggerMessage(LogLevel.Error, "Sending failed through a fault of this server")]
        public static partial void SendFailed(ILogger logger, Exception exception);
    }
}
