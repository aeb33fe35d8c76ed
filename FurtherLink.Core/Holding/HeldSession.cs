using System.Buffers;
using FurtherLink.Codecs;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Sessions;
using FurtherLink.Sessions.Logs;
using FurtherLink.Sessions.Spills;
using FurtherLink.Telemetry;

namespace FurtherLink.Holding;

/// <summary>
/// A session whose program the holder runs: its log mirrors the holder's at the same offsets, and acknowledges what its own readers have
/// released, so that the holder keeps the rest.
/// </summary>
internal sealed class HeldSession : IKeptSession
{
    // The holder kills what has not ended within the grace; longer it takes where the system does not let go of a process.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<ExitStatus> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _removed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HeldInput _input;
    private readonly TimeProvider _time;
    private readonly long _window;
    private readonly Action<HeldSession> _forget;
    private readonly LinkMetrics? _metrics;
    private readonly SpillStore? _spills;
    private SpillStop? _spillStop;
    private HolderLink? _link;
    private SessionInfo _info;
    private Task _following = Task.CompletedTask;
    private long _acknowledged;
    private volatile bool _stopEarly;
    private volatile bool _letGo;
    private volatile bool _isShutDown;
    private bool _ended;

    private HeldSession(
        SessionInfo info, SessionOptions options, long start, LinkOptions settings, SpillStore? spills, TimeProvider time, Action<IKeptSession> gone, Action<HeldSession> forget, LinkMetrics? metrics)
    {
        _info = info;
        _metrics = metrics;
        _spills = spills;
        _forget = forget;
        _time = time;
        _window = settings.OutputCapacity;
        _acknowledged = start;
        Options = options;
        Output = new OutputLog(new LogOptions
        {
            // What the holder keeps fits in, however differently it lies here.
            Capacity = settings.OutputCapacity + (settings.OutputCapacity / 8),
            StallTimeout = settings.ClientStallTimeout,
            Time = time,
            Start = start,
            Archive = spills?.ArchiveOf(info.Id, isWrittenElsewhere: true),
            Metrics = metrics,
        })
        {
            OnRoom = Acknowledge,
        };
        Notices = new SessionNotices(Output);
        Members = new SessionMembers(options, Notices, size => Send(new HeldMessage { Type = "resize", Size = size }));
        Hold = new SessionHold(Output, options, spills is null ? settings.KeepExited : settings.SpillRetention, time, static () => false, () => gone(this));
        _input = new HeldInput(settings.InputCapacity, SendInput);
    }

    public string Id => _info.Id;

    public SessionInfo Info => Known with { Members = Members.Count, End = Output.End };

    public SessionInfo Known => Volatile.Read(ref _info);

    public OutputLog Output { get; }

    public SessionNotices Notices { get; }

    public SessionScreen? Screen { get; private set; }

    public SessionMembers Members { get; }

    public SessionOptions Options { get; }

    public SessionHold Hold { get; }

    public Task<ExitStatus> Exited => _exited.Task;

    /// <summary>The holder, which writes, says that it has stopped, and not that it goes on.</summary>
    public string? SpillTrouble => Volatile.Read(ref _spillStop) is { } stop && _spills?.HasWritten(Id, stop.At) == false ? stop.Reason : null;

    /// <summary>Makes a session whose program does not run yet.</summary>
    public static HeldSession Create(string id, RunRequest request, UserAccount user, LinkOptions settings, SpillStore? spills, TimeProvider time, Action<IKeptSession> gone, Action<HeldSession> forget, LinkMetrics? metrics = null)
    {
        var info = new SessionInfo(id, request.Runner, 0, user.Name, "", request.Terminal, time.GetUtcNow()) { Name = request.Session.Name, Labels = request.Session.Labels, Owner = request.Owner };
        var session = new HeldSession(info, request.Session, 0, settings, spills, time, gone, forget, metrics);
        if (request.Terminal is { } size)
        {
            session.Notices.KeepSize(size);
            session.Screen = new SessionScreen(session.Output, size);
        }

        return session;
    }

    /// <summary>Makes a session of what the holder has held.</summary>
    public static HeldSession Recover(HeldState state, LinkOptions settings, SpillStore? spills, TimeProvider time, Action<IKeptSession> gone, Action<HeldSession> forget, LinkMetrics? metrics = null)
    {
        // What has ended already was counted before.
        var session = new HeldSession(state.Info with { Exit = null }, state.Options, state.Start, settings, spills, time, gone, forget, state.Info.Exit is null ? metrics : null);
        if (state is { Screen: { } shown, Info.Terminal: { } size })
        {
            session.Screen = new SessionScreen(session.Output, size);
            session.Screen.Restore(shown, state.ScreenOffset);
        }

        foreach (var mark in state.Inputs)
            session.Members.OnInputTaken(mark);
        session.Notices.Keep(state.Events.Select(ToNotice));
        return session;
    }

    /// <summary>Asks the holder to run the program. What is said to the session from now on follows behind.</summary>
    public void Start(HolderLink link, RunRequest request) =>
        Begin(link, new HeldMessage { Type = "start", Session = Id, Request = request, Window = _window });

    /// <summary>Asks the holder for the program that runs already, or has ended.</summary>
    public void Attach(HolderLink link) => Begin(link, new HeldMessage { Type = "attach", Session = Id, Offset = Output.Start, Window = _window });

    /// <summary>Follows the program, once the link is connected.</summary>
    /// <exception cref="LinkException">The holder cannot start it, or has it no more; the session never was.</exception>
    public async Task OpenAsync()
    {
        _following = FollowAsync(_link!);
        try
        {
            await _opened.Task.ConfigureAwait(false);
        }
        catch
        {
            await AbandonAsync().ConfigureAwait(false);
            throw;
        }

        if (_stopEarly)
            Send(new HeldMessage { Type = "stop" });
    }

    /// <summary>The session never was.</summary>
    public async Task AbandonAsync()
    {
        Hold.Dispose();
        await LetGoAsync().ConfigureAwait(false);
        Screen?.Dispose();
        Output.Dispose();
    }

    public ValueTask WriteAsync(ReadOnlySequence<byte> input, InputOptions options, CancellationToken cancellationToken)
    {
        if (Options.RecordInput)
            Notices.KeepTyped(input.ToArray());
        var written = _input.WriteAsync(input, options);
        return options.Mark is null || written.IsCompleted ? written : new ValueTask(written.AsTask().WaitAsync(cancellationToken));
    }

    public ValueTask ControlAsync(SessionControl control, CancellationToken cancellationToken)
    {
        switch (control)
        {
            case EndOfInput:
                return _input.WriteAsync(ReadOnlySequence<byte>.Empty, new InputOptions(End: true));
            case Resize { Size: var size }:
                Info.DemandTerminal(size);
                Send(new HeldMessage { Type = "resize", Size = size });
                break;
            case Signal { Number: < 1 or > 64 } signal:
                throw new LinkException(FailureCode.BadValue, $"there is no signal {signal.Number}: it must be 1 to 64");
            case Signal signal:
                Send(new HeldMessage { Type = "signal", Number = signal.Number });
                break;
            case Key key:
                Send(new HeldMessage { Type = "key", Name = key.Name, Text = key.Event });
                break;
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Ends the program and what it left behind. The log and the exit status stay readable.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_opened.Task.IsCompleted)
        {
            _stopEarly = true;
            return;
        }

        if (!_opened.Task.IsCompletedSuccessfully)
            return;
        Send(new HeldMessage { Type = "stop" });
        try
        {
            await _exited.Task.WaitAsync(StopTimeout, _time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            End(new ExitStatus(-9) { Reason = "the process that holds it does not answer" });
        }
    }

    public ValueTask ShutDownAsync()
    {
        _isShutDown = true;
        return DisposeAsync();
    }

    public async Task RemoveAsync()
    {
        Hold.Dispose();
        await DisposeAsync().ConfigureAwait(false);
        await TellRemovedAsync().ConfigureAwait(false);
        await LetGoAsync().ConfigureAwait(false);
        _forget(this);
        Screen?.Dispose();
        Output.Dispose();
    }

    /// <summary>Follows no more: the program goes on without this process.</summary>
    public async Task LetGoAsync()
    {
        _letGo = true;
        HolderLink? link;
        lock (_lock)
            link = _link;
        if (link is not null)
            await link.DisposeAsync().ConfigureAwait(false);
        // A write into a full log ends with it.
        Output.Complete(new ExitStatus(-9) { Reason = "this server follows it no more" });
        await _following.ConfigureAwait(false);
    }

    private static SessionNotice ToNotice(HeldEvent one)
    {
        var topic = one.Size is null ? SessionNotices.TypedTopic : SessionNotices.ResizeTopic;
        return new SessionNotice(topic, (object?)one.Size ?? one.Typed, Delivery.Every, one.Offset) { Time = one.Time };
    }

    /// <summary>The holder forgets it too; it says so, or it is gone.</summary>
    private async Task TellRemovedAsync()
    {
        Send(new HeldMessage { Type = "remove", Session = Id });
        try
        {
            await Task.WhenAny(_removed.Task, _following).WaitAsync(StopTimeout, _time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Then it keeps the session until its own time is over.
        }
    }

    private void Begin(HolderLink link, HeldMessage opening)
    {
        link.Send(opening);
        lock (_lock)
            _link = link;
        Hold.Begin();
    }

    private async Task FollowAsync(HolderLink link)
    {
        await Task.Yield();
        Exception? fault = null;
        try
        {
            await link.ReceiveAsync(TakeAsync).ConfigureAwait(false);
        }
        catch (LinkException e)
        {
            fault = e;
        }

        _opened.TrySetException(fault ?? new LinkException(FailureCode.Failed, "the process that holds sessions has ended"));
        if (!_letGo)
            End(new ExitStatus(-9) { Reason = $"the process that held it is gone{(fault is null ? "" : $": {fault.Message}")}" });
        await link.DisposeAsync().ConfigureAwait(false);
    }

    private ValueTask TakeAsync(Frame frame)
    {
        if (frame.Kind is FrameKind.Close)
            return default;
        if (frame.Kind is FrameKind.Text)
        {
            Take(HeldFrames.Read(frame.Body));
            return default;
        }

        if (HeldFrames.ReadOutput(frame.Body, out var kind, out var offset, out var time) is { } output)
            return AppendAsync(kind, offset, output, time);
        if (HeldFrames.ReadNotice(frame.Body, out var body) is { } topic)
            Notices.Publish(topic, (ReadOnlyMemory<byte>)body, Delivery.Latest);
        return default;
    }

    private void Take(HeldMessage message)
    {
        switch (message.Type)
        {
            case "started" or "attached":
                SetInfo(message.Info! with { Exit = null });
                _opened.TrySetResult();
                break;
            case "removed":
                _removed.TrySetResult();
                break;
            case "exited":
                End(message.Exit ?? default);
                break;
            case "taken" when message.Input is { } mark:
                Members.OnInputTaken(mark);
                _input.OnTaken(message.Ref);
                break;
            case "failed":
                var why = new LinkException(message.Code ?? FailureCode.Internal, message.Text ?? "");
                if (!_input.OnFailed(message.Ref, why))
                    _opened.TrySetException(why);
                break;
            case "notice" when message is { Size: { } size }:
                SetInfo(_info with { Terminal = size });
                Screen?.Resize(size);
                Notices.Publish(SessionNotices.ResizeTopic, size, Delivery.Every);
                break;
            case "notice" when message is { Name: "spill", Text: { } reason }:
                Volatile.Write(ref _spillStop, new SpillStop(reason, _time.GetUtcNow()));
                Notices.Publish("spill", new SpillStopped(reason), Delivery.Every);
                break;
            case "notice" when message.Name is { } topic:
                Notices.Publish(topic, (object?)message.Display ?? message.Text, topic == "video" ? Delivery.Latest : Delivery.Every);
                break;
        }
    }

    private async ValueTask AppendAsync(OutputKind kind, long offset, ReadOnlySequence<byte> output, long time)
    {
        if (offset > Output.End)
            Output.SkipTo(offset);
        var writer = (LogWriter)Output.GetWriter(kind);
        writer.Time = time;
        foreach (var part in output)
            writer.Write(part.Span);
        await writer.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        Acknowledge();
    }

    private void End(ExitStatus status)
    {
        if (Interlocked.Exchange(ref _ended, true))
            return;
        status = SessionTable.Explain(status, _isShutDown);

        // Of one that never ran its starter says so.
        if (_opened.Task.IsCompletedSuccessfully)
            _metrics?.SessionExited(_info.Runner, status, _time.GetUtcNow() - _info.Created);
        _input.Close(new LinkException(FailureCode.InputClosed, "the program has closed its input"));
        SetInfo(_info with { Exit = status });
        Output.Complete(status);
        _exited.TrySetResult(status);
        Hold.Exit();
    }

    /// <summary>Readers may need less: tells the holder, a quarter of the window at a time.</summary>
    private void Acknowledge()
    {
        var floor = Output.Floor;
        lock (_lock)
        {
            if (_link is null || floor - _acknowledged < _window / 4)
                return;
            _acknowledged = floor;
        }

        Send(new HeldMessage { Type = "ack", Offset = floor });
    }

    private void SetInfo(SessionInfo info) => Volatile.Write(ref _info, info);

    private void Send(HeldMessage message)
    {
        HolderLink? link;
        lock (_lock)
            link = _link;
        link?.Send(message);
    }

    private void SendInput(long reference, InputMark mark, bool end, ReadOnlySequence<byte> data)
    {
        HolderLink? link;
        lock (_lock)
            link = _link;
        _metrics?.Typed(data.Length);
        link?.Send((reference, mark, end, data), static (frames, input) => HeldFrames.WriteInput(frames, input.reference, input.mark, input.end, input.data));
    }

    /// <summary>That output was not kept on disk, and when this was told.</summary>
    private sealed record SpillStop(string Reason, DateTimeOffset At);
}
