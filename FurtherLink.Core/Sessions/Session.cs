using System.Buffers;
using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Sessions.Channels;
using FurtherLink.Sessions.Spills;
using FurtherLink.Telemetry;

namespace FurtherLink.Sessions;

/// <summary>A session whose program this process runs.</summary>
internal sealed class Session : IKeptSession
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<ExitStatus> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SessionInput _input;
    private readonly RunRequest _request;
    private readonly Spill? _spill;
    private readonly LinkMetrics? _metrics;
    private readonly List<SessionControl> _early = [];
    private SideChannels? _channels;
    private IProcess? _process;
    private SessionInfo _info;
    private Task? _following;
    private Task? _ending;
    private SessionScreen? _screen;
    private bool _stopEarly;
    private bool _removed;
    private bool _isShutDown;

    public Session(
        string id, RunRequest request, UserAccount user, LinkOptions options, TimeProvider time, Action<IKeptSession> gone, SpillStore? spills = null, LinkMetrics? metrics = null)
    {
        // What ends with its client has nobody to come back for it.
        if (request.Session.StopsAtOnce)
            spills = null;
        _request = request;
        _metrics = metrics;
        Action<ReadOnlySequence<byte>>? typed = request.Session.RecordInput ? data => Notices!.KeepTyped(data.ToArray()) : null;
        _input = new SessionInput(options.InputTimeout, time, mark => Members!.OnInputTaken(mark), typed, metrics);
        _info = new SessionInfo(id, request.Runner, 0, user.Name, "", request.Terminal, time.GetUtcNow()) { Name = request.Session.Name, Labels = request.Session.Labels, Owner = request.Owner };
        Output = new OutputLog(new LogOptions { Capacity = options.OutputCapacity, StallTimeout = options.ClientStallTimeout, Time = time, Archive = spills?.ArchiveOf(id), Metrics = metrics });
        Notices = new SessionNotices(Output);
        if (request.Terminal is { } size)
            Notices.KeepSize(size);
        _spill = spills?.Follow(id, Output, Notices);
        User = user;
        Members = new SessionMembers(request.Session, Notices, size => Control(new Resize(size)));
        Hold = new SessionHold(Output, request.Session, _spill is null ? options.KeepExited : options.SpillRetention, time, () => HasDescendants, () => gone(this));
        if (request.Terminal is { } shown && !Hold.StopsAtOnce)
            _screen = new SessionScreen(Output, shown);
    }

    public string Id => _info.Id;

    public SessionInfo Info => Known with { Members = Members.Count, End = Output.End };

    public SessionInfo Known => Volatile.Read(ref _info);

    public OutputLog Output { get; }

    public SessionNotices Notices { get; }

    /// <summary>Of a session that ends with its client it is made when somebody first asks, and knows what the log still has.</summary>
    public SessionScreen? Screen
    {
        get
        {
            lock (_lock)
            {
                if (_screen is null && !_removed && _info.Terminal is { } size)
                    _screen = new SessionScreen(Output, size);
                return _screen;
            }
        }
    }

    public SessionMembers Members { get; }

    public Task<ExitStatus> Exited => _exited.Task;

    public string? SpillTrouble => _spill?.Trouble;

    public SessionOptions Options => _request.Session;

    public UserAccount User { get; }

    public SessionHold Hold { get; }

    private bool HasDescendants => _process?.HasDescendants ?? false;

    /// <summary>Starts the program. Called once; where it throws, the session never was.</summary>
    [SupportedOSPlatform("linux")]
    public async Task StartAsync(IProcessRunner runner, Func<Session, SideChannels> openChannels, CancellationToken cancellationToken)
    {
        try
        {
            Hold.Begin();
            // Files are made and looked for: not on the caller's thread, which may be one that moves bytes for everybody.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            _channels = openChannels(this);
            var context = new ProcessContext(Id, Output.GetWriter(OutputKind.Out), Output.GetWriter(OutputKind.Error))
            {
                User = User,
                Environment = _channels.Environment,
                InputTaken = _input.OnTaken,
            };
            var process = await runner.StartAsync(_request, context, cancellationToken).ConfigureAwait(false);
            _channels.Open(process.Id);
            Run(process);
        }
        catch (Exception)
        {
            Hold.Dispose();
            _input.Dispose();
            if (_channels is not null)
                await _channels.DisposeAsync().ConfigureAwait(false);
            await DropOutputAsync().ConfigureAwait(false);
            throw;
        }
    }

    public ValueTask WriteAsync(ReadOnlySequence<byte> input, InputOptions options, CancellationToken cancellationToken)
    {
        var written = _input.WriteAsync(input, options);
        // What the program has not taken yet may take for ever.
        return options.Mark is null || written.IsCompleted ? written : new ValueTask(written.AsTask().WaitAsync(cancellationToken));
    }

    public ValueTask ControlAsync(SessionControl control, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(control);
        if (control is EndOfInput)
            return _input.WriteAsync(ReadOnlySequence<byte>.Empty, new InputOptions(End: true));
        if (control is Resize { Size: var size })
            Info.DemandTerminal(size);
        else if (control is Signal { Number: < 1 or > 64 } signal)
            throw new LinkException(FailureCode.BadValue, $"there is no signal {signal.Number}: it must be 1 to 64");

        if (control is Key key && OperatingSystem.IsLinux())
            return Volatile.Read(ref _process) is null ? ValueTask.CompletedTask : _channels!.SendKeyAsync(key, cancellationToken);
        Control(control);
        return ValueTask.CompletedTask;
    }

    /// <summary>Ends the program and what it left behind. The log and the exit status stay readable.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_process is null)
            {
                _stopEarly = true;
                return ValueTask.CompletedTask;
            }

            return new ValueTask(_ending ??= EndAsync(_process));
        }
    }

    public ValueTask ShutDownAsync()
    {
        Volatile.Write(ref _isShutDown, !_exited.Task.IsCompleted);
        return DisposeAsync();
    }

    public async Task RemoveAsync()
    {
        Hold.Dispose();
        await DisposeAsync().ConfigureAwait(false);
        await DropOutputAsync().ConfigureAwait(false);
    }

    [SupportedOSPlatform("linux")]
    private void Run(IProcess process)
    {
        lock (_lock)
        {
            _process = process;
            _info = _info with { ProcessId = process.Id, WorkingDirectory = process.WorkingDirectory };
            foreach (var control in _early)
                Apply(process, control);
            _early.Clear();
            _following = FollowAsync(process);
            if (_stopEarly)
                _ending = EndAsync(process);
        }

        _input.Open(process.Input);
    }

    private void Control(SessionControl control)
    {
        lock (_lock)
        {
            if (_process is null)
                Postpone(control);
            else
                Apply(_process, control);
        }
    }

    private void Postpone(SessionControl control)
    {
        // A key has nobody to listen yet. One size and each signal once: what waits for a start stays small.
        _early.RemoveAll(early => early == control || (early is Resize && control is Resize));
        _early.Add(control);
    }

    private void Apply(IProcess process, SessionControl control)
    {
        if (control is Signal signal)
            process.Signal(signal.Number);
        else if (control is Resize resize && process.TryResize(resize.Size))
        {
            _info = _info with { Terminal = resize.Size };
            _screen?.Resize(resize.Size);
            Notices.Publish(SessionNotices.ResizeTopic, resize.Size, Delivery.Every);
        }
    }

    [SupportedOSPlatform("linux")]
    private async Task FollowAsync(IProcess process)
    {
        var status = SessionTable.Explain(await process.Exited.ConfigureAwait(false), Volatile.Read(ref _isShutDown));
        _input.Dispose();
        await _channels!.DrainAsync().ConfigureAwait(false);
        lock (_lock)
            _info = _info with { Exit = status };
        _metrics?.SessionExited(_info.Runner, status, Output.Options.Time.GetUtcNow() - _info.Created);
        // Whoever waits for the end need not wait for what is cleaned up after it.
        Output.Complete(status);
        await _channels.DisposeAsync().ConfigureAwait(false);
        _exited.TrySetResult(status);
        Hold.Exit();
    }

    private async Task DropOutputAsync()
    {
        lock (_lock)
        {
            _removed = true;
            _screen?.Dispose();
        }

        if (_spill is not null)
            await _spill.DisposeAsync().ConfigureAwait(false);
        Output.Dispose();
    }

    private async Task EndAsync(IProcess process)
    {
        // Off the caller's lock and thread: ending takes as long as the program's grace.
        await Task.Yield();
        await process.DisposeAsync().ConfigureAwait(false);
        await _following!.ConfigureAwait(false);
    }
}
