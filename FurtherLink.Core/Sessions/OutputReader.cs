using FurtherLink.Messages;

namespace FurtherLink.Sessions;

/// <summary>How a reader reads.</summary>
public sealed class ReaderOptions
{
    /// <summary>The offset to begin at; null = the log's end.</summary>
    public long? From { get; init; } = 0;

    /// <summary>Whole UTF-8 characters only.</summary>
    public bool Text { get; init; }

    /// <summary>The program waits for this reader.</summary>
    public bool Lossless { get; init; } = true;

    /// <summary>Called once when there is more after <see cref="OutputReader.TryRead"/> returned false; it must not wait.</summary>
    public Action<OutputReader>? OnOutput { get; init; }

    /// <summary>Called once when the log has been full for the stall timeout and this reader made no progress; it must not wait.</summary>
    public Action<OutputReader>? OnStalled { get; init; }
}

/// <summary>A piece of a log.</summary>
/// <param name="Kind">Which stream.</param>
/// <param name="Offset">The first byte's offset.</param>
/// <param name="Next">Where reading goes on.</param>
/// <param name="Data">The bytes, contiguous, borrowed until the next read, <see cref="OutputReader.Release"/> or dispose.</param>
/// <param name="Missed">Bytes lost right before this piece.</param>
/// <param name="Exit">How the program ended: only on the last piece, which has no data.</param>
public readonly record struct OutputChunk(
    OutputKind Kind, long Offset, long Next, ReadOnlyMemory<byte> Data, long Missed, ExitStatus? Exit);

/// <summary>A cursor in a log. Used by one thread at a time; disposing detaches it.</summary>
public sealed class OutputReader : IDisposable
{
    internal OutputReader(OutputLog log, ReaderOptions options)
    {
        Position = options.From ?? log.End;
        Options = options;
    }

    /// <summary>How it reads.</summary>
    public ReaderOptions Options { get; }

    /// <summary>Where the next read begins.</summary>
    public long Position { get; private set; }

    /// <summary>Takes the next piece.</summary>
    /// <returns>False where there is none now; the callback tells when there is.</returns>
    public bool TryRead(int maxBytes, out OutputChunk chunk) => throw new NotSupportedException(maxBytes.ToString());

    /// <summary>Waits for the next piece.</summary>
    public ValueTask<OutputChunk> ReadAsync(int maxBytes, CancellationToken cancellationToken) => throw new NotSupportedException(maxBytes.ToString());

    /// <summary>Lets the log overwrite what lies below an offset.</summary>
    public void Release(long offset) => throw new NotSupportedException(offset.ToString());

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
