using System.Runtime.Versioning;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes.Children;

/// <summary>
/// Kills programs with all that they have started, of many programs at once in one look at the processes: what is found is stopped first, until a look
/// finds nothing new, so that nobody starts others faster than they are killed. Thread safe.
/// </summary>
/// <param name="table">Where they are in.</param>
/// <param name="time">The clock.</param>
[SupportedOSPlatform("linux")]
internal sealed class ChildKiller(ChildTable table, TimeProvider time)
{
    // A killed process goes in well under a millisecond, unless a driver or a network file system holds it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // With a thousand that start each other a look takes some 50 ms.
    private static readonly TimeSpan FreezeLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private readonly Dictionary<ChildProcess, Target> _targets = [];
    private bool _isRunning;

    /// <summary>Kills a program and all that it has started.</summary>
    /// <param name="program">The program.</param>
    /// <param name="known">What of it was found before, by id with its start.</param>
    /// <returns>False where something of it is there still: nothing more can be done for what a driver holds.</returns>
    public Task<bool> KillAsync(ChildProcess program, Dictionary<int, long> known)
    {
        var target = new Target(program, known, time.GetTimestamp());
        lock (_lock)
        {
            _targets.Add(program, target);
            if (!_isRunning)
            {
                _isRunning = true;
                _ = Task.Run(RunAsync);
            }
        }

        return target.Done.Task;
    }

    private async Task RunAsync()
    {
        var pause = TimeSpan.FromMilliseconds(1);
        for (var targets = Targets(); targets.Length > 0; targets = Targets())
        {
            try
            {
                Freeze(targets);
                if (Array.TrueForAll(Kill(targets), static isNew => !isNew))
                    pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                else
                    pause = TimeSpan.FromMilliseconds(1);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or LibcException)
            {
                // The system has no descriptor left to look with; it may have in a moment.
                pause = LongestPause;
            }

            Drop(targets);
            // The end of a program comes by the loop; those of others have to be looked for.
            await Task.Delay(pause, time).ConfigureAwait(false);
        }
    }

    /// <summary>Those to be killed now; where there are none, this run is over.</summary>
    private Target[] Targets()
    {
        lock (_lock)
        {
            _isRunning = _targets.Count > 0;
            return [.. _targets.Values];
        }
    }

    private void Freeze(Target[] targets)
    {
        foreach (var target in targets.Where(static target => !target.Program.HasEnded))
            target.Program.Signal(Libc.SigStop);
        for (var since = time.GetTimestamp(); time.GetElapsedTime(since) < FreezeLimit;)
        {
            var isNew = false;
            Look(targets);
            foreach (var target in targets)
            {
                foreach (var member in target.Members.Where(member => !member.IsEnded && target.Frozen.Add((member.Pid, member.Start))))
                {
                    member.Signal(Libc.SigStop);
                    isNew = true;
                }
            }

            if (!isNew)
                return;
        }
    }

    private bool[] Kill(Target[] targets) => Array.ConvertAll(targets, target =>
    {
        if (!target.Program.HasEnded)
            target.Program.Signal(Libc.SigKill);
        var isNew = false;
        foreach (var member in target.Members)
        {
            if (member.IsEnded)
            {
                table.Reap(member);
                continue;
            }

            isNew |= target.Killed.Add((member.Pid, member.Start));
            member.Signal(Libc.SigKill);
        }

        if (isNew)
            target.Since = time.GetTimestamp();
        return isNew;
    });

    private void Look(Target[] targets)
    {
        foreach (var target in targets)
            target.Members = [];
        table.FindMembers(targets);
    }

    private void Drop(Target[] targets)
    {
        foreach (var target in targets)
        {
            var isGone = target.Members.Count == 0 && target.Program.Exited.IsCompleted;
            if (!isGone && time.GetElapsedTime(target.Since) < Patience)
                continue;
            lock (_lock)
                _targets.Remove(target.Program);
            target.Done.TrySetResult(isGone);
        }
    }

    /// <summary>A program that is being killed.</summary>
    internal sealed class Target(ChildProcess program, Dictionary<int, long> known, long since) : MemberSearch.Query(program, known)
    {
        /// <summary>When something new of it was found last.</summary>
        public long Since { get; set; } = since;

        public HashSet<(int, long)> Frozen { get; } = [];

        public HashSet<(int, long)> Killed { get; } = [];

        public TaskCompletionSource<bool> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
