using System.Diagnostics.CodeAnalysis;
using System.Security.Claims;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Sessions;

namespace FurtherLink.Peers;

/// <summary>
/// One client: its names for sessions, its attachments, its rights. Services and dialects act on sessions through it. Thread safe.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "Its connection ends it by LeaveAsync, which disposes.")]
public sealed class Peer
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Attachment> _attachments = new(StringComparer.Ordinal);
    private readonly List<SessionHold> _leftovers = [];
    private readonly Queue<Attachment> _ready = new();
    private readonly CancellationTokenSource _gone = new();
    private readonly LinkConnection _connection;
    private readonly SessionTable _sessions;
    private readonly Admission _admission;
    private readonly Outbox _outbox;
    private readonly TaskSet _tasks;
    private readonly Action<string> _abort;
    private volatile string _label;
    private bool _left;

    internal Peer(string? client, LinkConnection connection, SessionTable sessions, Admission admission, Outbox outbox, TaskSet tasks, Action<string> abort)
    {
        Client = client;
        _connection = connection;
        _label = connection.Label;
        _sessions = sessions;
        _admission = admission;
        _outbox = outbox;
        _tasks = tasks;
        _abort = abort;
        Gone = _gone.Token;
    }

    /// <summary>Which of several clients of the connection it is; null where the connection is one client.</summary>
    public string? Client { get; }

    /// <summary>Who it is; null = nobody known.</summary>
    public ClaimsPrincipal? Principal => _connection.Principal;

    /// <summary>What that allows; <see cref="Grant.Nobody"/> where nobody is known.</summary>
    public Grant Grant => _connection.Grant;

    /// <summary>From where it comes.</summary>
    public Caller Caller => _connection.Caller;

    /// <summary>What others see of it: what it calls itself, else who it is.</summary>
    public string Name => _label.Length > 0 ? _label : Grant.Name;

    /// <summary>The longest message it may send, see <see cref="LinkConnection.MaxMessage"/>.</summary>
    internal int? MaxMessage => _connection.MaxMessage;

    /// <summary>Its connection's id, see <see cref="LinkConnection.Id"/>.</summary>
    public string ConnectionId => _connection.Id;

    /// <summary>Later connections have larger numbers.</summary>
    internal long Connection => _connection.Number;

    /// <summary>The dialect it speaks.</summary>
    public string Codec => _connection.Codec;

    /// <summary>What its transport put on the connection, see <see cref="LinkConnection.Tag"/>.</summary>
    public object? Tag => _connection.Tag;

    /// <summary>Cancelled when it has gone.</summary>
    public CancellationToken Gone { get; }

    /// <summary>What a start of it means that says nothing else.</summary>
    public RunDefaults Defaults => _connection.Defaults;

    /// <summary>The attachment of a name; null where there is none.</summary>
    public Attachment? Find(string name)
    {
        lock (_lock)
            return _attachments.GetValueOrDefault(name);
    }

    /// <summary>Starts a program and attaches to it. The name is taken before this first waits, so input may follow at once.</summary>
    /// <param name="name">What the peer calls the session.</param>
    /// <param name="request">What to run; user and terminal default to the connection's.</param>
    /// <param name="options">How the peer wants the output.</param>
    /// <param name="opened">Makes the message that is sent before the first output; null = none.</param>
    /// <param name="cancellationToken">Gives up before the program exists.</param>
    /// <exception cref="LinkException">It may not, the name is taken, or the program cannot be started; the name is free then.</exception>
    public async Task<Attachment> StartAsync(
        string name, RunRequest request, AttachOptions options, Func<Attachment, ServerMessage>? opened, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var place = Admit();
        var attachment = Add(name, options);
        try
        {
            request = Sign(request with { User = UserFor(request.User) });
            request = request with { Terminal = request.Terminal ?? (request.Pipes ? null : Defaults.Terminal) };
            await _sessions.StartAsync(request, attachment.Bind, cancellationToken).ConfigureAwait(false);
        }
        catch (LinkException e)
        {
            attachment.Detach();
            throw new LinkException(e.Code, e.Message, e) { Name = name };
        }
        catch (Exception)
        {
            attachment.Detach();
            throw;
        }

        attachment.Open(opened?.Invoke(attachment));
        return attachment;
    }

    /// <summary>A request that says who starts it, where it does not yet: for the session's owner and the audit log.</summary>
    public RunRequest Sign(RunRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.Owner.Length > 0 ? request : request with { Owner = Grant.Id, Starter = new Starter(Grant.Name, Grant.Id, Caller.Address, ConnectionId) };
    }

    /// <summary>
    /// Takes a place for a program that is started for it by another way than <see cref="StartAsync"/>; disposing the result, once that has been done, gives
    /// it back.
    /// </summary>
    /// <exception cref="LinkException">It may not start any, or no more.</exception>
    public IDisposable Admit()
    {
        Demand(Access.Drive);
        return _admission.Take(Grant, Caller);
    }

    /// <summary>Attaches to a session that exists.</summary>
    /// <param name="name">What the peer calls it.</param>
    /// <param name="session">The session.</param>
    /// <param name="options">From where, and how.</param>
    /// <param name="opened">Makes the message that is sent before the first output; null = none.</param>
    /// <exception cref="LinkException">It may not, or the name is taken.</exception>
    public Attachment Attach(string name, ISession session, AttachOptions options, Func<Attachment, ServerMessage>? opened)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(options);
        if (!Grant.Sees(session.Info))
            throw new LinkException(FailureCode.NotFound, $"there is no session \"{session.Id}\"");
        Demand(options.Overrules ? Access.Own : options.Access is Access.View ? Access.View : Access.Drive);
        if ((options.Overrules || options.Access > Access.View) && !MayDrive(session.Info))
        {
            throw new LinkException(
                FailureCode.Denied, $"this session runs as \"{session.Info.User}\", which {Grant.Name} may not: attach to view")
            { Name = name };
        }

        var attachment = Add(name, options);
        try
        {
            attachment.Bind(session);
        }
        catch (Exception)
        {
            attachment.Detach();
            throw;
        }

        attachment.Open(opened?.Invoke(attachment));
        return attachment;
    }

    /// <summary>Ends an attachment: nothing of its name is sent after this has returned. Nothing happens where there is none.</summary>
    public void Detach(string name) => Find(name)?.Detach();

    /// <summary>Sends a message behind all that was posted and before all output. Any thread; never waits.</summary>
    public void Post(ServerMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        message.Client ??= Client;
        _outbox.Post(message);
    }

    /// <summary>
    /// Sends a piece of something long behind what was sent so before, in turns with output; what is posted overtakes it. Who has more to send waits
    /// for each piece. Any thread.
    /// </summary>
    /// <returns>Completes when the transport has taken it.</returns>
    /// <exception cref="OperationCanceledException">The connection has ended.</exception>
    public Task SendAsync(ServerMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        message.Client ??= Client;
        return _outbox.SendAsync(message);
    }

    /// <summary>Runs what goes on for the peer after a call was answered. The connection's end waits for it, so it heeds <see cref="Gone"/>.</summary>
    /// <param name="work">It must not throw anything but <see cref="OperationCanceledException"/>.</param>
    public void Run(Func<CancellationToken, Task> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        _tasks.Add(Task.Run(() => work(Gone), CancellationToken.None));
    }

    /// <summary>It calls itself something else from now on; who sees it attached already sees the name that it had.</summary>
    internal void Rename(string label) => _label = label;

    /// <summary>Checks a right; the one place that does.</summary>
    /// <param name="needed">What is needed on the device.</param>
    /// <param name="attachment">Where it is about a session, through which attachment.</param>
    /// <exception cref="LinkException">It may not.</exception>
    public void Demand(Access needed, Attachment? attachment = null)
    {
        Grant.Demand(needed);
        if (attachment?.Access < needed)
        {
            throw new LinkException(
                FailureCode.Denied,
                attachment.WantsToDrive ? "another client drives this session; ask for it by \"request\"" : "it is attached only to view")
            {
                Name = attachment.Name,
            };
        }
    }

    /// <summary>Checks whether it may end a session: its own while it drives, or any where it may take over.</summary>
    /// <exception cref="LinkException">It may not.</exception>
    internal void DemandStop(Attachment attachment)
    {
        var grant = Grant;
        if (attachment is { WantsToDrive: true, Drives: false } && grant.Access >= Access.Own)
            return;
        Demand(Access.Drive, attachment);
        if (!grant.Ends(attachment.Session.Info))
            throw new LinkException(FailureCode.Denied, "another has started this session: ending it needs the right to own");
    }

    /// <summary>Whether it may drive a session at all, and so hold it up; who may not sees what it is fast enough for.</summary>
    internal bool MayDrive(SessionInfo session) => Grant.Access >= Access.Drive && Grant.MayType(session, () => _sessions.DefaultUser);

    /// <summary>Who it runs or uploads as.</summary>
    /// <param name="asked">The user that it names; null = the connection's, else the device's default.</param>
    /// <exception cref="LinkException">It may not be that user.</exception>
    public string? UserFor(string? asked) => Grant.UserFor(asked ?? Defaults.User);

    /// <summary>It is known now who it is.</summary>
    internal void Become(ClaimsPrincipal principal) => _connection.Become(principal);

    /// <summary>The connection cannot go on.</summary>
    internal void Abort(string why) => _abort(why);

    /// <summary>Called by the outbox under its lock: queues an attachment for its turn.</summary>
    internal bool Enqueue(Attachment attachment, out bool first)
    {
        first = _ready.Count == 0;
        if (attachment.IsQueued)
            return false;
        attachment.IsQueued = true;
        _ready.Enqueue(attachment);
        return true;
    }

    /// <summary>Called by the outbox under its lock: takes the attachment whose turn it is.</summary>
    internal Attachment? Dequeue(out bool more)
    {
        if (_ready.TryDequeue(out var attachment))
            attachment.IsQueued = false;
        more = _ready.Count > 0;
        return attachment;
    }

    /// <summary>An attachment has ended: its name is free.</summary>
    internal void Forget(Attachment attachment)
    {
        lock (_lock)
        {
            if (_attachments.GetValueOrDefault(attachment.Name) == attachment)
                _attachments.Remove(attachment.Name);
        }
    }

    /// <summary>A session's exit has been sent. What its program left behind is ended when the peer goes.</summary>
    internal void Finish(SessionHold? hold)
    {
        // Looking for what was left behind reads /proc; the caller may be the thread that serves all programs.
        if (hold is not null)
            _tasks.Run(() => Settle(hold));
    }

    /// <summary>Ends the programs that stop with their client; completes when it has been told their exits.</summary>
    internal Task StopAsync()
    {
        Attachment[] attachments;
        lock (_lock)
            attachments = [.. _attachments.Values];
        return Task.WhenAll(attachments.Where(attachment => attachment.StopWithClient(_tasks)).Select(attachment => attachment.Ended));
    }

    /// <summary>It has gone: all its attachments end, and what stops with it is stopped.</summary>
    internal async Task LeaveAsync()
    {
        Attachment[] attachments;
        SessionHold[] leftovers;
        lock (_lock)
        {
            _left = true;
            attachments = [.. _attachments.Values];
            leftovers = [.. _leftovers];
            _leftovers.Clear();
        }

        foreach (var attachment in attachments)
            attachment.Detach();
        foreach (var hold in leftovers)
            hold.Leave(0);
        await _gone.CancelAsync().ConfigureAwait(false);
        _gone.Dispose();
    }

    private Attachment Add(string name, AttachOptions options)
    {
        ArgumentNullException.ThrowIfNull(name);
        lock (_lock)
        {
            if (_left)
                throw new LinkException(FailureCode.Failed, "the connection has ended") { Name = name };
            if (_attachments.ContainsKey(name))
                throw new LinkException(FailureCode.AlreadyExists, $"there is a process \"{name}\" already") { Name = name };
            return _attachments[name] = new Attachment(this, name, options, _outbox);
        }
    }

    private void Settle(SessionHold hold)
    {
        var again = new List<SessionHold>();
        lock (_lock)
        {
            again.AddRange(_leftovers);
            _leftovers.Clear();
        }

        again.Add(hold);
        again.RemoveAll(one => one.Finish());
        if (again.Count == 0)
            return;
        bool left;
        lock (_lock)
        {
            left = _left;
            if (!left)
                _leftovers.AddRange(again);
        }

        if (left)
            again.ForEach(one => one.Leave(0));
    }
}
