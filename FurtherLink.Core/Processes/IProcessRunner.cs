using System.IO.Pipelines;
using FurtherLink.Messages;

namespace FurtherLink.Processes;

/// <summary>A way to run something: turns a request into a running program. One object for all runs; thread safe.</summary>
public interface IProcessRunner
{
    /// <summary>What requests call it: "exec", "python3", "shell".</summary>
    string Name { get; }

    /// <summary>Starts a program.</summary>
    /// <param name="request">What to run; its terminal, user and environment are already the final ones.</param>
    /// <param name="context">Whose it is and where its output goes.</param>
    /// <param name="cancellationToken">Gives up before the program exists; once it does, only disposing the process ends it.</param>
    /// <exception cref="LinkException">It cannot be started; the message says what to do.</exception>
    ValueTask<IProcess> StartAsync(RunRequest request, ProcessContext context, CancellationToken cancellationToken);
}

/// <summary>What a runner needs beside the request.</summary>
/// <param name="SessionId">The session's global id.</param>
/// <param name="Out">The log's writer for standard output, and for everything of a terminal.</param>
/// <param name="Error">The log's writer for standard error; a terminal does not use it.</param>
public sealed record ProcessContext(string SessionId, PipeWriter Out, PipeWriter Error)
{
    /// <summary>The user it runs as.</summary>
    public UserAccount User { get; init; } = UserAccount.Current;

    /// <summary>Variables of the session itself (where its side channels are), set before the request's own.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// To be called when the program's input has taken more, with the number of all bytes of <see cref="IProcess.Input"/> that it has taken so
    /// far. Any thread, one at a time; it does not wait. A runner that never calls it leaves clients without the acknowledgement of input.
    /// </summary>
    public Action<long>? InputTaken { get; init; }
}

/// <summary>A running program. Disposing ends it: TERM to the group, KILL after the grace, then everything it left behind.</summary>
public interface IProcess : IAsyncDisposable
{
    /// <summary>The process id, which is also its process group and session id.</summary>
    int Id { get; }

    /// <summary>The program's working directory when it started, absolute.</summary>
    string WorkingDirectory { get; }

    /// <summary>
    /// Standard input, or the terminal's input. A flush waits while more than the input bound is unread and fails with
    /// <see cref="IOException"/> once the program has closed it; completing is end of file (on a terminal: Ctrl-D).
    /// </summary>
    PipeWriter Input { get; }

    /// <summary>Completes after the program has ended and its last byte is in the log. Never faults.</summary>
    Task<ExitStatus> Exited { get; }

    /// <summary>Whether processes that it started are still there, in whatever group or session, after it has ended.</summary>
    bool HasDescendants { get; }

    /// <summary>Sets the terminal's size.</summary>
    /// <returns>False where there is no terminal.</returns>
    bool TryResize(TerminalSize size);

    /// <summary>Sends a signal to the process group; nothing where it is gone.</summary>
    void Signal(int number);
}
