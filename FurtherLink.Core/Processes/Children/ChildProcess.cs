using System.IO.Pipelines;
using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes.Io;
using FurtherLink.Processes.Native;
using FurtherLink.Processes.Profiles;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Processes.Children;

/// <summary>A running program, over three pipes or a terminal.</summary>
[SupportedOSPlatform("linux")]
internal sealed partial class ChildProcess : IProcess, IDescriptorHandler
{
    private readonly Lock _lock = new();
    // Who waits goes on where it is set, as the last thing that is done there.
    private readonly TaskCompletionSource<ExitStatus> _exited = new();
    private readonly IoLoop _loop;
    private readonly ChildTable _table;
    private readonly MemberSearch _search;
    private readonly ChildKiller _killer;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly ChildOptions _options;
    private readonly Spawned _spawned;
    private readonly InputPump _input;
    private readonly OutputPump _output;
    private readonly OutputPump? _error;
    private ExitStatus _status;
    private long _inputToken;
    private long _outputToken;
    private long _errorToken;
    private long _exitToken;
    private int _open; // output streams not yet at their end, and the program itself; the loop's
    private bool _hasEnded;
    private bool _isReleased;
    private bool _isExplained;
    private bool _isFinished;
    private TaskCompletionSource? _ending;
    private LimitWatch? _limits;

    /// <summary>Takes over a program that has been started.</summary>
    /// <param name="loop">The loop that serves it.</param>
    /// <param name="table">What it is in.</param>
    /// <param name="search">What finds what it has started.</param>
    /// <param name="killer">What ends it where it does not end itself.</param>
    /// <param name="spawned">The program as it was started.</param>
    /// <param name="request">As what it was started.</param>
    /// <param name="options">How it is served.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it logs.</param>
    public ChildProcess(
        IoLoop loop, ChildTable table, MemberSearch search, ChildKiller killer, Spawned spawned, SpawnRequest request, ChildOptions options, TimeProvider time, ILogger logger)
    {
        _loop = loop;
        _table = table;
        _search = search;
        _killer = killer;
        _spawned = spawned;
        _options = options;
        _time = time;
        _logger = logger;
        Mark = request.Mark;
        WorkingDirectory = request.Directory;
        Variable = $"{ChildOptions.SessionVariable}={options.SessionId}";
        IsTerminal = spawned.Error is null;
        _input = new InputPump(spawned.Input, IsTerminal, options.InputCapacity, options.InputTaken, OnInputEnded, OnTyped, IsTerminal ? WatchRoom : null);
        _output = new OutputPump(loop, spawned.Output, options.Out, IsTerminal, OnOutputEnded);
        _error = spawned.Error is { } error ? new OutputPump(loop, error, options.Error, terminal: false, OnErrorEnded) : null;
        _open = IsTerminal ? 2 : 3;
    }

    /// <inheritdoc/>
    public int Id => _spawned.Pid;

    /// <inheritdoc/>
    public string WorkingDirectory { get; }

    /// <inheritdoc/>
    public PipeWriter Input => _input.Writer;

    /// <inheritdoc/>
    public Task<ExitStatus> Exited => _exited.Task;

    /// <inheritdoc/>
    public bool HasDescendants => HasEnded && _table.MembersOf(this, new Dictionary<int, long>()).Exists(member => !member.IsEnded);

    /// <summary>Whether it has a terminal.</summary>
    public bool IsTerminal { get; }

    /// <summary>What its descendants are known by, see <see cref="Libc.GetMark"/>.</summary>
    public ulong Mark { get; }

    /// <summary>What its descendants are known by where they have no mark: a variable of their environment.</summary>
    public string Variable { get; }

    /// <summary>Whether the program itself has ended.</summary>
    public bool HasEnded => Volatile.Read(ref _hasEnded);

    /// <summary>Whether it is being disposed.</summary>
    public bool IsEnding => Volatile.Read(ref _ending) is not null;

    /// <summary>Whether its id may be somebody else's by now.</summary>
    public bool IsReleased => Volatile.Read(ref _isReleased);

    /// <summary>Whether it is known why it has ended, which its control group is looked at for: that must not be removed before.</summary>
    public bool IsExplained => Volatile.Read(ref _isExplained);

    /// <summary>Begins to serve it. Called once.</summary>
    public void Start()
    {
        _table.Add(this);
        if (IsTerminal)
            _loop.Register(_spawned.Output, Libc.EpollIn, new TerminalEvents(_output, _input), out _outputToken);
        else
        {
            _loop.Register(_spawned.Input, Libc.EpollOut, _input, out _inputToken);
            _loop.Register(_spawned.Output, Libc.EpollIn, _output, out _outputToken);
            _loop.Register(_spawned.Error!, Libc.EpollIn, _error!, out _errorToken);
        }

        _input.Start();

        // Before its end can be seen, which ends the watch.
        if (_options.Profile is { } profile)
            _limits = LimitWatch.Start(profile, _options.Group, _time, () => _ = DisposeAsync().AsTask());
        _loop.Register(_spawned.Exit, Libc.EpollIn, this, out _exitToken);
    }

    /// <inheritdoc/>
    public bool TryResize(TerminalSize size)
    {
        if (!IsTerminal)
            return false;
        try
        {
            Libc.SetWindowSize(_spawned.Output, size.Rows, size.Columns);
        }
        catch (ObjectDisposedException)
        {
            // It has ended: there is nobody left whom the size concerns.
        }

        return true;
    }

    /// <inheritdoc/>
    public void Signal(int number)
    {
        lock (_lock)
        {
            if (!_isReleased)
                Libc.SendSignalToGroup(Id, number);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        var ending = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return Interlocked.CompareExchange(ref _ending, ending, null) is { } earlier
            ? new ValueTask(earlier.Task)
            : new ValueTask(EndAsync(ending));
    }

    /// <summary>Takes the program out of the process table.</summary>
    /// <returns>False where it runs still, or was taken out before.</returns>
    public bool TryRelease()
    {
        lock (_lock)
        {
            if (_isReleased || !HasEnded)
                return false;
            Libc.Reap(Id);
            Volatile.Write(ref _isReleased, true);
        }

        _limits?.Dispose();
        _options.Group?.Dispose();
        return true;
    }

    /// <summary>The program has ended.</summary>
    void IDescriptorHandler.OnReady(uint events)
    {
        if (HasEnded)
            return;
        _status = Libc.PeekExit(Id) ?? new ExitStatus(255) { Reason = "its exit code was lost: this server was started with SIGCHLD ignored" };
        Volatile.Write(ref _hasEnded, true);
        Close(_spawned.Exit, _exitToken);
        _output.Drain();
        _error?.Drain();
        OnOneEnded();
    }

    /// <summary>A terminal tells of room each time that its program has read: only who waits for it hears that.</summary>
    private void WatchRoom(bool watch) => _loop.Change(_spawned.Output, watch ? Libc.EpollIn | Libc.EpollOut : Libc.EpollIn, _outputToken);

    private void OnTyped()
    {
        _output.Answer();
        _error?.Answer();
    }

    private void OnInputEnded()
    {
        if (!IsTerminal)
            Close(_spawned.Input, _inputToken);
    }

    private void OnOutputEnded()
    {
        if (!IsTerminal)
            Close(_spawned.Output, _outputToken);
        OnOneEnded();
    }

    private void OnErrorEnded()
    {
        Close(_spawned.Error!, _errorToken);
        OnOneEnded();
    }

    private void OnOneEnded()
    {
        // What is left to do touches files and waits for others: not on the loop.
        if (--_open == 0)
            ThreadPool.UnsafeQueueUserWorkItem(static child => _ = child.FinishAsync(child._status), this, preferLocal: false);
    }

    /// <summary>All its output is flushed: cleans up and tells.</summary>
    private async Task FinishAsync(ExitStatus status)
    {
        if (Interlocked.Exchange(ref _isFinished, true))
        {
            // It was given up as not to be ended, and has ended after all.
            _table.Release(this);
            return;
        }

        try
        {
            _options.Cleanup?.Invoke();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or LinkException)
        {
            Log.CleanupFailed(_logger, e, Id);
        }

        if (_options.Profile is { } profile)
            status = ExitReasons.Explain(status, profile, _limits?.Reason, _options.Group);
        Volatile.Write(ref _isExplained, true);
        try
        {
            await CloseAllAsync().ConfigureAwait(false);
            if (!IsEnding && !HasDescendants)
                _table.Release(this);
        }
        finally
        {
            Log.Ended(_logger, Id, status.Code);
            _exited.TrySetResult(status);
        }
    }

    private async Task CloseAllAsync()
    {
        await _input.CloseAsync().ConfigureAwait(false);
        Close(_spawned.Output, _outputToken);
        if (_spawned.Error is not null)
            Close(_spawned.Error, _errorToken);
    }

    private void Close(Descriptor descriptor, long token)
    {
        _loop.Unregister(descriptor, token);
        descriptor.Dispose();
    }

    /// <summary>A terminal's master is one descriptor for both directions.</summary>
    private sealed class TerminalEvents(OutputPump output, InputPump input) : IDescriptorHandler
    {
        public void OnReady(uint events)
        {
            output.OnReady(events);
            input.OnReady(events);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Process {ProcessId} ended with {Code}")]
        public static partial void Ended(ILogger logger, int processId, int code);

        [LoggerMessage(LogLevel.Warning, "What process {ProcessId} was started with could not be removed")]
        public static partial void CleanupFailed(ILogger logger, Exception exception, int processId);

        [LoggerMessage(LogLevel.Warning, "Process {ProcessId} or something that it started does not end, although it was killed")]
        public static partial void DoesNotEnd(ILogger logger, int processId);
    }
}
