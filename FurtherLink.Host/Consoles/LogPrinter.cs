using System.IO.Pipelines;
using System.Runtime.Versioning;
using FurtherLink.Client;
using FurtherLink.Client.Consoles;
using FurtherLink.Messages;

namespace FurtherLink.Host.Consoles;

/// <summary>Prints a session's output, up to an offset or to its end.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LogPrinter
{
    private const int Piece = 64 * 1024;

    private readonly ClientSession _session;
    private readonly Notes _notes;
    private readonly long? _end;
    private readonly TaskCompletionSource<int> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
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
        var ended = EndAsync(Task.WhenAll(PrintAsync(_session.Output, output), PrintAsync(_session.Error, error)));
        Count(0);
        return await await Task.WhenAny(ended, _over.Task);
    }

    private async Task<int> EndAsync(Task printed)
    {
        try
        {
            await printed;
            var status = await _session.Exited;
            return _end is null ? ExitCodes.Of(status) : 0;
        }
        catch (LinkException e)
        {
            // To leave ends it, too.
            if (!_over.Task.IsCompleted)
                _notes.Complain(e.Message);
            return ExitCodes.Refused;
        }
        catch (IOException e)
        {
            _notes.Complain($"the output cannot be written: {e.Message}");
            return ExitCodes.Refused;
        }
    }

    private async Task PrintAsync(PipeReader reader, StandardStream stream)
    {
        while (true)
        {
            var result = await reader.ReadAsync();
            var buffer = result.Buffer;
            var piece = buffer.Slice(0, Math.Min(buffer.Length, Piece));
            if (!piece.IsEmpty && !await stream.WriteAsync(piece))
                _over.TrySetResult(ExitCodes.OfSignal(ConsoleSignals.Pipe));
            var length = piece.Length;
            reader.AdvanceTo(piece.End);
            Count(length);
            if (result.IsCompleted && length == buffer.Length)
                return;
        }
    }

    private void Count(long bytes)
    {
        var place = _session.StartOffset + Interlocked.Add(ref _printed, bytes) + _session.MissedBytes;
        if (place >= _end)
            _over.TrySetResult(0);
    }
}
