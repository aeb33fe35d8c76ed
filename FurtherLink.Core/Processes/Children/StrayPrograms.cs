using System.Runtime.Versioning;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes.Children;

/// <summary>Ends what may start others as fast as it is ended: everything found is stopped first, until nothing new is found, and then killed.</summary>
[SupportedOSPlatform("linux")]
internal static class StrayPrograms
{
    /// <summary>The part of a mark that all programs of one server have in common, see <see cref="ChildTable"/>.</summary>
    public const ulong FamilyMask = 0xFFFF_FFFF_0000_0000;

    // A stopped process starts nobody, and where processes are limited those that are stopped keep the places of others: so it ends. What is
    // killed goes in well under a millisecond, unless a driver or a network file system holds it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    /// <summary>Ends the programs of a server that is no more: asks them, and kills who is left after 0.1 s.</summary>
    /// <param name="family">The upper half of their marks.</param>
    /// <param name="session">The server's own session of the kernel: who is in it is not one of its programs.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False where some are left.</returns>
    public static async Task<bool> EndAsync(ulong family, int session, TimeProvider time, CancellationToken cancellationToken)
    {
        if (Find(family, session).Count == 0)
            return true;
        foreach (var stray in Find(family, session))
        {
            stray.Signal(Libc.SigTerm);
            stray.Signal(Libc.SigContinue);
        }

        for (var since = time.GetTimestamp(); time.GetElapsedTime(since) < Grace && Find(family, session).Count > 0;)
            await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
        return await KillAsync(() => Find(family, session), time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Kills.</summary>
    /// <param name="find">Those that are left, ended ones not.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False where some are left.</returns>
    public static async Task<bool> KillAsync(Func<IReadOnlyCollection<ProcEntry>> find, TimeProvider time, CancellationToken cancellationToken)
    {
        var seen = new HashSet<(int, long)>();
        var began = time.GetTimestamp();
        for (var since = began; ;)
        {
            // Whom one look misses while others end, the next finds: nobody who is there can start anybody by then.
            while (Stop(find(), seen) && time.GetElapsedTime(began) < Longest)
                since = time.GetTimestamp();
            var left = find();
            foreach (var one in left)
                one.Signal(Libc.SigKill);

            // One that hands on from child to child may be missed by one look at all.
            if (left.Count == 0 && find().Count == 0)
                return true;
            if (time.GetElapsedTime(since) > Patience)
                return false;
            await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool Stop(IReadOnlyCollection<ProcEntry> found, HashSet<(int, long)> seen)
    {
        var isNew = false;
        foreach (var one in found)
        {
            if (!seen.Add((one.Pid, one.Start)))
                continue;
            one.Signal(Libc.SigStop);
            isNew = true;
        }

        return isNew;
    }

    private static List<ProcEntry> Find(ulong family, int session)
    {
        var found = new List<ProcEntry>();
        foreach (var pid in ProcFs.Processes())
        {
            if ((Libc.GetMark(pid) & FamilyMask) == family && Libc.SessionOf(pid) != session && ProcFs.Read(pid) is { IsEnded: false } entry)
                found.Add(entry);
        }

        return found;
    }
}
