using FurtherLink.Client;
using FurtherLink.Client.Consoles;
using FurtherLink.Messages;

namespace FurtherLink.Host.Consoles;

/// <summary>Prints a session's output, up to an offset or to its end.</summary>
internal sealed class LogPrinter
{
    private readonly ClientSession _session;
    private readonly Notes _notes;
    private readonly long? _end;
    private readonly TaskCompletionSource<int> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly OutputCopy _copy;
    private long _printed;

    /// <summary>Makes it.</summary>
    /// <param name="session">The session, of which nobody else reads.</param>
    /// <param name="notes">What is said beside the output.</param>
    /// <param name="end">The offset to stop at; null = the session's end.</param>
    public LogPrinter(ClientSession session, Notes notes, long? end)
    {
        _session = session;
        _notes = notes;
        _end = end;
        _copy = new OutputCopy(notes, exitCode => _over.TrySetResult(exitCode));
        session.Missed += (_, missed) =>
        {
            notes.Say($"{missed.To - missed.From} bytes of output are not kept any more");
            Count(0);
        };
    }

    /// <summary>Prints it.</summary>
    /// <returns>The exit code of the command: the program's where it was followed to its end.</returns>
    public async Task<int> RunAsync()
    {
        using var output = StandardStream.OpenOutput();
        using var error = StandardStream.OpenError();
        var ended = EndAsync(Task.WhenAll(_copy.CopyAsync(_session.Output, output, Count), _copy.CopyAsync(_session.Error, error, Count)));
        Count(0);
        return await await Task.WhenAny(ended, _over.Task);
    }

    private async Task<int> EndAsync(Task printed)
    {
        try
        {
            await printed;
            var status = await _session.Exited;
            return _copy.ExitCode ?? (_end is null ? ExitCodes.Of(status) : 0);
        }
        catch (LinkException e)
        {
            // To leave ends it, too.
            if (!_over.Task.IsCompleted)
                _notes.Complain(e.Message);
            return ExitCodes.Refused;
        }
    }

    private void Count(long bytes)
    {
        var place = _session.StartOffset + Interlocked.Add(ref _printed, bytes) + _session.MissedBytes;
        if (place >= _end)
            _over.TrySetResult(0);
    }
}
