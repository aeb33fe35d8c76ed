using System.Threading.Tasks.Sources;

namespace FurtherLink.Sessions.Logs;

/// <summary>What an asynchronous read waits on; it continues on the pool, never on the thread that wrote.</summary>
internal sealed class ReadSignal : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private int _isSet = 1;

    /// <summary>Completes when it is set.</summary>
    public ValueTask AsTask() => new(this, _core.Version);

    /// <summary>Makes it ready to be waited on.</summary>
    public void Reset()
    {
        _core.Reset();
        Volatile.Write(ref _isSet, 0);
    }

    /// <summary>Ends the wait. A wake-up that was overtaken by another read may come late: it counts as one, and no second one may follow it.</summary>
    public void Set()
    {
        if (Interlocked.Exchange(ref _isSet, 1) == 0)
            _core.SetResult(true);
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
