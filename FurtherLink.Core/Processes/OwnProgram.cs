using System.Collections;
using System.Runtime.InteropServices;
using FurtherLink.Messages;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes;

/// <summary>This process's own program, in another process or anew. Needs Linux.</summary>
public static class OwnProgram
{
    private const int SigChild = 17;

    /// <summary>
    /// Starts it in a process that outlives this one: the leader of a session of its own, without a terminal and with nothing that this
    /// process has open.
    /// </summary>
    /// <param name="arguments">Its arguments, without its name.</param>
    /// <param name="log">A file for what it prints, which is emptied first.</param>
    /// <returns>Its process id.</returns>
    /// <exception cref="LinkException">It cannot be started.</exception>
    public static int StartDetached(IReadOnlyList<string> arguments, string log)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        ArgumentNullException.ThrowIfNull(log);
        try
        {
            using var nothing = Libc.OpenFile("/dev/null", truncate: false);
            using var output = Libc.OpenFile(log, truncate: true);
            var pid = Libc.Spawn(new Libc.SpawnArguments
            {
                Program = Command[0],
                Arguments = [.. Command, .. arguments],
                Environment = CurrentEnvironment(),
                Directory = Environment.CurrentDirectory,
                Input = nothing,
                Output = output,
                Error = output,
            });
            ReapWhenEnded(pid);
            return pid;
        }
        catch (LibcException e)
        {
            throw new LinkException(FailureCode.Failed, $"a process for the sessions that are to be kept cannot be started: {e.Message}", e);
        }
    }

    /// <summary>
    /// Puts it in this process's place: same process id, same standard streams, nothing else of what is open. Returns only by an exception. To
    /// be called when all else has ended.
    /// </summary>
    /// <param name="arguments">Its arguments, without its name.</param>
    /// <exception cref="LinkException">It cannot be run: the file is gone, or not executable.</exception>
    public static void Replace(IReadOnlyList<string> arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        try
        {
            Libc.Execute(Command[0], [.. Command, .. arguments], CurrentEnvironment());
        }
        catch (LibcException e)
        {
            throw new LinkException(FailureCode.Failed, $"this program cannot be started again: {e.Message}", e);
        }
    }

    /// <summary>Sends a signal to a process, by which programs of one kind speak to each other.</summary>
    /// <returns>False where there is no such process, or it is another user's.</returns>
    public static bool TrySignal(int pid, int signal) => Libc.TrySignal(pid, signal);

    /// <summary>The command that runs it: its executable, or the runtime with its assembly.</summary>
    private static string[] Command
    {
        get
        {
            var process = Environment.ProcessPath ?? throw new LinkException(FailureCode.Failed, "this process does not know its own program");
            var first = Environment.GetCommandLineArgs()[0];
            return Path.GetFileNameWithoutExtension(process) == "dotnet" && first.EndsWith(".dll", StringComparison.Ordinal) ? [process, first] : [process];
        }
    }

    private static List<string> CurrentEnvironment() =>
        [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => $"{variable.Key}={variable.Value}")];

    private static void ReapWhenEnded(int pid)
    {
        PosixSignalRegistration? registration = null;
        registration = PosixSignalRegistration.Create((PosixSignal)SigChild, _ =>
        {
            if (Libc.Reap(pid))
                registration?.Dispose();
        });
    }
}
