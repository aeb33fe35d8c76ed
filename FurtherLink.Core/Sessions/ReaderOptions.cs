namespace FurtherLink.Sessions;

/// <summary>How a reader reads.</summary>
public sealed class ReaderOptions
{
    private readonly int _wakeAfter = 1;

    /// <summary>The offset to begin at; null = the log's end. Default 0.</summary>
    public long? From { get; init; } = 0;

    /// <summary>
    /// Whole UTF-8 characters only: of each stream up to 3 bytes wait for their rest, and a piece may begin with bytes from before its offset.
    /// What is invalid is passed on as it is, and never waits. Default false: bytes as they come, nothing is held back.
    /// </summary>
    public bool Text { get; init; }

    /// <summary>
    /// Pieces end where the time changes, so that each keeps its own <see cref="OutputChunk.Time"/>. Default false: what was printed line by
    /// line comes in one piece where it lies together.
    /// </summary>
    public bool Timed { get; init; }

    /// <summary>
    /// For readers that work in batches: they are told of more only when so many bytes lie before them, at the log's end, or when a program
    /// waits for room. Reading meanwhile takes what there is. Default 1, at least 1.
    /// </summary>
    public int WakeAfter
    {
        get => _wakeAfter;
        init => _wakeAfter = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1.");
    }

    /// <summary>The program waits for this reader; false = it misses what it is too slow for. Default true.</summary>
    public bool Lossless { get; init; } = true;

    /// <summary>
    /// Called once when there is more after <see cref="OutputReader.TryRead"/> returned false, on the thread that wrote or on the pool; where it
    /// reads until false itself, the next call may come before this one has returned. It must neither wait nor throw; it may read, release and
    /// dispose.
    /// </summary>
    public Action<OutputReader>? OnOutput { get; init; }

    /// <summary>
    /// Called once when the log has been full and this lossless reader has released nothing for the stall timeout, on the clock's thread. It
    /// must neither wait nor throw. Null = the program waits for it however long that takes, until others have waited for it as long.
    /// </summary>
    public Action<OutputReader>? OnStalled { get; init; }

    /// <summary>What has left the memory counts as missed, also where it is archived: for who writes the archive. Default false.</summary>
    internal bool MemoryOnly { get; init; }
}
