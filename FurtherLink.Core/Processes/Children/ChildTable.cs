using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;

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
    // The upper half says that a mark is ours, the lower half whose. The top bit stays 0: a mark is never "unlimited".
    private readonly ulong _family = (ulong)(uint)RandomNumberGenerator.GetInt32(1, int.MaxValue) << 32;
    private PosixSignalRegistration? _childSignal;
    private uint _lastMark;
    private int _signals; // that no sweep has answered yet

    /// <summary>Makes an empty table.</summary>
    /// <param name="adopt">Whether orphans become children of this process, see <see cref="LinkOptions.AdoptOrphans"/>.</param>
    public ChildTable(bool adopt) => _adopt = adopt;

    /// <summary>The programs there are.</summary>
    public IEnumerable<ChildProcess> Programs => _programs.Values;

    /// <summary>Prepares for a program that is about to start.</summary>
    /// <returns>The mark for it and its descendants.</returns>
    public ulong Prepare()
    {
        lock (_reaping)
        {
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

    /// <summary>The living processes and unreaped ends that belong to a program, itself not: below whom they are.</summary>
    public List<ProcEntry> MembersOf(ChildProcess program, ISet<ProcIdentity> known)
    {
        lock (_reaping)
        {
            var members = new List<ProcEntry>();
            foreach (var pid in _adopt ? ProcFs.Adopted() : ProcFs.Processes())
            {
                if (pid != program.Id && !_programs.ContainsKey(pid) && ProcFs.Read(pid) is { } entry && Belongs(entry, program, known))
                    AddTree(entry, members, known);
            }

            if (!program.HasEnded)
                AddChildren(program.Id, members, known);
            return members;
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
    public void Dispose() => _childSignal?.Dispose();

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
                if (!_programs.ContainsKey(pid) && ProcFs.Read(pid) is { IsEnded: true } && IsOurs(pid))
                    Libc.Reap(pid);
            }
        }

        // What held an ended program's session open may have been among them.
        foreach (var program in _programs.Values.Where(program => program.HasEnded && !program.IsEnding))
        {
            if (!program.HasDescendants)
                Release(program);
        }
    }

    private bool IsOurs(int pid) =>
        Libc.GetMark(pid) is { } mark && (mark & 0xFFFF_FFFF_0000_0000) == _family || _programs.ContainsKey(Libc.SessionOf(pid));

    private static bool Belongs(ProcEntry entry, ChildProcess program, ISet<ProcIdentity> known) =>
        (!program.IsReleased && Libc.SessionOf(entry.Pid) == program.Id)
        || Libc.GetMark(entry.Pid) == program.Mark
        || known.Contains(new ProcIdentity(entry))
        || ProcFs.HasVariable(entry.Pid, program.Variable);

    private static void AddTree(ProcEntry entry, List<ProcEntry> members, ISet<ProcIdentity> known)
    {
        members.Add(entry);
        known.Add(new ProcIdentity(entry));
        AddChildren(entry.Pid, members, known);
    }

    private static void AddChildren(int pid, List<ProcEntry> members, ISet<ProcIdentity> known)
    {
        foreach (var child in ProcFs.ChildrenOf(pid))
        {
            if (ProcFs.Read(child) is { } entry && entry.Parent == pid)
                AddTree(entry, members, known);
        }
    }
}

/// <summary>One process for ever: ids are used again, but not with the same start.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="Start">When it started.</param>
internal readonly record struct ProcIdentity(int Pid, long Start)
{
    public ProcIdentity(ProcEntry entry)
        : this(entry.Pid, entry.Start)
    {
    }

    /// <summary>Sends a signal to this process and no later one of the same id.</summary>
    /// <returns>False where it is gone, or not ours to signal.</returns>
    [SupportedOSPlatform("linux")]
    public bool Signal(int number)
    {
        // The descriptor stands for whoever had the id when it was opened; the start says whether that was the one meant.
        using var process = Libc.OpenProcess(Pid);
        return process is not null && ProcFs.Read(Pid) is { } entry && entry.Start == Start && Libc.SendSignal(process, number);
    }
}
