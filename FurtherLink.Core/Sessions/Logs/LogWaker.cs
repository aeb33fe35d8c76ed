namespace FurtherLink.Sessions.Logs;

/// <summary>
/// Wakes the readers of a log that wait for more. One alone is woken by whoever wrote; several are served in turn by one work item,
/// so that a flood with many viewers takes one core and not all.
/// </summary>
internal sealed class LogWaker(OutputLog log) : IThreadPoolWorkItem
{
    private bool _serving; // the work item is queued or runs
    private int _turn;

    /// <summary>How many readers wait.</summary>
    public int Waiting { get; set; }

    /// <summary>Decides who is woken, now that there is more. Under the log's lock.</summary>
    /// <returns>The reader that the caller wakes after the lock; null where there is none, or others see to it.</returns>
    public OutputReader? TakeLocked()
    {
        if (Waiting == 0 || _serving)
            return null;
        var first = NextDueLocked();
        if (first is null || NextDueLocked(first) is null)
        {
            first?.DisarmLocked();
            return first;
        }

        _serving = true;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return null;
    }

    void IThreadPoolWorkItem.Execute()
    {
        // One round, then to the end of the pool's queue: other logs have their turn.
        for (var left = log.Readers.Count; ; left--)
        {
            OutputReader? next;
            lock (log.Gate)
            {
                next = NextDueLocked();
                if (next is null)
                {
                    _serving = false;
                    return;
                }

                if (left <= 0)
                    break;
                next.DisarmLocked();
            }

            next.Wake();
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private OutputReader? NextDueLocked(OutputReader? but = null)
    {
        var readers = log.Readers;
        for (var i = 0; i < readers.Count && Waiting > 0; i++)
        {
            _turn = _turn + 1 < readers.Count ? _turn + 1 : 0;
            if (readers[_turn].IsDueLocked && readers[_turn] != but)
                return readers[_turn];
        }

        return null;
    }
}
