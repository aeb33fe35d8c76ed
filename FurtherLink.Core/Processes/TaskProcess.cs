using System.IO.Pipelines;
using System.Text;
using FurtherLink.Messages;

namespace FurtherLink.Processes;

/// <summary>
/// A program that is a method of this process, for runners that start none of the system's. Signals that end programs, and disposing, cancel
/// it; one that goes on all the same is left to itself after a grace. It has no terminal.
/// </summary>
public sealed class TaskProcess : IProcess
{
    private const int SigTerm = 15;
    private const int SigKill = 9;
    private const int Failure = 1;

    // The input bound of all sessions.
    private const int InputCapacity = 256 * 1024;

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Pipe _input = new(new PipeOptions(pauseWriterThreshold: InputCapacity, resumeWriterThreshold: InputCapacity / 2, useSynchronizationContext: false));
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<ExitStatus> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _signal;

    /// <summary>Starts it, on the thread pool.</summary>
    /// <param name="context">Whose it is and where its output goes.</param>
    /// <param name="run">
    /// The program: given its input and a token that is cancelled when it is to end, it returns its exit code. It prints to
    /// <see cref="ProcessContext.Out"/>. An exception is printed to <see cref="ProcessContext.Error"/>, and is exit code 1.
    /// </param>
    public TaskProcess(ProcessContext context, Func<PipeReader, CancellationToken, Task<int>> run)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(run);
        _ = Task.Run(() => RunAsync(context, run));
    }

    /// <summary>This process's own id.</summary>
    public int Id => Environment.ProcessId;

    /// <inheritdoc/>
    public string WorkingDirectory { get; } = Environment.CurrentDirectory;

    /// <inheritdoc/>
    public PipeWriter Input => _input.Writer;

    /// <inheritdoc/>
    public Task<ExitStatus> Exited => _exited.Task;

    /// <inheritdoc/>
    public bool HasDescendants => false;

    /// <inheritdoc/>
    public bool TryResize(TerminalSize size) => false;

    /// <summary>Cancels it by a signal that ends programs (HUP, INT, QUIT, KILL, TERM); nothing by another.</summary>
    public void Signal(int number)
    {
        if (number is 1 or 2 or 3 or SigKill or SigTerm && Interlocked.CompareExchange(ref _signal, number, 0) == 0)
            _ = _stop.CancelAsync();
    }

    /// <summary>Cancels it, and waits for its end, 2 s at most.</summary>
    public async ValueTask DisposeAsync()
    {
        Signal(SigTerm);
        await ((Task)Exited).WaitAsync(Grace).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _exited.TrySetResult(new ExitStatus(-SigKill));
    }

    private async Task RunAsync(ProcessContext context, Func<PipeReader, CancellationToken, Task<int>> run)
    {
        ExitStatus status;
        try
        {
            status = new ExitStatus(await run(_input.Reader, _stop.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            status = new ExitStatus(-Volatile.Read(ref _signal));
        }
#pragma warning disable CA1031 // Whatever its mistake is, it is the program's: it ends, and the device goes on.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await context.Error.WriteAsync(Encoding.UTF8.GetBytes(exception.Message + "\n"), CancellationToken.None).ConfigureAwait(false);
            status = new ExitStatus(Failure);
        }

        await _input.Reader.CompleteAsync().ConfigureAwait(false);
        _exited.TrySetResult(status);
    }
}
