using FurtherLink.Messages;

namespace FurtherLink.Sessions.Logs;

/// <summary>A stretch of archived output in memory: pieces without a hole between them, oldest first. Used by one thread at a time.</summary>
internal sealed class ArchivePieces
{
    /// <summary>Bytes of memory for one stretch: two of the largest chunks of a log, and what an archive keeps with each.</summary>
    public const int Size = 2 * (LogBlockPool.LargeSize + 64);

    private readonly List<Piece> _pieces = [];

    /// <summary>Where the pieces' data lies.</summary>
    public byte[] Bytes { get; } = GC.AllocateUninitializedArray<byte>(Size);

    /// <summary>By kind, the last bytes before the first piece, as many as can be a character cut short.</summary>
    public Utf8Tail[] Tails { get; } = new Utf8Tail[2];

    /// <summary>How many pieces.</summary>
    public int Count => _pieces.Count;

    /// <summary>One of them.</summary>
    public Piece this[int index] => _pieces[index];

    /// <summary>Takes everything out.</summary>
    public void Clear()
    {
        _pieces.Clear();
        Array.Clear(Tails);
    }

    /// <summary>Adds what lies in <see cref="Bytes"/> already, right behind the last piece by its offset.</summary>
    public void Add(in Piece piece)
    {
        if (_pieces.Count > 0 && _pieces[^1] is var last && last.Kind == piece.Kind && last.Start + last.Length == piece.Start
            && last.Time == piece.Time)
        {
            _pieces[^1] = last with { Length = last.Length + piece.Length };
        }
        else
        {
            _pieces.Add(piece);
        }
    }

    /// <summary>Finds the bytes at an offset.</summary>
    /// <param name="index">A piece that does not lie behind them; then theirs.</param>
    /// <param name="offset">The offset.</param>
    /// <param name="enough">With fewer bytes, pieces that are apart only by their times are joined.</param>
    /// <param name="run">The bytes.</param>
    /// <returns>False where there are none.</returns>
    public bool TryFind(ref int index, long offset, int enough, out LogRun run)
    {
        run = default;
        while (index < _pieces.Count && _pieces[index].End <= offset)
            index++;
        if (index == _pieces.Count || _pieces[index] is var piece && piece.Offset > offset)
            return false;
        var skip = (int)(offset - piece.Offset);
        var length = piece.Length;
        for (var next = index + 1; length - skip < enough && next < _pieces.Count && _pieces[next].Kind == piece.Kind && _pieces[next].Start == piece.Start + length; next++)
            length += _pieces[next].Length;
        run = new LogRun(piece.Kind, null, Bytes.AsMemory(piece.Start + skip, length - skip), piece.Time, IsLast: false);
        return true;
    }

    /// <summary>Bytes of one stream.</summary>
    /// <param name="Kind">The stream.</param>
    /// <param name="Offset">The first one's offset in the log.</param>
    /// <param name="Time">When it was taken, in milliseconds since the Unix epoch.</param>
    /// <param name="Start">Its place in <see cref="Bytes"/>.</param>
    /// <param name="Length">How many.</param>
    public readonly record struct Piece(OutputKind Kind, long Offset, long Time, int Start, int Length)
    {
        /// <summary>The offset behind the last one.</summary>
        public long End => Offset + Length;
    }
}
