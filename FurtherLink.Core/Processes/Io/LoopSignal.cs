using System.Threading.Tasks.Sources;

namespace FurtherLink.Processes.Io;

/// <summary>Lets one waiter at a time wait, without allocating, for something that happens on the loop. What happened before the wait counts.</summary>
internal sealed class LoopSignal : IValueTaskSource
{
    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<bool> _source; // continuations run on the thread that signals
    private bool _signalled;
    private bool _waiting;

    /// <summary>Completes at the next signal, at once where there was one since the last wait.</summary>
    public ValueTask WaitAsync()
    {
        lock (_lock)
        {
            if (_signalled)
            {
                _signalled = false;
                return ValueTask.CompletedTask;
            }

            _source.Reset();
            _waiting = true;
            return new ValueTask(this, _source.Version);
        }
    }

    /// <summary>Signals. Any thread; who waits continues in this call.</summary>
    public void Set()
    {
        lock (_lock)
        {
            if (!_waiting)
            {
                _signalled = true;
                return;
            }

            _waiting = false;
        }

        _source.SetResult(true);
    }

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
