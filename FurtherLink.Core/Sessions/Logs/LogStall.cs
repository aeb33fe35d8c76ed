namespace FurtherLink.Sessions.Logs;

/// <summary>Watches a full log: tells readers that take nothing, and lets go of the program when one that trickles holds up others.</summary>
internal sealed class LogStall(OutputLog log)
{
    private readonly TimeProvider _time = log.Options.Time;
    private readonly TimeSpan _timeout = log.Options.StallTimeout;
    private ITimer? _timer;
    private int _flushes; // that wait
    private long _since;

    /// <summary>A flush begins to wait. All of this type's members are called under the log's lock.</summary>
    public void StartLocked()
    {
        if (_flushes++ > 0)
            return;
        log.Options.Metrics?.Paused();
        if (_timeout == Timeout.InfiniteTimeSpan)
            return;
        _since = _time.GetTimestamp();
        foreach (var reader in log.Readers)
            reader.Moved = reader.Idle = _since;
        _timer ??= _time.CreateTimer(static state => ((LogStall)state!).Check(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        // Then four times as often: who stops moving later is noticed at most a quarter late.
        _timer.Change(_timeout, TimeSpan.FromMilliseconds(Math.Max(1, _timeout.TotalMilliseconds / 4)));
    }

    /// <summary>A flush waits no more.</summary>
    public void StopLocked()
    {
        if (--_flushes == 0)
            _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A reader has released something.</summary>
    public void MovedLocked(OutputReader reader)
    {
        if (_flushes > 0)
            reader.Moved = _time.GetTimestamp();
    }

    /// <summary>A reader begins to wait for more.</summary>
    public void IdleLocked(OutputReader reader)
    {
        if (_flushes > 0)
            reader.Idle = _time.GetTimestamp();
    }

    /// <summary>Nothing will wait any more.</summary>
    public void EndLocked()
    {
        _timer?.Dispose();
        _timer = null;
    }

    private void Check()
    {
        var stalled = new List<OutputReader>();
        int flushes;
        lock (log.Gate)
        {
            if (_flushes == 0)
                return;
            var now = _time.GetTimestamp();
            foreach (var reader in log.Readers)
            {
                if (!reader.HoldsLocked || log.HasRoomLocked(reader.Released))
                    continue;
                if (reader.Options.OnStalled is not null && IsOver(reader.Moved, now))
                {
                    if (reader.TakeStallLocked())
                        stalled.Add(reader);
                }
                else if (IsOver(_since, now) && OthersWait(reader, now))
                {
                    reader.IsLosslessLocked = false;
                }
            }

            flushes = log.TakeRoomLocked();
        }

        log.EndFlushes(flushes);
        foreach (var reader in stalled)
            reader.Options.OnStalled?.Invoke(reader);
    }

    private bool OthersWait(OutputReader trickler, long now)
    {
        foreach (var reader in log.Readers)
        {
            if (reader != trickler && reader.IsWaitingLocked && IsOver(reader.Idle, now))
                return true;
        }

        return false;
    }

    private bool IsOver(long since, long now) => _time.GetElapsedTime(since, now) >= _timeout;
}
