using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using FurtherLink.Messages;

namespace FurtherLink.Client;

/// <summary>
/// A session as a client sees it: its input, its output, how it ends. It goes on at the next byte after a lost connection. Thread safe, but each
/// of <see cref="Output"/> and <see cref="Error"/> has one reader.
/// </summary>
public sealed class ClientSession : IAsyncDisposable
{
    private readonly FurtherLinkClient _client;
    private readonly TaskCompletionSource<ExitStatus> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PendingInput _input;
    private ReceivedOutput _output;
    private volatile SessionInfo _info;
    private volatile IReadOnlyList<MemberInfo> _members = [];
    private volatile bool _over;
    private volatile bool _drives;

    internal ClientSession(FurtherLinkClient client, string name, ClientMessage opening, AttachOptions options)
    {
        _client = client;
        Name = name;
        Opening = opening;
        Options = options;
        _info = new SessionInfo("", "", 0, "", "", null, default);
        _output = new ReceivedOutput(options.From ?? 0, client.Options.Window, Acknowledge);
        _input = new PendingInput(Send);
    }

    /// <summary>The session's global id, unique on its device.</summary>
    public string Id => _info.Id;

    /// <summary>What it was when it was started or attached to, with its terminal's size and its end as they are known since.</summary>
    public SessionInfo Info => _info;

    /// <summary>Its standard output, or everything of a terminal, from the offset that was asked for. Ends with the session; fails where it is lost.</summary>
    /// <remarks>
    /// Bytes that are here and not read are bounded by <see cref="ClientOptions.Window"/>, over both streams: then the program waits. Who wants
    /// one stream alone reads the other all the same, or completes its reader: what comes of it then counts as read, and goes nowhere.
    /// </remarks>
    public PipeReader Output => _output.Out;

    /// <summary>Its standard error, of a session without a terminal.</summary>
    public PipeReader Error => _output.Error;

    /// <summary>The offset of the first byte of output that comes here, in bytes since the session's start.</summary>
    public long StartOffset => _output.From;

    /// <summary>The offset behind the last byte that has come: where another client would go on.</summary>
    public long Offset => _output.Next;

    /// <summary>Bytes of output that were asked for and will never come: gone before it attached, or it was too slow. See <see cref="Missed"/>.</summary>
    public long MissedBytes => _output.Missed;

    /// <summary>What a reset terminal of the session's size is brought by to what the session's shows; null where it was not asked for.</summary>
    public ReadOnlyMemory<byte>? Screen { get; private set; }

    /// <summary>Its number among those who are attached.</summary>
    public int Member { get; private set; }

    /// <summary>Whether it may type now, as the server has told last: false also for one that wants to while another does.</summary>
    public bool Drives => _drives;

    /// <summary>Who is attached, as the server has told last.</summary>
    public IReadOnlyList<MemberInfo> Members => _members;

    /// <summary>
    /// Completes when the program has ended and all its output is in <see cref="Output"/> and <see cref="Error"/>. Fails with a
    /// <see cref="LinkException"/> where the session is lost: the connection for good, detached by somebody.
    /// </summary>
    public Task<ExitStatus> Exited => _exited.Task;

    /// <summary>
    /// What happens beside the output: the notices "presence" (a list of <see cref="MemberInfo"/>), "resize" (<see cref="TerminalSize"/>), "spill"
    /// (<see cref="SpillStopped"/>), "video" and "keylisten" (texts), "novnc" (<see cref="DisplayAddress"/>). Raised on the connection's thread: handlers must not wait.
    /// </summary>
    public event EventHandler<NoticeEventArgs>? Noticed;

    /// <summary>Raised where output will never come, with its place; on the connection's thread, before what follows it.</summary>
    public event EventHandler<MissedEventArgs>? Missed;

    internal string Name { get; }

    /// <summary>What it was begun by; a start is sent again where it is not known to have been carried out.</summary>
    internal ClientMessage Opening { get; }

    internal AttachOptions Options { get; }

    /// <summary>Whether its start or attach has been answered.</summary>
    internal bool IsOpen => _info.Id.Length > 0;

    /// <summary>
    /// Writes to the program's input. Completes when the bytes are sent; waits while the connection is lost, and while the program does not
    /// take what was written before (half of what the server keeps for it). They are taken once, in order, whatever happens to the connection.
    /// </summary>
    /// <param name="data">The bytes; copied.</param>
    /// <param name="cancellationToken">Ends the waiting; what has been sent until then stays sent.</param>
    /// <exception cref="LinkException">
    /// The program does not take input any more (<see cref="FailureCode.InputClosed"/>), another drives (<see cref="FailureCode.Denied"/>), or
    /// the session has ended or is lost. What is refused later shows at the next call.
    /// </exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default) =>
        data.IsEmpty ? ValueTask.CompletedTask : _input.WriteAsync(data, end: false, cancellationToken);

    /// <summary>As <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>, of a text in UTF-8.</summary>
    public ValueTask WriteAsync(string text, CancellationToken cancellationToken = default) =>
        WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);

    /// <summary>Ends the input behind all that was written: end of file on pipes, Ctrl-D on a terminal. Does nothing where it was ended before.</summary>
    /// <exception cref="LinkException">As for writing.</exception>
    public ValueTask CompleteInputAsync(CancellationToken cancellationToken = default) =>
        _input.WriteAsync(ReadOnlyMemory<byte>.Empty, end: true, cancellationToken);

    /// <summary>Waits until the program has taken all input.</summary>
    /// <exception cref="LinkException">As for writing.</exception>
    public Task FlushInputAsync(CancellationToken cancellationToken = default) => _input.FlushAsync(cancellationToken);

    /// <summary>Sets the terminal's size.</summary>
    /// <exception cref="LinkException">There is no terminal, the size is not valid, or another drives.</exception>
    public Task ResizeAsync(TerminalSize size, CancellationToken cancellationToken = default) => ControlAsync(new Resize(size), cancellationToken);

    /// <summary>Sends a signal to the program's process group.</summary>
    /// <param name="signal">Its number (signal(7)), as 2 for SIGINT.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="LinkException">There is no such signal, or another drives.</exception>
    public Task SignalAsync(int signal, CancellationToken cancellationToken = default) => ControlAsync(new Signal(signal), cancellationToken);

    /// <summary>Hands a key event to a program that listens for it.</summary>
    /// <param name="key">The key as the web's KeyboardEvent.key names it.</param>
    /// <param name="isDown">Pressed or released.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="LinkException">Another drives.</exception>
    public Task SendKeyAsync(string key, bool isDown, CancellationToken cancellationToken = default) =>
        ControlAsync(new Key(key, isDown ? "keydown" : "keyup"), cancellationToken);

    /// <summary>
    /// Ends the program and everything it started, and waits for its end; does nothing where it has ended. Output that nobody reads meanwhile stays
    /// readable and delays nothing, up to 16 MiB.
    /// </summary>
    /// <returns>How it ended.</returns>
    /// <exception cref="LinkException">It may not, or the session is lost.</exception>
    public async Task<ExitStatus> StopAsync(CancellationToken cancellationToken = default)
    {
        if (!_over)
        {
            _output.Hurry();
            try
            {
                await _client.AskAsync(new Stop(Name), cancellationToken).ConfigureAwait(false);
            }
            catch (LinkException) when (_over)
            {
                // It has ended by itself meanwhile.
            }
        }

        return await Exited.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends the attachment; the program goes on, or ends, by what its start said. Output and exit fail from here on.</summary>
    public async Task DetachAsync(CancellationToken cancellationToken = default)
    {
        if (!_over)
            await _client.AskAsync(new Detach(Name), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks to drive; everybody attached sees it, and who drives may hand over.</summary>
    public Task RequestDriveAsync(CancellationToken cancellationToken = default) => CallAsync("sessions.request", null, cancellationToken);

    /// <summary>Hands over to another who is attached.</summary>
    /// <param name="member">The other's number in <see cref="Members"/>.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    public Task GrantDriveAsync(int member, CancellationToken cancellationToken = default) => CallAsync("sessions.grant", member, cancellationToken);

    /// <summary>Takes over from who drives; needs the right to own.</summary>
    public Task TakeDriveAsync(CancellationToken cancellationToken = default) => CallAsync("sessions.take", null, cancellationToken);

    /// <summary>
    /// Ends what this has begun: a program that it started and that is to stop without it is stopped, everything else is left and goes on.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_over || _client.IsClosed)
                return;
            if (Opening is Start { Request.Session.WhenDetached: WhenDetached.Stop })
            {
                // What nobody reads any more must not hold up the end.
                _output.Discard();
                await StopAsync().ConfigureAwait(false);
            }
            else
            {
                await DetachAsync().ConfigureAwait(false);
            }
        }
        catch (LinkException)
        {
            // Lost, or ended meanwhile: that is what was wanted.
        }
    }

    /// <summary>Takes what the server says of it.</summary>
    internal void Receive(ServerMessage message)
    {
        switch (message)
        {
            case Output output:
                _output.Receive(output);
                break;
            case Missed missed:
                _output.Skip(missed.To);
                Missed?.Invoke(this, new MissedEventArgs(missed.From, missed.To));
                break;
            case Exited exited:
                _info = _info with { Exit = exited.Status };
                End(null);
                _exited.TrySetResult(exited.Status);
                break;
            case Notice notice:
                Receive(notice);
                break;
        }
    }

    /// <summary>Its start or attach was carried out.</summary>
    internal void Opened(ServerMessage answer)
    {
        var isFirst = !IsOpen;
        _input.Capacity = _client.InputWindow;
        switch (answer)
        {
            case Started started:
                _info = started.Session;
                Member = started.Member;
                _drives = true;
                break;
            case Attached attached:
                _info = attached.Session;
                Member = attached.Member;
                _drives = attached.Access >= Access.Drive;
                if (isFirst && Opening is Attach)
                {
                    Screen = attached.Screen;
                    _output = new ReceivedOutput(attached.Offset, _client.Options.Window, Acknowledge);
                }

                _input.Restart(isFirst ? null : attached.LastInput);
                break;
        }
    }

    /// <summary>What is to be sent so that it goes on, over a new connection.</summary>
    internal Attach Resume(string session) => new(Name, session, Options with { From = _output.Next, Screen = false });

    /// <summary>An input was refused: what was sent behind it was, too.</summary>
    internal void InputRefused(LinkException why) => _input.Refused(why);

    /// <summary>Whether input waits until it is known what was taken.</summary>
    internal bool IsInputPaused => _input.IsPaused;

    /// <summary>The connection is lost.</summary>
    internal void PauseInput() => _input.Pause();

    /// <summary>All that was sent behind a refused input has been answered: what is kept is sent again.</summary>
    internal void RestartInput() => _input.Restart(null);

    /// <summary>It is lost.</summary>
    internal void Lose(LinkException why)
    {
        End(why);
        _exited.TrySetException(why);
        // What nobody reads is no fault of the runtime's.
        _ = _exited.Task.Exception;
    }

    private void Receive(Notice notice)
    {
        switch (notice)
        {
            case { Topic: "input", Body: InputTaken taken }:
                _input.Taken(taken.Mark.Sequence);
                return;
            case { Topic: "detached", Body: Detached detached }:
                _client.Forget(this);
                Lose(new LinkException(FailureCode.NotFound, detached.Reason is { } reason ? $"detached: {reason}" : "detached"));
                return;
            case { Topic: "presence", Body: IReadOnlyList<MemberInfo> members }:
                _members = members;
                _drives = members.Any(member => member.Id == Member && member.Drives);
                break;
            case { Topic: "resize", Body: TerminalSize size }:
                _info = _info with { Terminal = size };
                break;
        }

        Noticed?.Invoke(this, new NoticeEventArgs(notice));
    }

    private void End(LinkException? why)
    {
        _over = true;
        _output.Complete(why);
        _input.Close(why ?? new LinkException(FailureCode.InputClosed, "the program has ended"));
    }

    private void Send(PendingInput.Piece piece) => _client.Post(new Input
    {
        Name = Name,
        Data = new ReadOnlySequence<byte>(piece.Data),
        End = piece.End,
        Sequence = piece.Sequence,
        Ref = FurtherLinkClient.InputRef,
    });

    private void Acknowledge(long offset)
    {
        if (!_over)
            _client.Post(new Acknowledge(Name, offset));
    }

    private Task ControlAsync(SessionControl action, CancellationToken cancellationToken) =>
        _over ? Task.FromException(new LinkException(FailureCode.NotFound, "the program has ended")) : _client.AskAsync(new Control(Name, action), cancellationToken);

    private Task<ServerMessage> CallAsync(string call, object? body, CancellationToken cancellationToken) =>
        _client.AskAsync(new Call(call, body) { Session = Name }, cancellationToken);
}
