using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using FurtherLink.Codecs;
using FurtherLink.Messages;
using FurtherLink.Telemetry;

namespace FurtherLink.Peers;

/// <summary>
/// A connection's only writer: posted messages first and in order, then one piece of the next ready attachment or one long message, then one flush, again.
/// So no lock is held over a flush, no frame is half written, and a reply waits for one piece of output at most.
/// </summary>
/// <param name="codec">The connection's dialect.</param>
/// <param name="connection">The connection; a flush waits until its transport has taken what was written.</param>
/// <param name="room">Set when posted messages have become fewer than the bound again, and at the end.</param>
/// <param name="time">The clock.</param>
/// <param name="metrics">Counts what clients are told; null = nobody does.</param>
internal sealed class Outbox(IMessageCodec codec, LinkConnection connection, AsyncSignal room, TimeProvider time, LinkMetrics? metrics = null)
{
    // What a message that nobody measured counts for: more than any small reply takes.
    private const int MessageCost = 512;
    private const long MaxPosted = 4 * 1024 * 1024;
    private const int MinChunk = 1024;
    // A reply waits for one piece: pieces are cut to what the wire takes in this time.
    private static readonly TimeSpan PieceTime = TimeSpan.FromMilliseconds(10);

    private readonly Lock _lock = new();
    private readonly Queue<ServerMessage> _posted = new();
    private readonly Queue<Peer> _ready = new();
    private readonly Queue<LongMessage> _long = new();
    private readonly AsyncSignal _signal = new();
    private readonly FrameWriter _writer = new(connection.Frames.Output);
    private long _postedCost;
    private int _chunk = Math.Min(16 * 1024, connection.MaxChunk);
    private double _longCredit;
    private bool _completed;
    private (ushort Code, string Reason)? _close;

    /// <summary>The clock.</summary>
    public TimeProvider Time => time;

    /// <summary>Counts what clients are told; null = nobody does.</summary>
    public LinkMetrics? Metrics => metrics;

    /// <summary>Whether so much is posted that who asks for more should not be read.</summary>
    public bool IsFull => Volatile.Read(ref _postedCost) > MaxPosted;

    /// <summary>Queues a message behind all that is queued, and before all output. Any thread; never waits.</summary>
    public void Post(ServerMessage message)
    {
        lock (_lock)
        {
            if (_completed)
                return;
            _posted.Enqueue(message);
            _postedCost += MessageCost;
        }

        _signal.Set(inline: false);
    }

    /// <summary>Queues a message that takes turns with output. Any thread.</summary>
    /// <returns>Completes when the transport has taken it; cancelled at the end.</returns>
    public Task SendAsync(ServerMessage message)
    {
        var sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_completed)
                return Task.FromCanceled(new CancellationToken(canceled: true));
            _long.Enqueue(new LongMessage(message, sent));
        }

        _signal.Set(inline: false);
        return sent.Task;
    }

    /// <summary>An attachment has something to send. Any thread; never waits.</summary>
    /// <param name="attachment">Which.</param>
    /// <param name="inline">Whether an idle outbox sends it right here, before this returns.</param>
    public void Wake(Attachment attachment, bool inline)
    {
        if (Enqueue(attachment))
            _signal.Set(inline);
    }

    /// <summary>Ends the loop after what is posted has been sent.</summary>
    /// <param name="close">A close frame to send last; null = none.</param>
    public void Complete((ushort Code, string Reason)? close)
    {
        lock (_lock)
        {
            _completed = true;
            _close = close;
        }

        _signal.Set(inline: false);
    }

    /// <summary>Breaks a flush that waits for a client that takes nothing.</summary>
    public void Abort()
    {
        Complete(close: null);
        connection.Frames.Output.CancelPendingFlush();
    }

    /// <summary>The loop. Returns when completed, or when the transport has gone.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var before = _writer.Written;
                var posted = EncodePosted();
                var message = TakeLong();
                var source = message is null ? TakeReady() : null;
                if (message is not null)
                    Encode(message.Message);
                else if (source?.Encode(codec, _writer, _chunk) == true)
                    Enqueue(source);
                var ended = _writer.Written > before && await FlushAsync((int)(_writer.Written - before)).ConfigureAwait(false);
                // A dialect may have no word for what was read: that too has gone as far as it will.
                if (WasTaken(ended))
                    source?.Flushed();
                if (ended)
                {
                    message?.Sent.TrySetCanceled();
                    return;
                }

                message?.Sent.TrySetResult();
                if (_writer.Written > before || source is not null || message is not null || posted)
                    continue;
                if (TryFinish())
                {
                    await connection.Frames.Output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                    return;
                }

                await _signal.WaitAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            lock (_lock)
            {
                _completed = true;
                _posted.Clear();
                _postedCost = 0;
                while (_long.TryDequeue(out var message))
                    message.Sent.TrySetCanceled();
            }

            room.Set(inline: false);
        }
    }

    private bool Enqueue(Attachment attachment)
    {
        lock (_lock)
        {
            if (_completed || !attachment.IsOpen || !attachment.Peer.Enqueue(attachment, out var first))
                return false;
            if (first)
                _ready.Enqueue(attachment.Peer);
            return true;
        }
    }

    private bool EncodePosted()
    {
        var any = false;
        while (TryTakePosted(out var message))
        {
            any = true;
            Encode(message);
        }

        return any;
    }

    private bool TryTakePosted([NotNullWhen(true)] out ServerMessage? message)
    {
        bool wasFull;
        lock (_lock)
        {
            if (!_posted.TryDequeue(out message))
                return false;
            wasFull = _postedCost > MaxPosted;
            _postedCost -= MessageCost;
        }

        if (wasFull && !IsFull)
            room.Set(inline: false);
        return true;
    }

    private void Encode(ServerMessage message)
    {
        try
        {
            codec.Encode(message, _writer);
            if (message is Failed failed)
                metrics?.Failed(failed.Code);
        }
        catch (LinkException e) when (message is not Failed)
        {
            metrics?.Failed(e.Code);
            codec.Encode(new Failed(e.Code, e.Message) { Client = message.Client, Ref = message.Ref, Call = (message as Result)?.Call }, _writer);
        }
    }

    private LongMessage? TakeLong()
    {
        lock (_lock)
        {
            if (_long.Count == 0)
                return null;
            // In turns with output, where there is some.
            if (_ready.Count > 0 && (_longCredit += connection.LongShare) < 1)
                return null;
            _longCredit = Math.Max(0, _longCredit - 1);
            return _long.Dequeue();
        }
    }

    private Attachment? TakeReady()
    {
        lock (_lock)
        {
            // Looked at together: what announces an attachment is posted before it is ready, and is sent before anything of it.
            while (_posted.Count == 0 && _ready.TryDequeue(out var peer))
            {
                var attachment = peer.Dequeue(out var more);
                if (more)
                    _ready.Enqueue(peer);
                if (attachment is not null)
                    return attachment;
            }

            return null;
        }
    }

    private bool TryFinish()
    {
        lock (_lock)
        {
            if (!_completed || _posted.Count > 0)
                return false;
        }

        if (_close is { } close)
            Frames.WriteClose(_writer, close.Code, close.Reason);
        return true;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> FlushAsync(int bytes)
    {
        var flush = connection.Frames.Output.FlushAsync(CancellationToken.None);
        if (flush.IsCompleted)
        {
            _chunk = Math.Min(_chunk * 2, connection.MaxChunk);
            return IsEnd(await flush.ConfigureAwait(false));
        }

        var since = time.GetTimestamp();
        var result = await flush.ConfigureAwait(false);
        var took = time.GetElapsedTime(since);
        var fits = took > TimeSpan.Zero ? bytes * (PieceTime / took) : connection.MaxChunk;
        _chunk = (int)Math.Clamp(fits, Math.Min(MinChunk, connection.MaxChunk), Math.Min(_chunk * 2L, connection.MaxChunk));
        return IsEnd(result);
    }

    /// <summary>Whether all that was written has reached the client's side, or is under way there. A pipe that just ends does not tell.</summary>
    private bool WasTaken(bool ended) => _writer.Written <= connection.Taken && !(ended && connection.Taken == long.MaxValue);

    private static bool IsEnd(FlushResult result) => result.IsCompleted || result.IsCanceled;

    /// <summary>A message that takes turns with output.</summary>
    /// <param name="Message">What to send.</param>
    /// <param name="Sent">Completes when it has been.</param>
    private sealed record LongMessage(ServerMessage Message, TaskCompletionSource Sent);
}
