using FurtherLink.Messages;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes.Children;

/// <summary>Ending a program and all that it has started.</summary>
internal sealed partial class ChildProcess
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(20);

    private async Task EndAsync(TaskCompletionSource ending)
    {
        try
        {
            await EndAllAsync().ConfigureAwait(false);
        }
        finally
        {
            ending.TrySetResult();
        }
    }

    private async Task EndAllAsync()
    {
        // Ended by itself, and nobody was left whom it had started: there is nothing to look for.
        if (IsReleased && _options.Group is null)
        {
            await Exited.ConfigureAwait(false);
            return;
        }

        _output.Abandon();
        _error?.Abandon();
        // A stopped process hears of the SIGTERM once it goes on.
        Signal(Libc.SigTerm);
        Signal(Libc.SigContinue);
        var known = new Dictionary<int, long>();
        var members = await _search.FindAsync(this, known).ConfigureAwait(false);
        foreach (var member in members.Where(member => !member.IsEnded && (member.Group != Id || IsReleased)))
        {
            member.Signal(Libc.SigTerm);
            member.Signal(Libc.SigContinue);
        }

        await WaitForGraceAsync(known).ConfigureAwait(false);
        // All at once, and also who is not to be found by a mark; what is left for the killer is to reap them.
        _options.Group?.Kill();
        if (!await _killer.KillAsync(this, known).ConfigureAwait(false))
            Log.DoesNotEnd(_logger, Id);
        _table.Release(this);
        // Nothing more can be done for one that a driver holds. When it does end after all, the loop hears of it and reaps it.
        if (!Exited.IsCompleted)
            await FinishAsync(new ExitStatus(-Libc.SigKill) { Reason = "it was killed, but the system has not let it go yet" }).ConfigureAwait(false);
    }

    /// <summary>Waits until nobody is left, at most as long as the grace.</summary>
    private async Task WaitForGraceAsync(Dictionary<int, long> known)
    {
        var since = _time.GetTimestamp();
        await ((Task)Exited).WaitAsync(_options.StopGrace, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        for (var pause = TimeSpan.FromMilliseconds(1); await IsAnyLeftAsync(known).ConfigureAwait(false); pause = Longer(pause))
        {
            var left = _options.StopGrace - _time.GetElapsedTime(since);
            if (left <= TimeSpan.Zero)
                return;
            await Task.Delay(pause < left ? pause : left, TimeProvider.System).ConfigureAwait(false);
        }
    }

    private async Task<bool> IsAnyLeftAsync(Dictionary<int, long> known)
    {
        if (!HasEnded)
            return true;
        var members = await _search.FindAsync(this, known).ConfigureAwait(false);
        return members.Exists(static member => !member.IsEnded);
    }

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < LongestPause ? pause * 2 : LongestPause;
}
