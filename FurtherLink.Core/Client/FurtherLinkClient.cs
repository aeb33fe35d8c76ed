using System.Collections.Concurrent;
using System.Security.Cryptography;
using FurtherLink.Client.Connectors;
using FurtherLink.Messages;

namespace FurtherLink.Client;

/// <summary>
/// A client of a FurtherLink server: starts programs, attaches to sessions, uploads. It comes back after a lost connection, and its sessions go on at
/// the next byte, both ways. Thread safe.
/// </summary>
public sealed class FurtherLinkClient : IAsyncDisposable
{
    /// <summary>What inputs are sent with, so that a refusal says why in a form for programs.</summary>
    internal const string InputRef = "i";

    private const int UploadAttempts = 5;

    private readonly KeptLink _link;
    private readonly ConcurrentDictionary<string, ClientSession> _sessions = new(StringComparer.Ordinal);
    private readonly PendingRequests _requests = new();
    private long _lastName;

    private FurtherLinkClient(ILinkConnector connector, ClientOptions options)
    {
        Options = options;
        _link = new KeptLink(connector, options, _requests)
        {
            Received = Receive,
            Lost = Pause,
            Back = Resume,
            Ended = Close,
        };
    }

    /// <summary>Where it is connected to, for people.</summary>
    public string Target => _link.Target;

    /// <summary>What the server is and takes.</summary>
    public HelloAnswer Server => _link.Server;

    /// <summary>How it behaves.</summary>
    public ClientOptions Options { get; }

    /// <summary>Completes when the connection has ended for good, with why; never fails.</summary>
    public Task<string> Closed => _link.Closed;

    internal bool IsClosed => _link.Closed.IsCompleted;

    /// <summary>Input of one session that may be under way: half of what the server keeps for a program, so that it never has to refuse any.</summary>
    internal int InputWindow => Math.Max(Server.InputCapacity / 2, 1024);

    /// <summary>Connects.</summary>
    /// <param name="connector">The way to the server.</param>
    /// <param name="options">How the client behaves; null = the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LinkConnectException">The server cannot be reached, or what answers is none.</exception>
    public static async Task<FurtherLinkClient> ConnectAsync(ILinkConnector connector, ClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        var client = Create(connector, options);
        await client._link.OpenAsync(cancellationToken).ConfigureAwait(false);
        return client;
    }

    /// <summary>Makes a client that connects when it is first used, and where that fails at its next use again.</summary>
    /// <param name="connector">The way to the server.</param>
    /// <param name="options">How the client behaves; null = the defaults.</param>
    public static FurtherLinkClient Create(ILinkConnector connector, ClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(connector);
        return new FurtherLinkClient(connector, options ?? new ClientOptions());
    }

    /// <summary>Connects to a device by its address, see <see cref="DeviceAddress.Parse"/>.</summary>
    /// <param name="address">"wss://pi.local:8028/run", "ws://...", "unix:/path/to.sock", or "exec:ssh pi furtherlink stdio".</param>
    /// <param name="options">How the client behaves; null = the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FormatException">That is no address.</exception>
    /// <exception cref="LinkConnectException">The server cannot be reached, or what answers is none.</exception>
    public static Task<FurtherLinkClient> ConnectAsync(string address, ClientOptions? options = null, CancellationToken cancellationToken = default) =>
        ConnectAsync(DeviceAddress.Parse(address), options, cancellationToken);

    /// <summary>Starts a program and attaches to its session.</summary>
    /// <param name="request">
    /// What to run. A session that ends with its last client gets a grace of <see cref="ClientOptions.ReconnectTimeout"/> where it has none, so that
    /// it outlives a lost connection.
    /// </param>
    /// <param name="cancellationToken">Gives up; the program may have been started.</param>
    /// <exception cref="LinkException">It cannot be started; the message says why.</exception>
    public async Task<ClientSession> StartAsync(RunRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var name = NextName();
        var options = new AttachOptions { Window = Options.Window, ClientId = NewId(), Text = false, Patient = true };
        var start = new Start(name, Durable(request)) { Options = options };
        return await OpenSessionAsync(new ClientSession(this, name, start, options), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Attaches to a session.</summary>
    /// <param name="session">Its id or name.</param>
    /// <param name="request">From where, and how; null = from the start, to drive.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LinkException">There is none, or it may not.</exception>
    public async Task<ClientSession> AttachAsync(string session, AttachRequest? request = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        request ??= new AttachRequest();
        var name = NextName();
        var options = new AttachOptions
        {
            Window = Options.Window,
            ClientId = NewId(),
            Text = false,
            Patient = true,
            From = request.From,
            Access = request.Access,
            Screen = request.Screen,
            Lossless = request.Lossless,
        };
        var attach = new Attach(name, session, options);
        return await OpenSessionAsync(new ClientSession(this, name, attach, options), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The device's sessions, oldest first, ended ones that can still be read included.</summary>
    /// <exception cref="LinkException">It may not, or the connection has ended.</exception>
    public async Task<IReadOnlyList<SessionInfo>> ListAsync(CancellationToken cancellationToken = default) =>
        await AskAsync(new Call("sessions.list", null), cancellationToken).ConfigureAwait(false) is Result { Body: IReadOnlyList<SessionInfo> sessions } ? sessions : [];

    /// <summary>
    /// Puts a directory into the device's work directory, whole or not at all: it replaces what stood under the name. Begins anew after a lost
    /// connection. Empty directories are left out, links to directories not followed, and what is no file, such as a pipe, is left out.
    /// </summary>
    /// <param name="directory">The directory here.</param>
    /// <param name="name">What it is called there: a path below the work directory.</param>
    /// <param name="progress">Told how far it is; null = nobody.</param>
    /// <param name="user">The user whose files they become; null = who programs run as.</param>
    /// <param name="cancellationToken">Ends it; nothing is changed then.</param>
    /// <returns>The paths, within the directory, of what was left out because it is no file: pipes, sockets, devices, links that lead nowhere.</returns>
    /// <exception cref="LinkException">The server refuses it, or the connection has ended.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public async Task<IReadOnlyList<string>> UploadAsync(
        string directory, string name, IProgress<TransferProgress>? progress = null, string? user = null, CancellationToken cancellationToken = default)
    {
        var (files, leftOut) = ClientUpload.Find(directory);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await new ClientUpload(this, files, progress).RunAsync(new UploadBegin(name) { User = user }, cancellationToken).ConfigureAwait(false);
                return leftOut;
            }
            catch (LinkConnectException) when (!IsClosed && attempt < UploadAttempts)
            {
                // The connection was lost: what was sent went with it.
            }
        }
    }

    /// <summary>Asks for an answer: how long the way is.</summary>
    /// <exception cref="LinkException">The connection has ended.</exception>
    public Task PingAsync(CancellationToken cancellationToken = default) => AskAsync(new Ping(), cancellationToken);

    /// <summary>Ends the connection; programs that it started and that are to stop without it are stopped, others go on.</summary>
    public async ValueTask DisposeAsync()
    {
        var sessions = Task.WhenAll(_sessions.Values.Select(session => session.DisposeAsync().AsTask()));
        await _link.CloseAsync(sessions).ConfigureAwait(false);
        await sessions.ConfigureAwait(false);
    }

    /// <summary>Sends a message, sooner or later; nothing happens while the connection is lost.</summary>
    internal void Post(ClientMessage message) => _link.Post(message);

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <exception cref="LinkException">It was refused, or the connection was lost before the answer.</exception>
    internal async Task<ServerMessage> AskAsync(ClientMessage message, CancellationToken cancellationToken)
    {
        await _link.OpenAsync(cancellationToken).ConfigureAwait(false);
        if (IsClosed)
            throw Lost(await Closed.ConfigureAwait(false));
        var answer = _requests.Add(message);
        Post(message);
        // It may have been lost between: then nobody else would say so.
        if (IsClosed)
            _requests.Fail(Lost(await Closed.ConfigureAwait(false)));
        return await _requests.WaitAsync(message, answer, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Nothing more comes of a session.</summary>
    internal void Forget(ClientSession session) => _sessions.TryRemove(session.Name, out _);

    private static string NewId() => RandomNumberGenerator.GetHexString(24, lowercase: true);

    private static LinkConnectException Lost(string why) => new($"the connection has ended: {why}");

    private string NextName() => Interlocked.Increment(ref _lastName).ToString();

    private RunRequest Durable(RunRequest request)
    {
        var session = request.Session;
        if (session.WhenDetached is WhenDetached.Stop && session.Grace <= TimeSpan.Zero && _link.CanReconnect)
            session = session with { Grace = Options.ReconnectTimeout };
        return request with { Session = session, SessionId = request.SessionId ?? NewId() };
    }

    private async Task<ClientSession> OpenSessionAsync(ClientSession session, CancellationToken cancellationToken)
    {
        // Known before it is asked for: what happens to it follows its answer at once.
        _sessions[session.Name] = session;
        try
        {
            await AskAsync(session.Opening, cancellationToken).ConfigureAwait(false);
            return session;
        }
        catch
        {
            Forget(session);
            throw;
        }
    }

    private void Pause()
    {
        foreach (var session in _sessions.Values)
            session.PauseInput();
    }

    /// <summary>Takes up everything over a new connection.</summary>
    private void Resume()
    {
        foreach (var session in _sessions.Values)
            Post(session.IsOpen ? WithRef(session.Resume(session.Id)) : Again(session));
        foreach (var request in _requests.TakeUnanswered())
            Post(request);
    }

    // Whether a start was carried out shows by whether there is its session.
    private static ClientMessage Again(ClientSession session) =>
        session.Opening is Start start ? WithRef(session.Resume(start.Request.SessionId!)) : session.Opening;

    private static Attach WithRef(Attach attach)
    {
        attach.Ref = "a" + attach.Name;
        return attach;
    }

    private void Close(string why)
    {
        var lost = Lost(why);
        foreach (var session in _sessions.Values)
        {
            Forget(session);
            session.Lose(lost);
        }

        _requests.Fail(lost);
    }

    /// <summary>Takes a message; on the connection's thread.</summary>
    private void Receive(ServerMessage message)
    {
        var session = Find(message);
        switch (message)
        {
            case Output or Missed:
                session?.Receive(message);
                break;
            case Exited exited when session is not null:
                Forget(session);
                session.Receive(exited);
                break;
            case Notice:
                session?.Receive(message);
                // Of a detach; afterwards, so that who waits for it finds the session ended.
                _requests.Answer(message);
                break;
            case Started or Attached:
                session?.Opened(message);
                if (!_requests.Answer(message) && session is { Opening.Ref: { } opening })
                    _requests.Answer(opening, message);
                break;
            case Failed failed:
                Fail(failed, session);
                break;
            default:
                _requests.Answer(message);
                break;
        }
    }

    private void Fail(Failed failed, ClientSession? session)
    {
        var why = new LinkException(failed.Code, failed.Detail) { Name = failed.Name };
        if (failed.Ref == InputRef)
        {
            if (session is { IsInputPaused: false })
                RefuseInput(session, why);
        }
        else if (session is not null && failed.Ref == "a" + session.Name)
        {
            FailResume(session, why);
        }
        else if ((failed.Ref ?? _link.Greeting) is { } reference)
        {
            // A server that knows no "hello" knows no "ref" either.
            _requests.Fail(reference, why);
        }
    }

    // What was sent behind a refused input is refused too. The answer to a ping says that all of it has been.
    private void RefuseInput(ClientSession session, LinkException why)
    {
        session.InputRefused(why);
        var ping = new Ping();
        var answer = _requests.Add(ping);
        Post(ping);
        _ = RestartAsync();

        async Task RestartAsync()
        {
            try
            {
                await answer.ConfigureAwait(false);
                session.RestartInput();
            }
            catch (LinkException)
            {
                // The connection is lost: coming back restarts it.
            }
        }
    }

    private void FailResume(ClientSession session, LinkException why)
    {
        if (!session.IsOpen && session.Opening is Start && why.Code is FailureCode.NotFound or FailureCode.BadMessage)
        {
            // It was never carried out.
            Post(session.Opening);
            return;
        }

        Forget(session);
        if (session.IsOpen && why.Code is FailureCode.NotFound)
            why = new LinkException(why.Code, "the session is not there any more: the server was restarted and its programs ended with it") { Name = why.Name };
        session.Lose(why);
        if (session.Opening.Ref is { } opening)
            _requests.Fail(opening, why);
    }

    private ClientSession? Find(ServerMessage message) => message switch
    {
        Output output => Find(output.Name),
        Missed missed => Find(missed.Name),
        Exited exited => Find(exited.Name),
        Started started => Find(started.Name),
        Attached attached => Find(attached.Name),
        Notice notice => Find(notice.Name),
        Failed failed => Find(failed.Name),
        _ => null,
    };

    private ClientSession? Find(string? name) => name is null ? null : _sessions.GetValueOrDefault(name);
}
