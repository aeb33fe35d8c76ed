using System.Buffers;
using System.IO.Pipelines;
using FurtherLink.Client.Consoles;

namespace FurtherLink.Host.Consoles;

/// <summary>
/// Writes a session's output to this process's standard streams. Once one of them takes no more, what still comes is read and goes nowhere, so that
/// nobody waits for it.
/// </summary>
/// <param name="notes">Is told why a stream takes no more, where that is a fault.</param>
/// <param name="broken">Called once then, with what the command ends with.</param>
internal sealed class OutputCopy(Notes notes, Action<int> broken)
{
    // A piece is acknowledged once it is written: small enough that the next ones are under way meanwhile.
    private const int Piece = 64 * 1024;

    private readonly Lock _lock = new();
    private int? _exitCode;
    private bool _isOver;

    /// <summary>What the command ends with as a stream takes no more; null = all do.</summary>
    public int? ExitCode => _exitCode;

    /// <summary>Copies to the end of the output.</summary>
    /// <param name="reader">One of the session's streams.</param>
    /// <param name="stream">Where it goes.</param>
    /// <param name="copied">Called with the length of each piece behind it; null = nothing.</param>
    public async Task CopyAsync(PipeReader reader, StandardStream stream, Action<long>? copied = null)
    {
        while (true)
        {
            var result = await reader.ReadAsync();
            var buffer = result.Buffer;
            var piece = buffer.Slice(0, Math.Min(buffer.Length, Piece));
            var length = piece.Length;
            await WriteAsync(piece, stream);
            reader.AdvanceTo(piece.End);
            copied?.Invoke(length);
            if (result.IsCompleted && length == buffer.Length)
                return;
        }
    }

    /// <summary>Writes a piece.</summary>
    public async Task WriteAsync(ReadOnlySequence<byte> piece, StandardStream stream)
    {
        if (piece.IsEmpty || _exitCode is not null)
            return;
        Task<bool> written;
        lock (_lock)
        {
            if (_isOver)
                return;
            written = stream.WriteAsync(piece);
        }

        try
        {
            if (!await written)
                Break(ExitCodes.OfSignal(ConsoleSignals.Pipe));
        }
        catch (IOException e)
        {
            // A full disk.
            notes.Complain($"the output cannot be written: {e.Message}");
            Break(ExitCodes.Refused);
        }
    }

    /// <summary>Nothing more is written, but for a last piece behind all that was.</summary>
    public async Task EndAsync(ReadOnlySequence<byte> last, StandardStream stream)
    {
        Task written;
        lock (_lock)
        {
            _isOver = true;
            written = stream.WriteAsync(last);
        }

        // Where it cannot be written, there is nothing to put in order.
        await written.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Break(int exitCode)
    {
        if (_exitCode is not null)
            return;
        _exitCode = exitCode;
        broken(exitCode);
    }
}
