using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes.Children;

/// <summary>
/// Starts programs, all on one thread that lives as long as this object: what is to be killed with its parent (PR_SET_PDEATHSIG) is killed
/// when the <em>thread</em> that started it ends. The thread begins with the first program.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class Spawner : IDisposable
{
    // util-linux, a part of every Debian.
    private static readonly string[] SetprivPaths = ["/usr/bin/setpriv", "/bin/setpriv", "/usr/local/bin/setpriv"];

    private readonly object _changed = new();
    private readonly Queue<Job> _jobs = new();
    private Thread? _thread;
    private bool _isDisposed;

    /// <summary>Starts a program.</summary>
    /// <exception cref="LinkException">It cannot be started; the message says why.</exception>
    public Task<Spawned> SpawnAsync(SpawnRequest request, CancellationToken cancellationToken)
    {
        var job = new Job(request, cancellationToken);
        lock (_changed)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _jobs.Enqueue(job);
            Monitor.Pulse(_changed);
            if (_thread is null)
            {
                _thread = new Thread(Run) { IsBackground = true, Name = "FurtherLink spawner" };
                _thread.Start();
            }
        }

        return job.Result.Task;
    }

    /// <summary>Ends the thread, after what was asked for before.</summary>
    public void Dispose()
    {
        lock (_changed)
        {
            _isDisposed = true;
            Monitor.Pulse(_changed);
        }

        _thread?.Join();
    }

    private void Run()
    {
        while (Next() is { } job)
        {
            if (job.Cancellation.IsCancellationRequested)
            {
                job.Result.TrySetCanceled(job.Cancellation);
                continue;
            }

            try
            {
                job.Result.TrySetResult(Spawn(job.Request));
            }
            catch (Exception e)
            {
                job.Result.TrySetException(e);
            }
        }
    }

    /// <summary>Waits for a job, asleep: who spins takes the processor from what was just started.</summary>
    /// <returns>Null where none will come.</returns>
    private Job? Next()
    {
        lock (_changed)
        {
            while (true)
            {
                if (_jobs.TryDequeue(out var job))
                    return job;
                if (_isDisposed)
                    return null;
                Monitor.Wait(_changed);
            }
        }
    }

    private static Spawned Spawn(SpawnRequest request)
    {
        try
        {
            var whole = InGroup(AsUser(request));
            return request.Terminal is { } size ? SpawnOnTerminal(whole, size) : SpawnOnPipes(whole);
        }
        catch (LibcException e)
        {
            throw Explain(request, e);
        }
    }

    private static Spawned SpawnOnTerminal(SpawnRequest request, TerminalSize size)
    {
        var master = Libc.OpenTerminal(out var path);
        try
        {
            Libc.SetWindowSize(master, size.Rows, size.Columns);
            if (request.User.Uid != Libc.EffectiveUser)
                Libc.GiveTerminal(path, request.User.Uid);
            var pid = SpawnMarked(request.Mark, new Libc.SpawnArguments
            {
                Program = request.Program,
                Arguments = request.Arguments,
                Environment = request.Environment,
                Directory = request.Directory,
                Terminal = path,
            });
            return new Spawned(pid, Watch(pid), master, master, null);
        }
        catch
        {
            master.Dispose();
            throw;
        }
    }

    private static Spawned SpawnOnPipes(SpawnRequest request)
    {
        var ends = new List<Descriptor>(6);
        try
        {
            var (theirInput, input) = Add(ends, Libc.Pipe(nonBlockingRead: false));
            var (output, theirOutput) = Add(ends, Libc.Pipe(nonBlockingRead: true));
            var (error, theirError) = Add(ends, Libc.Pipe(nonBlockingRead: true));
            var pid = SpawnMarked(request.Mark, new Libc.SpawnArguments
            {
                Program = request.Program,
                Arguments = request.Arguments,
                Environment = request.Environment,
                Directory = request.Directory,
                Input = theirInput,
                Output = theirOutput,
                Error = theirError,
            });
            var exit = Watch(pid);
            theirInput.Dispose();
            theirOutput.Dispose();
            theirError.Dispose();
            return new Spawned(pid, exit, input, output, error);
        }
        catch
        {
            foreach (var end in ends)
                end.Dispose();
            throw;
        }
    }

    private static (Descriptor Read, Descriptor Write) Add(List<Descriptor> ends, (Descriptor Read, Descriptor Write) pipe)
    {
        ends.Add(pipe.Read);
        ends.Add(pipe.Write);
        return pipe;
    }

    private static int SpawnMarked(ulong mark, in Libc.SpawnArguments arguments)
    {
        // A mark that came after the start would be missed by what the program starts first. The other way round, what an embedding
        // application starts in this moment gets it too; such a child is told apart by its session, which is this process's own.
        var before = Libc.MarkSelf(mark);
        try
        {
            return Libc.Spawn(arguments);
        }
        finally
        {
            if (before is not null)
                Libc.MarkSelf(before.Value);
        }
    }

    private static Descriptor Watch(int pid)
    {
        // Nobody but us reaps it, so the id is still its own.
        if (Libc.OpenProcess(pid) is { } exit)
            return exit;

        var failure = LibcException.Last("pidfd_open");
        Libc.SendSignalToGroup(pid, Libc.SigKill);
        throw failure;
    }

    private static SpawnRequest AsUser(SpawnRequest request)
    {
        var user = request.User;
        if (user.Uid == Libc.EffectiveUser)
            return request;
        user.EnsureAllowed();
        var setpriv = Array.Find(SetprivPaths, File.Exists)
            ?? throw new LinkException(FailureCode.Failed, $"running as \"{user.Name}\" needs the program setpriv: install the package util-linux");
        // Until setpriv has become the user, it is this process's user that heeds the variables.
        var (kept, heldBack) = HeldVariables.Split(request.Environment);
        return request with
        {
            Program = setpriv,
            Environment = kept,
            Arguments =
            [
                setpriv, $"--reuid={user.Uid}", $"--regid={user.Gid}", $"--groups={string.Join(',', user.Groups)}", "--pdeathsig=KILL", "--",
                .. HeldVariables.Restore(heldBack, request.Program), request.Program, .. request.Arguments.Skip(1),
            ],
        };
    }

    /// <summary>In front of all else, and still as this process's user, who alone may put somebody in a group.</summary>
    private static SpawnRequest InGroup(SpawnRequest request)
    {
        if (request.Group is not { } group)
            return request;
        IReadOnlyList<string> words = [.. group.Enter(), request.Program, .. request.Arguments.Skip(1)];
        return request with { Program = words[0], Arguments = words };
    }

    private static LinkException Explain(SpawnRequest request, LibcException e)
    {
        var program = request.Program;
        return e.Errno switch
        {
            Libc.ENoEntry or Libc.ENotDirectory when !Directory.Exists(request.Directory) =>
                new LinkException(FailureCode.Failed, $"there is no directory {request.Directory} to run in", e),
            Libc.ENoEntry when File.Exists(program) =>
                new LinkException(FailureCode.ProgramNotRunnable, $"{program} cannot run: the interpreter that its first line names, or that it was linked for, is not on this device", e),
            Libc.ENoEntry or Libc.ENotDirectory => new LinkException(FailureCode.ProgramNotFound, $"there is no program {program}", e),
            Libc.EAccess => new LinkException(
                FailureCode.ProgramNotRunnable, $"{request.User.Name} may not execute {program}, or may not enter {request.Directory}: look at their permissions (chmod +x)", e),
            Libc.ENotExecutable => NotExecutable(program, e),
            Libc.ETextBusy => new LinkException(FailureCode.ProgramNotRunnable, $"{program} is being written to by another program; start it again when that is done", e),
            Libc.ETooBig => new LinkException(FailureCode.Failed, $"the arguments and environment of {program} are too large for the system", e),
            Libc.ENoProcessesLeft or Libc.ENoMemory or Libc.EProcessFiles or Libc.ESystemFiles =>
                new LinkException(FailureCode.Limited, $"this device has no room for another program: {e.Message}", e),
            _ => new LinkException(FailureCode.Failed, $"{program} cannot be started: {e.Message}", e),
        };
    }

    /// <summary>What is said of a file that is neither a binary nor a script.</summary>
    internal static LinkException NotExecutable(string program, Exception? inner = null) => new(
        FailureCode.ProgramNotRunnable, $"{program} is nothing that the system can run: a script needs a first line like \"#!/usr/bin/env python3\"", inner);

    private sealed record Job(SpawnRequest Request, CancellationToken Cancellation)
    {
        public TaskCompletionSource<Spawned> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
