using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Sessions.Logs;

namespace FurtherLink.Tests.Sessions;

/// <summary>An archive that keeps what it is given, in memory, and may lose its oldest. Thread safe.</summary>
internal sealed class MemoryArchive : IOutputArchive
{
    private readonly Lock _lock = new();
    private readonly List<(OutputKind Kind, long Offset, long Time, byte[] Data, Utf8Tail[] Before)> _chunks = [];
    private readonly Utf8Tail[] _tails = new Utf8Tail[2];

    public int Count
    {
        get
        {
            lock (_lock)
                return _chunks.Count;
        }
    }

    /// <summary>The offset behind what was archived last.</summary>
    public long End { get; private set; }

    /// <summary>Takes a piece in.</summary>
    public void Add(OutputChunk chunk)
    {
        lock (_lock)
        {
            End = chunk.Next;
            var before = _tails.ToArray();
            _chunks.Add((chunk.Kind, chunk.Offset, chunk.Time, chunk.Data.ToArray(), before));
            _tails[OutputLog.Index(chunk.Kind)].Append(chunk.Data.Span);
        }
    }

    public void DropBefore(long offset)
    {
        lock (_lock)
            _chunks.RemoveAll(chunk => chunk.Offset + chunk.Data.Length <= offset);
    }

    public bool HasAny(long from, long to)
    {
        lock (_lock)
            return _chunks.Exists(chunk => chunk.Offset < to && from < chunk.Offset + chunk.Data.Length);
    }

    /// <summary>Goes on, maybe behind a hole.</summary>
    /// <param name="tails">By kind, what lies before it and may wait for its rest.</param>
    public void Begin(Utf8Tail[] tails)
    {
        lock (_lock)
            tails.CopyTo(_tails, 0);
    }

    public bool MayFollow { get; init; }

    public IArchiveReader Open() => new Reader(this);

    private sealed class Reader(MemoryArchive archive) : IArchiveReader
    {
        public void Read(long offset, ArchivePieces pieces)
        {
            lock (archive._lock)
            {
                var length = 0;
                var end = offset;
                foreach (var (kind, at, time, data, before) in archive._chunks)
                {
                    var skip = (int)Math.Clamp(offset - at, 0, data.Length);
                    if (skip == data.Length)
                        continue;
                    if (pieces.Count == 0)
                    {
                        before.CopyTo(pieces.Tails, 0);
                        pieces.Tails[OutputLog.Index(kind)].Append(data.AsSpan(0, skip));
                    }
                    else if (at != end)
                    {
                        return;
                    }

                    data.AsSpan(skip).CopyTo(pieces.Bytes.AsSpan(length));
                    pieces.Add(new ArchivePieces.Piece(kind, at + skip, time, length, data.Length - skip));
                    length += data.Length - skip;
                    end = at + data.Length;
                    if (length > 3000)
                        return; // short stretches, for more of them
                }
            }
        }

        public void Dispose()
        {
        }
    }
}
