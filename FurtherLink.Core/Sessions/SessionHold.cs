using FurtherLink.Messages;

namespace FurtherLink.Sessions;

/// <summary>
/// Who is attached to a session, and what becomes of it when nobody is: <see cref="SessionOptions"/> carried out. Thread safe.
/// </summary>
/// <param name="output">The session's log.</param>
/// <param name="options">Its policy.</param>
/// <param name="keepExited">How long it can be read after its end, unless it simply stops with its client.</param>
/// <param name="time">The clock.</param>
/// <param name="hasDescendants">Whether the program has ended and left others behind.</param>
/// <param name="gone">Called once when it is to be removed; must not wait.</param>
internal sealed class SessionHold(
    OutputLog output, SessionOptions options, TimeSpan keepExited, TimeProvider time, Func<bool> hasDescendants, Action gone) : IDisposable
{
    private readonly Lock _lock = new();
    private OutputReader? _parked;
    private ITimer? _timer;
    private int _joined;
    private int _generation;
    private bool _everJoined;
    private bool _exited;
    private bool _ended;

    /// <summary>Whether the session ends as soon as nobody is attached.</summary>
    public bool StopsAtOnce => options.StopsAtOnce;

    /// <summary>Whether it is to be removed, or has been.</summary>
    public bool IsEnded
    {
        get
        {
            lock (_lock)
                return _ended;
        }
    }

    /// <summary>Somebody attaches; to be called after its reader is attached.</summary>
    /// <exception cref="LinkException">The session is being removed.</exception>
    public void Join()
    {
        lock (_lock)
        {
            if (_ended)
                throw new LinkException(FailureCode.NotFound, "the session has just been removed");
            _joined++;
            _everJoined = true;
            _parked?.Dispose();
            _parked = null;
            StopTimer();
        }
    }

    /// <summary>Somebody leaves; to be called before its reader is disposed.</summary>
    /// <param name="released">What it has received: a session that pauses goes on from there.</param>
    public void Leave(long released)
    {
        lock (_lock)
        {
            if (--_joined > 0 || _ended)
                return;
            if (_exited)
                Expire();
            else if (StopsAtOnce)
                End();
            else
            {
                if (options.WhenDetached is not WhenDetached.Keep)
                    _parked = output.Attach(new ReaderOptions { From = released });
                if (options.WhenDetached is WhenDetached.Stop)
                    StartTimer(options.Grace);
            }
        }
    }

    /// <summary>Somebody has been told the exit: where nothing is left of the program either, the session goes.</summary>
    /// <returns>True where the caller need not <see cref="Leave"/> any more.</returns>
    public bool Finish()
    {
        lock (_lock)
        {
            if (StopsAtOnce && hasDescendants())
                return false;
            if (--_joined == 0 && !_ended)
                Expire();
            return true;
        }
    }

    /// <summary>The program is about to run: where nobody has attached and it is to pause, it does so from its first byte.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            if (_joined == 0 && options.WhenDetached is WhenDetached.Pause)
                _parked = output.Attach(new ReaderOptions { From = 0 });
        }
    }

    /// <summary>The program has ended.</summary>
    public void Exit()
    {
        lock (_lock)
        {
            _exited = true;
            StopTimer();
            if (_joined == 0 && !_ended)
                Expire();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _ended = true;
            _parked?.Dispose();
            _parked = null;
            StopTimer();
        }
    }

    private void Expire()
    {
        // Who started it without attaching may still come for the end.
        if (StopsAtOnce && _everJoined)
            End();
        else
            StartTimer(keepExited);
    }

    private void End()
    {
        _ended = true;
        gone();
    }

    private void StartTimer(TimeSpan due)
    {
        StopTimer();
        var generation = _generation;
        _timer = time.CreateTimer(_ => OnTimer(generation), null, due, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer(int generation)
    {
        lock (_lock)
        {
            if (generation == _generation && !_ended)
                End();
        }
    }

    private void StopTimer()
    {
        _generation++;
        _timer?.Dispose();
        _timer = null;
    }
}
