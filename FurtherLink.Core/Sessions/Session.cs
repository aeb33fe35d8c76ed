using System.Buffers;
using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Sessions.Channels;

namespace FurtherLink.Sessions;

/// <summary>A session whose program this process runs.</summary>
internal sealed class Session : ISession
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<ExitStatus> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SessionInput _input;
    private readonly RunRequest _request;
    private readonly List<SessionControl> _early = [];
    private SideChannels? _channels;
    private IProcess? _process;
    private SessionInfo _info;
    private Task? _following;
    private Task? _ending;
    private bool _stopEarly;

    public Session(string id, RunRequest request, UserAccount user, LinkOptions options, TimeProvider time, Action<Session> gone)
    {
        _request = request;
        _input = new SessionInput(options.InputTimeout, time);
        _info = new SessionInfo(id, request.Runner, 0, user.Name, "", request.Terminal, time.GetUtcNow()) { Name = request.Session.Name };
        Output = new OutputLog(new LogOptions { Capacity = options.OutputCapacity, StallTimeout = options.ClientStallTimeout, Time = time });
        Notices = new SessionNotices(Output);
        User = user;
        Hold = new SessionHold(this, request.Session, options.KeepExited, time, gone);
    }

    public string Id => _info.Id;

    public SessionInfo Info => Volatile.Read(ref _info);

    public OutputLog Output { get; }

    public SessionNotices Notices { get; }

    public Task<ExitStatus> Exited => _exited.Task;

    public UserAccount User { get; }

    /// <summary>Who is attached, and what becomes of the session when nobody is.</summary>
    public SessionHold Hold { get; }

    /// <summary>Whether the program has left others behind.</summary>
    public bool HasDescendants => _process?.HasDescendants ?? false;

    /// <summary>Starts the program. Called once; where it throws, the session never was.</summary>
    [SupportedOSPlatform("linux")]
    public async Task StartAsync(IProcessRunner runner, Func<Session, SideChannels> openChannels, CancellationToken cancellationToken)
    {
        try
        {
            Hold.Begin();
            _channels = openChannels(this);
            var context = new ProcessContext(Id, Output.GetWriter(OutputKind.Out), Output.GetWriter(OutputKind.Error))
            {
                User = User,
                Environment = _channels.Environment,
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
            Output.Dispose();
            throw;
        }
    }

    public ValueTask WriteAsync(ReadOnlySequence<byte> input, CancellationToken cancellationToken) => _input.WriteAsync(input, end: false);

    public ValueTask ControlAsync(SessionControl control, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(control);
        if (control is EndOfInput)
            return _input.WriteAsync(ReadOnlySequence<byte>.Empty, end: true);
        if (control is Resize { Size: var size })
        {
            if (Info.Terminal is null)
                throw new LinkException(FailureCode.BadMessage, "there is no terminal to resize");
            size.Demand();
        }
        else if (control is Signal { Number: < 1 or > 64 } signal)
            throw new LinkException(FailureCode.BadValue, $"there is no signal {signal.Number}: it must be 1 to 64");

        lock (_lock)
        {
            if (_process is null)
            {
                Postpone(control);
                return ValueTask.CompletedTask;
            }
        }

        if (control is Key key && OperatingSystem.IsLinux())
            return _channels!.SendKeyAsync(key, cancellationToken);
        Apply(_process, control);
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

    /// <summary>Ends the program where it still runs, and lets go of everything.</summary>
    public async Task RemoveAsync()
    {
        Hold.Dispose();
        await DisposeAsync().ConfigureAwait(false);
        Output.Dispose();
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

    private void Postpone(SessionControl control)
    {
        // A key has nobody to listen yet. One size and each signal once: what waits for a start stays small.
        if (control is Key)
            return;
        _early.RemoveAll(early => early == control || (early is Resize && control is Resize));
        _early.Add(control);
    }

    private void Apply(IProcess process, SessionControl control)
    {
        if (control is Signal signal)
            process.Signal(signal.Number);
        else if (control is Resize resize && process.TryResize(resize.Size))
        {
            lock (_lock)
                _info = _info with { Terminal = resize.Size };
        }
    }

    [SupportedOSPlatform("linux")]
    private async Task FollowAsync(IProcess process)
    {
        var status = await process.Exited.ConfigureAwait(false);
        _input.Dispose();
        await _channels!.DrainAsync().ConfigureAwait(false);
        await _channels.DisposeAsync().ConfigureAwait(false);
        lock (_lock)
            _info = _info with { Exit = status };
        Output.Complete(status);
        _exited.TrySetResult(status);
        Hold.Exit();
    }

    private async Task EndAsync(IProcess process)
    {
        // Off the caller's lock and thread: ending takes as long as the program's grace.
        await Task.Yield();
        await process.DisposeAsync().ConfigureAwait(false);
        await _following!.ConfigureAwait(false);
    }
}
