using System.Diagnostics.CodeAnalysis;
using FurtherLink.Codecs;
using FurtherLink.Messages;
using FurtherLink.Sessions;

namespace FurtherLink.Peers;

/// <summary>One peer watching one session under a name of its own, with a cursor of its own. Thread safe.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "It ends with its session or by Detach, which dispose.")]
public sealed class Attachment
{
    // A follower so far behind its session's events is not reading any more.
    private const int MaxNotices = 4096;

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<SessionNotice> _every = new();
    private readonly Dictionary<string, SessionNotice> _latest = new(StringComparer.Ordinal);
    private readonly Output _output = new();
    private readonly AttachOptions _options;
    private readonly Outbox _outbox;
    private ISession? _session;
    private SessionHold? _hold;
    private SessionMembers.Member? _member;
    private OutputReader? _reader;
    private IDisposable? _following;
    private long _received;
    private long _sent;
    private Gathering? _gathering;
    private Action? _wake;
    private bool _latestNext;
    private volatile bool _open;
    private bool _done;

    internal Attachment(Peer peer, string name, AttachOptions options, Outbox outbox)
    {
        Peer = peer;
        Name = name;
        _options = options;
        _outbox = outbox;
    }

    /// <summary>What the peer calls the session.</summary>
    public string Name { get; }

    /// <summary>The session.</summary>
    public ISession Session => _session ?? throw new InvalidOperationException("The session has not been made yet.");

    /// <summary>What its creator put there.</summary>
    public object? Tag => _options.Tag;

    /// <summary>What the peer may do through it now: who attached to drive only views while another drives.</summary>
    public Access Access => Overrules ? Access.Own : _options.Access < Access.Drive ? _options.Access : Drives ? Access.Own : Access.View;

    /// <summary>Whether the peer may type now. Also while the session is being made, as who starts it drives it.</summary>
    public bool Drives => _member?.Drives ?? _options.Access >= Access.Drive;

    /// <summary>Whether it was attached to drive.</summary>
    public bool WantsToDrive => _options.Access >= Access.Drive;

    /// <summary>Whether it types and resizes whoever drives.</summary>
    public bool Overrules => _options.Overrules;

    /// <summary>Below this offset the client has received the output, or its transport has taken it.</summary>
    public long Received
    {
        get
        {
            lock (_lock)
                return _received;
        }
    }

    /// <summary>Where output goes on: below it everything has been sent.</summary>
    public long Sent
    {
        get
        {
            lock (_lock)
                return _sent;
        }
    }

    /// <summary>What it is called among those who are attached (<see cref="MemberInfo.Id"/>).</summary>
    public int Member => _member?.Id ?? 0;

    /// <summary>By what the peer is known when it comes back, see <see cref="AttachOptions.ClientId"/>.</summary>
    public string? ClientId => _options.ClientId;

    /// <summary>Completes when the session's exit has been sent, or the attachment was detached. Never faults.</summary>
    public Task Ended => _ended.Task;

    internal Peer Peer { get; }

    /// <summary>Whether it has been announced: before that it has no turns.</summary>
    internal bool IsOpen => _open;

    /// <summary>Guarded by the outbox: whether it waits for its turn.</summary>
    internal bool IsQueued { get; set; }

    /// <summary>Tells that the client has received the output below an offset. Without a window it has no effect.</summary>
    /// <exception cref="LinkException">The offset has not been sent yet.</exception>
    public void Acknowledge(long offset)
    {
        lock (_lock)
        {
            if (_done || _options.Window is null || _reader is null)
                return;
            if (offset < 0 || offset > _sent)
                throw new LinkException(FailureCode.BadValue, $"offset {offset} has not been sent; the last is {_sent}") { Name = Name };
            if (offset <= _received)
                return;
            _received = offset;
            _reader.Release(offset);
        }

        _outbox.Wake(this, inline: false);
    }

    /// <summary>The session exists: its output is kept for this attachment from now on, and sent once <see cref="Open"/>ed.</summary>
    /// <exception cref="LinkException">It asks for a screen where there is none, or is somebody who cannot be.</exception>
    internal void Bind(ISession session)
    {
        _session = session;
        if (_options.Screen)
        {
            var screen = session.Screen ?? throw new LinkException(FailureCode.BadMessage, "there is no terminal whose screen could be shown");
            Screen = screen.Capture(offset => _reader = Read(session, offset));
        }
        else
        {
            _reader = Read(session, _options.From);
        }

        _sent = _received = _reader!.Position;
        if (_options.Gather is { } gather)
            _gathering = new Gathering(session.Output, gather, _outbox.Time, () => _outbox.Wake(this, inline: false));
        var hold = _options.Holds ? (session as IKeptSession)?.Hold : null;
        hold?.Join();
        _hold = hold;
        _following = session.Notices.Follow(OnNotice);
        _member = session.Members.Join(Peer.Name, _options.Access, _options.ClientId, Peer.Connection, OnReplaced);
    }

    private OutputReader Read(ISession session, long? from) => session.Output.Attach(new ReaderOptions
    {
        From = from,
        Text = _options.Text,
        Lossless = _options.Lossless && Peer.MayDrive(session.Info),
        OnOutput = _ => _outbox.Wake(this, inline: true),
        OnStalled = _options.Patient ? null : _ => Peer.Abort($"it has taken no output of session {session.Id} for too long"),
    });

    /// <summary>Asks to drive.</summary>
    internal void Request() => Session.Members.Request(_member!);

    /// <summary>Hands driving over.</summary>
    internal void Grant(int member) => Session.Members.Grant(_member!, member);

    /// <summary>Takes driving over.</summary>
    internal void Take() => Session.Members.Take(_member!);

    /// <summary>Says the size of the client's terminal.</summary>
    internal void Resize(TerminalSize size)
    {
        // A session that is still being made has one size to remember, and its starter alone.
        Session.Info.DemandTerminal(size);
        Session.Members.Resize(_member!, size);
    }

    /// <summary>The client sends input: what it causes is not held back as a young program's output is.</summary>
    internal void OnInput() => _gathering?.OnInput();

    /// <summary>What the terminal showed when it was attached, where it asked for that.</summary>
    internal ReadOnlyMemory<byte>? Screen { get; private set; }

    /// <summary>Posts what announces it, then output may flow. Nothing happens where it has been detached meanwhile.</summary>
    internal void Open(ServerMessage? announcement)
    {
        lock (_lock)
        {
            if (_done)
                return;
            if (announcement is not null)
                Peer.Post(announcement);
            _open = true;
        }

        _outbox.Wake(this, inline: false);
    }

    /// <summary>Encodes one thing.</summary>
    /// <returns>False where there is nothing now; it is woken when there is.</returns>
    internal bool Encode(IMessageCodec codec, FrameWriter writer, int maxBytes)
    {
        lock (_lock)
        {
            if (_done)
                return false;
            // A video and a flood take turns.
            _latestNext = !_latestNext;
            if (_latestNext && TryEncodeLatest(codec, writer))
                return true;
            if (_every.TryPeek(out var notice) && notice.Offset <= _reader!.Position)
            {
                codec.Encode(ToMessage(_every.Dequeue()), writer);
                return true;
            }

            if (_gathering is not null && !_gathering.MayRead(_reader!.Position))
                return false;
            var limit = Limit(maxBytes);
            if (limit <= 0 || !_reader!.TryRead(limit, out var chunk))
            {
                _gathering?.Begin();
                return TryEncodeWaiting(codec, writer);
            }

            if (chunk.Missed > 0)
            {
                codec.Encode(new Missed(Name, chunk.Offset - chunk.Missed, chunk.Offset) { Client = Peer.Client }, writer);
                _outbox.Metrics?.Missed(chunk.Missed);
            }

            if (chunk.Exit is not { } exit)
            {
                EncodeOutput(chunk, codec, writer);
                return true;
            }

            while (TryEncodeWaiting(codec, writer))
            {
            }

            codec.Encode(new Exited(Name, exit) { Client = Peer.Client }, writer);
            _done = true;
            Peer.Forget(this);
        }

        End();
        Peer.Finish(_hold);
        return false;
    }

    /// <summary>What was encoded last has been taken by the transport.</summary>
    internal void Flushed()
    {
        lock (_lock)
        {
            if (_options.Window is not null || _received == _sent)
                return;
            // Also where it has ended meanwhile: who comes back goes on from here.
            _received = _sent;
            if (!_done)
                _reader!.Release(_sent);
        }
    }

    /// <summary>Where the client's going ends the program, ends it now and leaves the attachment to tell the exit.</summary>
    /// <returns>Whether it does.</returns>
    internal bool StopWithClient(TaskSet tasks)
    {
        if (_hold is not { StopsAtOnce: true })
            return false;
        tasks.Add(Session.DisposeAsync().AsTask());
        return true;
    }

    /// <summary>Ends it: nothing of its name is encoded after this has returned.</summary>
    internal void Detach()
    {
        lock (_lock)
        {
            if (_done)
                return;
            _done = true;
            Peer.Forget(this);
        }

        _hold?.Leave(_received);
        End();
    }

    private void OnReplaced()
    {
        Detach();
        Peer.Post(new Notice("detached", new Detached("another connection of this client has attached")) { Name = Name });
    }

    private void End()
    {
        _gathering?.Dispose();
        _reader?.Dispose();
        _following?.Dispose();
        if (_member is { } member)
            Session.Members.Leave(member);
        _ended.TrySetResult();
    }

    private int Limit(int maxBytes)
    {
        // Events keep their place in the output: it is read up to the next one.
        long limit = maxBytes;
        if (_every.TryPeek(out var notice))
            limit = Math.Min(limit, notice.Offset - _reader!.Position);
        if (_options.Window is { } window)
            limit = Math.Min(limit, window - (_reader!.Position - _received));
        // The end needs no permission.
        if (limit > 0 && _options.Pace is { } pace && Session.Output.End > _reader!.Position)
            limit = pace.Allow((int)limit, _wake ??= () => _outbox.Wake(this, inline: false));
        return (int)limit;
    }

    private void EncodeOutput(in OutputChunk chunk, IMessageCodec codec, FrameWriter writer)
    {
        _output.Client = Peer.Client;
        _output.Name = Name;
        _output.Kind = chunk.Kind;
        _output.Offset = chunk.Offset;
        _output.Next = chunk.Next;
        _output.Time = chunk.Time;
        _output.Data = chunk.Data;
        codec.Encode(_output, writer);
        _output.Data = default;
        _sent = chunk.Next;
    }

    private bool TryEncodeWaiting(IMessageCodec codec, FrameWriter writer)
    {
        if (!_every.TryDequeue(out var notice))
            return TryEncodeLatest(codec, writer);
        codec.Encode(ToMessage(notice), writer);
        return true;
    }

    private bool TryEncodeLatest(IMessageCodec codec, FrameWriter writer)
    {
        if (!TryTakeLatest(out var message))
            return false;
        codec.Encode(message, writer);
        return true;
    }

    private bool TryTakeLatest([NotNullWhen(true)] out Notice? message)
    {
        foreach (var (topic, notice) in _latest)
        {
            _latest.Remove(topic);
            message = ToMessage(notice);
            return true;
        }

        message = null;
        return false;
    }

    private Notice ToMessage(in SessionNotice notice) => new(notice.Topic, notice.Body) { Name = Name, Client = Peer.Client };

    private void OnNotice(SessionNotice notice)
    {
        bool behind;
        lock (_lock)
        {
            if (_done)
                return;
            behind = _every.Count >= MaxNotices;
            if (notice.Delivery is Delivery.Latest)
                _latest[notice.Topic] = notice;
            else if (!behind)
                _every.Enqueue(notice);
        }

        if (behind)
            Peer.Abort($"it has not taken {MaxNotices} events of session {Session.Id}");
        else
            _outbox.Wake(this, inline: false);
    }
}
