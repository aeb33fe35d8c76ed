using System.Runtime.InteropServices;
using FurtherLink.Messages;

namespace FurtherLink.Processes.Native;

/// <summary>Starting, watching and ending processes.</summary>
internal static unsafe partial class Libc
{
    internal const int ENotPermitted = 1;
    internal const int ENoEntry = 2;
    internal const int ETooBig = 7;
    internal const int ENotExecutable = 8;
    internal const int ENoMemory = 12;
    internal const int EAccess = 13;
    internal const int ENotDirectory = 20;
    internal const int ETextBusy = 26;
    internal const int ESystemFiles = 23;
    internal const int EProcessFiles = 24;
    internal const int ENoProcessesLeft = EAgain;

    internal const int SigKill = 9;
    internal const int SigTerm = 15;
    internal const int SigContinue = 18;
    internal const int SigStop = 19;

    private const int SigChild = 17;
    private const int ExitedOnly = 0x4;
    private const int NoHang = 0x1;
    private const int NoWait = 0x0100_0000;

    // The kernel's own numbers: glibc has had names for them only since 2.36. They are the same on every architecture.
    private const int PidfdSendSignal = 424;
    private const int PidfdOpen = 434;

    /// <summary>What a program starts with, for <see cref="Spawn"/>.</summary>
    internal readonly ref struct SpawnArguments
    {
        /// <summary>The program's path.</summary>
        public required string Program { get; init; }

        /// <summary>Its arguments, its name first.</summary>
        public required IReadOnlyList<string> Arguments { get; init; }

        /// <summary>Its environment: "NAME=value".</summary>
        public required IReadOnlyList<string> Environment { get; init; }

        /// <summary>Its working directory.</summary>
        public required string Directory { get; init; }

        /// <summary>The path of the terminal that is to be its standard descriptors; null = the pipes.</summary>
        public string? Terminal { get; init; }

        /// <summary>Its standard input.</summary>
        public Descriptor? Input { get; init; }

        /// <summary>Its standard output.</summary>
        public Descriptor? Output { get; init; }

        /// <summary>Its standard error; null = this process's own.</summary>
        public Descriptor? Error { get; init; }

        /// <summary>It stays in this process's session and process group, with its terminal. Default false: it leads a new session.</summary>
        public bool StaysInSession { get; init; }
    }

    /// <summary>
    /// Starts a program, mostly as the leader of a new session: signals at their defaults, none blocked, descriptors 0 to 2 only, and where it
    /// has a terminal, that as its controlling one.
    /// </summary>
    /// <returns>The process id.</returns>
    internal static int Spawn(in SpawnArguments what)
    {
        // Room for posix_spawnattr_t (336 bytes) and posix_spawn_file_actions_t (80 bytes) of 64-bit glibc, with something to spare.
        const int AttributesSize = 512;
        const int ActionsSize = 128;
        const short NewSession = 0x80;
        const short DefaultSignals = 0x04;
        const short SignalMask = 0x08;
        const int SignalSetSize = 128;

        var attributes = stackalloc byte[AttributesSize];
        var actions = stackalloc byte[ActionsSize];
        var signals = stackalloc byte[SignalSetSize];
        Check(posix_spawnattr_init(attributes), "posix_spawnattr_init");
        Check(posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init");
        try
        {
            Check(posix_spawnattr_setflags(attributes, (short)((what.StaysInSession ? 0 : NewSession) | DefaultSignals | SignalMask)), "posix_spawnattr_setflags");
            new Span<byte>(signals, SignalSetSize).Fill(0xFF);
            Check(posix_spawnattr_setsigdefault(attributes, signals), "posix_spawnattr_setsigdefault");
            new Span<byte>(signals, SignalSetSize).Clear();
            Check(posix_spawnattr_setsigmask(attributes, signals), "posix_spawnattr_setsigmask");

            if (what.Terminal is not null)
            {
                // It is a session leader by now, so opening the terminal without O_NOCTTY makes it the controlling one.
                Check(posix_spawn_file_actions_addopen(actions, 0, what.Terminal, LibcAt.OpenReadWrite, 0), "posix_spawn_file_actions_addopen");
                Check(posix_spawn_file_actions_adddup2(actions, 0, 1), "posix_spawn_file_actions_adddup2");
                Check(posix_spawn_file_actions_adddup2(actions, 0, 2), "posix_spawn_file_actions_adddup2");
            }
            else
            {
                // All three are above 2, so none overwrites another.
                Check(posix_spawn_file_actions_adddup2(actions, (int)what.Input!.DangerousGetHandle(), 0), "posix_spawn_file_actions_adddup2");
                Check(posix_spawn_file_actions_adddup2(actions, (int)what.Output!.DangerousGetHandle(), 1), "posix_spawn_file_actions_adddup2");
                Check(posix_spawn_file_actions_adddup2(actions, what.Error is { } error ? (int)error.DangerousGetHandle() : 2, 2), "posix_spawn_file_actions_adddup2");
            }

            Check(posix_spawn_file_actions_addchdir_np(actions, what.Directory), "posix_spawn_file_actions_addchdir_np");
            Check(posix_spawn_file_actions_addclosefrom_np(actions, 3), "posix_spawn_file_actions_addclosefrom_np");

            using var arguments = new NativeStrings(what.Arguments);
            using var environment = new NativeStrings(what.Environment);
            int pid;
            Check(posix_spawn(&pid, what.Program, actions, attributes, arguments.Pointer, environment.Pointer), "posix_spawn");
            GC.KeepAlive(what.Input);
            GC.KeepAlive(what.Output);
            GC.KeepAlive(what.Error);
            return pid;
        }
        finally
        {
            _ = posix_spawn_file_actions_destroy(actions);
            _ = posix_spawnattr_destroy(attributes);
        }
    }

    /// <summary>A descriptor that stands for a process and is readable once it has ended; null where there is no such process.</summary>
    internal static Descriptor? OpenProcess(int pid)
    {
        var descriptor = syscall(PidfdOpen, pid, 0, 0, 0);
        return descriptor < 0 ? null : Descriptor.AboveStandard((int)descriptor);
    }

    /// <summary>Sends a signal to the very process that the descriptor stands for.</summary>
    /// <returns>False where it is gone, or not ours to signal.</returns>
    internal static bool SendSignal(Descriptor process, int signal)
    {
        var added = false;
        process.DangerousAddRef(ref added);
        try
        {
            return syscall(PidfdSendSignal, process.DangerousGetHandle(), signal, 0, 0) == 0;
        }
        finally
        {
            process.DangerousRelease();
        }
    }

    /// <summary>Sends a signal to a process group.</summary>
    /// <returns>False where nobody is left in it, or nobody that is ours to signal.</returns>
    internal static bool SendSignalToGroup(int group, int signal) => kill(-group, signal) == 0;

    /// <summary>Sends a signal to a process.</summary>
    /// <returns>False where there is none, or it is not ours to signal.</returns>
    internal static bool TrySignal(int pid, int signal) => kill(pid, signal) == 0;

    /// <summary>How a child of ours has ended, without taking it out of the process table; null where it has not, or is none of ours.</summary>
    internal static ExitStatus? PeekExit(int pid) => Wait(pid, NoWait);

    /// <summary>Takes an ended child of ours out of the process table.</summary>
    /// <returns>False where it has not ended or is none of ours.</returns>
    internal static bool Reap(int pid) => Wait(pid, 0) is not null;

    /// <summary>The kernel's session of a process, 0 = of this one; -1 where there is no such process.</summary>
    internal static int SessionOf(int pid) => getsid(pid);

    /// <summary>Whether orphans below this process become its children, prctl(2) PR_SET_CHILD_SUBREAPER.</summary>
    internal static void AdoptOrphans()
    {
        const int SetChildSubreaper = 36;
        if (prctl(SetChildSubreaper, 1, 0, 0, 0) != 0)
            throw LibcException.Last("prctl");
    }

    /// <summary>Puts a signal back to its default.</summary>
    internal static void ResetSignal(int number) => signal(number, 0);

    /// <summary>Makes ended children wait to be reaped: whoever started this process may have had SIGCHLD ignored, and then they do not.</summary>
    internal static void KeepEndedChildren()
    {
        const nint Default = 0;
        const nint Ignore = 1;
        const int ActionSize = 256; // struct sigaction, of which the handler is the first field everywhere: 152 bytes
        var action = stackalloc byte[ActionSize];
        if (sigaction(SigChild, null, action) != 0)
            throw LibcException.Last("sigaction");
        if (*(nint*)action == Ignore)
            signal(SigChild, Default);
    }

    /// <summary>A number that a process and all its descendants carry; null where none can be read.</summary>
    /// <remarks>
    /// It is the soft limit of RLIMIT_LOCKS, which the kernel has not looked at since Linux 2.4.25: inherited by fork and exec, and, unlike
    /// the environment, still there when the program has cleared its environment or has ended and waits to be reaped.
    /// </remarks>
    internal static ulong? GetMark(int pid)
    {
        var limit = stackalloc ulong[2];
        if (prlimit64(pid, ResourceLocks, null, limit) == 0)
            return limit[0];

        // Of other users' processes it tells nobody without CAP_SYS_RESOURCE, which root has not in most containers; their limits can be read all the same.
        return Marshal.GetLastPInvokeError() == ENotPermitted ? ReadMark(pid) : null;
    }

    private static ulong? ReadMark(int pid)
    {
        // Sixteen lines of some eighty characters.
        Span<byte> buffer = stackalloc byte[4096];
        ReadOnlySpan<byte> text = buffer[..ReadFile($"/proc/{pid}/limits", buffer)];
        var line = text.IndexOf("Max file locks"u8);
        if (line < 0)
            return null;
        var value = text[(line + "Max file locks"u8.Length)..].TrimStart((byte)' ');
        return System.Buffers.Text.Utf8Parser.TryParse(value, out ulong mark, out _) ? mark : ulong.MaxValue;
    }

    /// <summary>Marks this process, and so what it starts from now on.</summary>
    /// <returns>What it was marked with before; null where it cannot be marked.</returns>
    internal static ulong? MarkSelf(ulong mark)
    {
        var limit = stackalloc ulong[2];
        if (prlimit64(Self, ResourceLocks, null, limit) != 0)
            return null;
        var before = limit[0];
        limit[0] = mark;
        return prlimit64(Self, ResourceLocks, limit, null) == 0 ? before : null;
    }

    /// <summary>How many files this process, and what it starts, may be allowed to have open: the hard limit of RLIMIT_NOFILE.</summary>
    internal static ulong MostOpenFiles()
    {
        const int OpenFiles = 7;
        var limit = stackalloc ulong[2];
        return prlimit64(Self, OpenFiles, null, limit) == 0 ? limit[1] : ulong.MaxValue;
    }

    private const int Self = 0;
    private const int ResourceLocks = 10;

    private static ExitStatus? Wait(int pid, int flags)
    {
        const int ByPid = 1;
        const int InfoSize = 128;
        const int CodeOffset = 8;
        const int ExitedByItself = 1; // CLD_EXITED; else CLD_KILLED or CLD_DUMPED
        var statusOffset = sizeof(nint) == 8 ? 24 : 20;
        var pidOffset = sizeof(nint) == 8 ? 16 : 12;
        var info = stackalloc byte[InfoSize];
        *(int*)(info + pidOffset) = 0;
        int result;
        do
            result = waitid(ByPid, pid, info, ExitedOnly | NoHang | flags);
        while (result != 0 && Marshal.GetLastPInvokeError() == EIntr);
        if (result != 0 || *(int*)(info + pidOffset) == 0)
            return null;
        var status = *(int*)(info + statusOffset);
        return new ExitStatus(*(int*)(info + CodeOffset) == ExitedByItself ? status : -status);
    }

    // These return the error instead of setting errno.
    private static void Check(int error, string call)
    {
        if (error != 0)
            throw new LibcException(call, error);
    }

    /// <summary>A NULL-terminated array of C strings.</summary>
    private readonly ref struct NativeStrings : IDisposable
    {
        public NativeStrings(IReadOnlyList<string> strings)
        {
            Pointer = (byte**)NativeMemory.AllocZeroed((nuint)strings.Count + 1, (nuint)sizeof(byte*));
            for (var i = 0; i < strings.Count; i++)
                Pointer[i] = (byte*)Marshal.StringToCoTaskMemUTF8(strings[i]);
        }

        public byte** Pointer { get; }

        public void Dispose()
        {
            for (var i = 0; Pointer[i] != null; i++)
                Marshal.FreeCoTaskMem((nint)Pointer[i]);
            NativeMemory.Free(Pointer);
        }
    }

    /// <summary>Two sockets that are connected to each other: what is written to one is read from the other, both ways.</summary>
    internal static (Descriptor One, Descriptor Other) SocketPair()
    {
        const int Unix = 1;
        const int Stream = 1;
        const int CloseOnExec = 0x80000;
        var ends = stackalloc int[2];
        if (socketpair(Unix, Stream | CloseOnExec, 0, ends) != 0)
            throw LibcException.Last("socketpair");
        return (Descriptor.AboveStandard(ends[0]), Descriptor.AboveStandard(ends[1]));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socketpair(int domain, int type, int protocol, int* ends);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_init(byte* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_destroy(byte* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setflags(byte* attributes, short flags);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigdefault(byte* attributes, byte* signals);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigmask(byte* attributes, byte* signals);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_init(byte* actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_destroy(byte* actions);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addopen(byte* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_adddup2(byte* actions, int descriptor, int newDescriptor);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addchdir_np(byte* actions, string path);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_addclosefrom_np(byte* actions, int from);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn(int* pid, string path, byte* actions, byte* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint first, nint second, nint third, nint fourth);

    /// <summary>Opens a file for a program to read or write.</summary>
    /// <exception cref="LibcException">It cannot be opened.</exception>
    internal static Descriptor OpenFile(string path, bool truncate)
    {
        const int Create = 0x40;
        const int Truncate = 0x200;
        const uint OwnerOnly = 0x180;
        return Descriptor.Checked(open(path, LibcAt.OpenReadWrite | OpenCloseOnExec | (truncate ? Create | Truncate : 0), OwnerOnly), $"open {path}");
    }

    /// <summary>Puts another program in this process's place, with the same id (execve(2)). Returns only by an exception.</summary>
    /// <exception cref="LibcException">The program cannot be run.</exception>
    internal static void Execute(string program, IReadOnlyList<string> arguments, IReadOnlyList<string> environment)
    {
        using var argumentTexts = new NativeStrings(arguments);
        using var environmentTexts = new NativeStrings(environment);
        _ = execve(program, argumentTexts.Pointer, environmentTexts.Pointer);
        throw LibcException.Last($"execve {program}");
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int execve(string path, byte** arguments, byte** environment);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitid(int type, int id, byte* info, int options);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsid(int pid);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint second, nuint third, nuint fourth, nuint fifth);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prlimit64(int pid, int resource, ulong* newLimit, ulong* oldLimit);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sigaction(int number, byte* action, byte* previous);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint signal(int number, nint handler);
}
