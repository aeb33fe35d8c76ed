using FurtherLink.Messages;

namespace FurtherLink.Sessions;

/// <summary>A piece of a log.</summary>
/// <param name="Kind">Which stream.</param>
/// <param name="Offset">Where reading was, in bytes of both streams since the session's start.</param>
/// <param name="Next">
/// Where reading goes on: a reader attached there gets exactly what follows. For text that is not always the offset plus the data's length,
/// as a cut character waits for its rest; where a program ends in the middle of characters it is up to 2 behind the log's end.
/// </param>
/// <param name="Data">The bytes, contiguous, borrowed until the next read of this reader; releasing or overwriting does not touch them.</param>
/// <param name="Missed">Bytes lost right before this piece: the offset less where the piece before it ended.</param>
/// <param name="Exit">How the program ended: only on the last piece, which has no data.</param>
public readonly record struct OutputChunk(
    OutputKind Kind, long Offset, long Next, ReadOnlyMemory<byte> Data, long Missed, ExitStatus? Exit)
{
    /// <summary>
    /// When the first byte was taken from the program, by the log's clock, in milliseconds since the Unix epoch; of the last piece, when the
    /// log ended. A clock that is set makes it jump.
    /// </summary>
    /// <remarks>
    /// It is up to <see cref="LogOptions.TimeStep"/> early, and the bytes behind the first may be later, unless the reader is
    /// <see cref="ReaderOptions.Timed"/>: then they are less than that later.
    /// </remarks>
    public long Time { get; init; }
}
