using FurtherLink.Messages;
using FurtherLink.Sessions;

namespace FurtherLink.Peers;

/// <summary>Holds output back for a moment, so that what a program writes in pieces goes in one message.</summary>
/// <param name="log">The log that is read.</param>
/// <param name="options">How long nothing must have come; it is over after four times as long in any case.</param>
/// <param name="time">The clock.</param>
/// <param name="over">Called when a moment is over; must not wait.</param>
internal sealed class Gathering(OutputLog log, GatherOptions options, TimeProvider time, Action over) : IDisposable
{
    // More than a line: nothing is gained by holding it.
    private const int Enough = 16 * 1024;
    private const int MaxTurns = 4;

    private readonly Lock _lock = new();
    private readonly long _created = time.GetTimestamp();
    private ITimer? _timer;
    private TimeSpan _moment;
    private long _seen;
    private int _turns;
    private bool _holds = true;
    private bool _runs;
    private bool _disposed;
    private bool _hadInput;

    /// <summary>All there was has been read: what comes next is held again.</summary>
    public void Begin()
    {
        lock (_lock)
            _holds = true;
    }

    /// <summary>Whether output from a position on may go; where not, the callback tells when.</summary>
    public bool MayRead(long position)
    {
        lock (_lock)
        {
            var end = log.End;
            if (!_runs)
                _moment = IsYoung ? options.StartQuiet : options.Quiet;
            if (!_holds || _moment <= TimeSpan.Zero || log.IsCompleted || end == position || end - position >= Enough)
                return true;
            if (_runs || _disposed)
                return false;
            _runs = true;
            _turns = 0;
            _seen = end;
            _timer ??= time.CreateTimer(static state => ((Gathering)state!).OnTurn(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(_moment, Timeout.InfiniteTimeSpan);
            return false;
        }
    }

    /// <summary>The client sends input: where that ends the program's youth, what is held goes.</summary>
    public void OnInput()
    {
        lock (_lock)
        {
            if (!options.UntilInput || _hadInput)
                return;
            _hadInput = true;
            if (!_runs)
                return;
            _runs = false;
            _holds = false;
            _timer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        over();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _timer?.Dispose();
        }
    }

    private bool IsYoung => !_hadInput && time.GetElapsedTime(_created) < options.StartTime;

    private void OnTurn()
    {
        lock (_lock)
        {
            if (_disposed || !_runs)
                return;
            var end = log.End;
            if (end != _seen && ++_turns < MaxTurns && !log.IsCompleted)
            {
                _seen = end;
                _timer!.Change(_moment, Timeout.InfiniteTimeSpan);
                return;
            }

            _runs = false;
            _holds = false;
        }

        over();
    }
}
