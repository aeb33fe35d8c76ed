using FurtherLink.Messages;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes.Children;

/// <summary>Ending a program and all that it has started.</summary>
internal sealed partial class ChildProcess
{
    // A killed process goes in well under a millisecond, unless a driver or a network file system holds it.
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(1);
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
        _output.Abandon();
        _error?.Abandon();
        // A stopped process hears of the SIGTERM once it goes on.
        Signal(Libc.SigTerm);
        Signal(Libc.SigContinue);
        var known = new Dictionary<int, long>();
        foreach (var member in _table.MembersOf(this, known).Where(member => !member.IsEnded && (member.Group != Id || IsReleased)))
        {
            member.Signal(Libc.SigTerm);
            member.Signal(Libc.SigContinue);
        }

        await WaitForGraceAsync(known).ConfigureAwait(false);
        await KillAsync(known).ConfigureAwait(false);
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
        for (var pause = TimeSpan.FromMilliseconds(1); IsAnyLeft(known); pause = Longer(pause))
        {
            var left = _options.StopGrace - _time.GetElapsedTime(since);
            if (left <= TimeSpan.Zero)
                return;
            await Task.Delay(pause < left ? pause : left, _time).ConfigureAwait(false);
        }
    }

    private bool IsAnyLeft(Dictionary<int, long> known) => !HasEnded || _table.MembersOf(this, known).Exists(member => !member.IsEnded);

    /// <summary>Kills and reaps until nobody is left. Who is killed gives up its children, which are found in the next round.</summary>
    private async Task KillAsync(Dictionary<int, long> known)
    {
        var since = _time.GetTimestamp();
        for (var pause = TimeSpan.FromMilliseconds(1); ; pause = Longer(pause))
        {
            if (!HasEnded)
                Signal(Libc.SigKill);
            var members = _table.MembersOf(this, known);
            foreach (var member in members)
            {
                if (member.IsEnded)
                    _table.Reap(member);
                else
                    member.Signal(Libc.SigKill);
            }

            if (members.Count == 0 && Exited.IsCompleted)
                return;
            if (_time.GetElapsedTime(since) > KillTimeout)
            {
                Log.DoesNotEnd(_logger, Id);
                return;
            }

            // Its end comes by the loop; those of others have to be looked for.
            if (members.Count == 0)
                await ((Task)Exited).WaitAsync(KillTimeout, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            else
                await Task.Delay(pause, _time).ConfigureAwait(false);
        }
    }

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < LongestPause ? pause * 2 : LongestPause;
}
