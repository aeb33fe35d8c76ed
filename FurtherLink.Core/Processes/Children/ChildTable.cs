using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using FurtherLink.Processes.ControlGroups;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes.Children;

/// <summary>
/// All programs that were started and not yet cleaned up after, and whatever they leave behind: orphans become children of this process and
/// are known by the mark of the program they come from. Thread safe.
/// </summary>
/// <remarks>
/// Nobody else's children are touched: neither those of an application that this library is a part of, nor what those leave behind.
/// </remarks>
[SupportedOSPlatform("linux")]
internal sealed class ChildTable : IDisposable
{
    private readonly ConcurrentDictionary<int, ChildProcess> _programs = new();
    private readonly Lock _reaping = new();
    private readonly bool _adopt;
    private readonly Ledger? _ledger;
    private readonly int _ownSession = Libc.SessionOf(0); // every program has left it
    // The upper half says that a mark is ours, the lower half whose. The top bit stays 0: a mark is never "unlimited".
    private readonly ulong _family = (ulong)Random.Shared.Next(1, int.MaxValue) << 32;
    private PosixSignalRegistration? _childSignal;
    private IDisposable? _note;
    private uint _lastMark;
    private int _signals; // that no sweep has answered yet

    /// <summary>Makes an empty table.</summary>
    /// <param name="adopt">Whether orphans become children of this process, see <see cref="LinkOptions.AdoptOrphans"/>.</param>
    /// <param name="ledger">Where the family is written down for the case of a crash; null = nowhere.</param>
    public ChildTable(bool adopt, Ledger? ledger = null)
    {
        _adopt = adopt;
        _ledger = ledger;
    }

    /// <summary>The programs there are.</summary>
    public IEnumerable<ChildProcess> Programs => _programs.Values;

    /// <summary>Prepares for a program that is about to start.</summary>
    /// <returns>The mark for it and its descendants.</returns>
    public ulong Prepare()
    {
        lock (_reaping)
        {
            if (_lastMark == 0)
            {
                Libc.KeepEndedChildren();
                _note = _ledger?.NotePrograms(_family, _ownSession);
            }

            if (_adopt && _childSignal is null)
            {
                Libc.AdoptOrphans();
                _childSignal = PosixSignalRegistration.Create(PosixSignal.SIGCHLD, _ => OnChildSignal());
            }

            return _family | ++_lastMark;
        }
    }

    /// <summary>A program has started.</summary>
    public void Add(ChildProcess program) => _programs[program.Id] = program;

    /// <summary>The processes that belong to a program, itself not; ended ones that nobody has reaped yet included.</summary>
    /// <param name="program">The program.</param>
    /// <param name="known">Those found before, by id with their start; those found now are added.</param>
    public List<ProcEntry> MembersOf(ChildProcess program, IDictionary<int, long> known)
    {
        lock (_reaping)
        {
            var members = new List<ProcEntry>();
            foreach (var pid in _adopt ? ProcFs.Adopted() : ProcFs.Processes())
            {
                if (!_programs.ContainsKey(pid) && Belongs(pid, program, known) && ProcFs.Read(pid) is { } entry)
                    AddTree(entry, members, known);
            }

            if (!program.HasEnded)
                AddChildren(program.Id, members, known);
            return members;
        }
    }

    /// <summary>As <see cref="MembersOf"/> for many programs in one look at all processes; what is found goes to their <see cref="MemberSearch.Query.Members"/>.</summary>
    public void FindMembers(IReadOnlyCollection<MemberSearch.Query> queries)
    {
        lock (_reaping)
        {
            var placed = queries.GroupBy(static query => query.Program).ToDictionary(static same => same.Key.Id, static same => same.ToList());
            var byMark = placed.Values.ToDictionary(static same => same[0].Program.Mark);
            var others = new List<ProcEntry>();
            foreach (var pid in ProcFs.Processes())
            {
                var session = Libc.SessionOf(pid);

                // Threads of the kernel are in none.
                if (session is 0 or -1 || session == _ownSession || _programs.ContainsKey(pid))
                    continue;
                var mark = Libc.GetMark(pid);
                if (ProcFs.Read(pid) is not { } entry)
                    continue;
                var same = byMark.GetValueOrDefault(mark ?? 0) ?? Find(entry, session, mark);
                if (same is not null)
                    Place(entry, same);
                else
                    others.Add(entry);
            }

            // One that has taken off its mark is found by its parent, as long as it has that.
            while (others.FindIndex(entry => placed.ContainsKey(entry.Parent)) is >= 0 and var index)
            {
                Place(others[index], placed[others[index].Parent]);
                others.RemoveAt(index);
            }

            void Place(ProcEntry entry, List<MemberSearch.Query> same)
            {
                placed[entry.Pid] = same;
                foreach (var query in same)
                {
                    query.Members.Add(entry);
                    query.Known[entry.Pid] = entry.Start;
                }
            }

            List<MemberSearch.Query>? Find(ProcEntry entry, int session, ulong? mark)
            {
                if (placed.TryGetValue(session, out var leader) && leader[0].Program is { IsReleased: false } program && program.Id == session)
                    return leader;
                if (HasOurMark(mark))
                    return null;
                var isOrphan = !_adopt || entry.Parent == Environment.ProcessId;
                return byMark.Values.FirstOrDefault(same => same.Exists(query => query.Known.TryGetValue(entry.Pid, out var start) && start == entry.Start)
                    || (isOrphan && ProcFs.HasVariable(entry.Pid, same[0].Program.Variable)));
            }
        }
    }

    /// <summary>Takes an ended descendant that was adopted out of the process table.</summary>
    public void Reap(ProcEntry entry)
    {
        lock (_reaping)
        {
            if (entry.Parent == Environment.ProcessId)
                Libc.Reap(entry.Pid);
        }
    }

    /// <summary>Takes an ended program out of the process table, where nobody is left in its session, so that its id may be used again.</summary>
    public void Release(ChildProcess program)
    {
        lock (_reaping)
        {
            if (program.TryRelease())
                _programs.TryRemove(program.Id, out _);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _childSignal?.Dispose();
        _note?.Dispose();
    }

    private void OnChildSignal()
    {
        if (Interlocked.Increment(ref _signals) != 1)
            return; // who is sweeping now goes round once more
        int answered;
        do
        {
            answered = Volatile.Read(ref _signals);
            Sweep();
        }
        while (Interlocked.Add(ref _signals, -answered) != 0);
    }

    /// <summary>A child of this process has ended: where it is an orphan of our programs, nobody else will reap it.</summary>
    private void Sweep()
    {
        lock (_reaping)
        {
            foreach (var pid in ProcFs.Adopted())
            {
                if (!_programs.ContainsKey(pid) && IsOurs(pid))
                    Libc.Reap(pid);
            }
        }

        // What held an ended program's session open may have been among them.
        foreach (var program in _programs.Values.Where(program => program.IsExplained && !program.IsEnding))
        {
            if (!program.HasDescendants)
                Release(program);
        }
    }

    private bool IsOurs(int pid)
    {
        var session = Libc.SessionOf(pid);
        return _programs.ContainsKey(session) || (session != _ownSession && (HasOurMark(Libc.GetMark(pid)) || GroupTree.IsOfProgram(pid)));
    }

    private bool HasOurMark(ulong? mark) => (mark & StrayPrograms.FamilyMask) == _family;

    private bool Belongs(int pid, ChildProcess program, IDictionary<int, long> known)
    {
        // With hundreds of programs that end at once this is asked tens of thousands of times: files of /proc come last.
        var session = Libc.SessionOf(pid);
        if (!program.IsReleased && session == program.Id)
            return true;
        if (session == _ownSession)
            return false;
        var mark = Libc.GetMark(pid);
        if (mark == program.Mark)
            return true;
        if (known.TryGetValue(pid, out var start))
            return ProcFs.Read(pid)?.Start == start;
        return !HasOurMark(mark) && ProcFs.HasVariable(pid, program.Variable);
    }

    private static void AddTree(ProcEntry entry, List<ProcEntry> members, IDictionary<int, long> known)
    {
        members.Add(entry);
        known[entry.Pid] = entry.Start;
        AddChildren(entry.Pid, members, known);
    }

    private static void AddChildren(int pid, List<ProcEntry> members, IDictionary<int, long> known)
    {
        foreach (var child in ProcFs.ChildrenOf(pid))
        {
            if (ProcFs.Read(child) is { } entry && entry.Parent == pid)
                AddTree(entry, members, known);
        }
    }
}
