namespace FurtherLink.Sessions.Spills;

/// <summary>
/// Writes a session's segments within their bounds: the oldest go when there are too many bytes, or when they are too old. Used by one
/// thread at a time.
/// </summary>
/// <param name="path">The session's directory; it is made with the first batch.</param>
/// <param name="capacity">Bytes on disk at most, beside the newest segment's last batch.</param>
/// <param name="segmentSize">Bytes at which a new segment is begun.</param>
internal sealed class SpillFiles(string path, long capacity, long segmentSize) : IDisposable
{
    private readonly Queue<Segment> _closed = new();
    private SpillDirectory? _directory;
    private FileStream? _file;
    private Segment _open;
    private long _closedSize;

    /// <summary>When the newest byte of the oldest segment was taken, in milliseconds since the Unix epoch; null where there is none.</summary>
    public long? Oldest => _closed.TryPeek(out var oldest) ? oldest.Newest : _file is null ? null : _open.Newest;

    /// <summary>The first offset that is there; null where there is none.</summary>
    public long? First => _closed.TryPeek(out var oldest) ? oldest.First : _file is null ? null : _open.First;

    /// <summary>Writes a batch.</summary>
    /// <exception cref="IOException">The disk is full, or worse; nothing of the batch is there. Also <see cref="UnauthorizedAccessException"/>.</exception>
    public void Append(SpillBatch batch)
    {
        _directory ??= SpillDirectory.Create(path);
        if (_file is not null && _open.Size + batch.Length > segmentSize)
            Close();
        while (_closed.Count > 0 && _closedSize + _open.Size + batch.Length > capacity)
            DeleteOldest();
        try
        {
            if (_file is null)
                Open(batch);
            _file!.Write(batch.Records);
            _open = _open with { Size = _open.Size + batch.Length, Newest = batch.Newest };
        }
        catch (Exception)
        {
            Undo();
            throw;
        }
    }

    /// <summary>The next batch does not follow on the last one.</summary>
    public void Close()
    {
        if (_file is null)
            return;
        _file.Dispose();
        _file = null;
        _closed.Enqueue(_open);
        _closedSize += _open.Size;
        _open = default;
    }

    /// <summary>Deletes the segments of which no byte was taken at a time or later.</summary>
    /// <param name="time">In milliseconds since the Unix epoch.</param>
    public void DeleteOlderThan(long time)
    {
        while (Oldest < time)
        {
            if (_closed.Count == 0)
                Close();
            DeleteOldest();
        }
    }

    /// <summary>Removes everything.</summary>
    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
        _directory?.Remove();
        _directory = null;
    }

    private void Open(SpillBatch batch)
    {
        Span<byte> head = stackalloc byte[SpillRecord.HeadSize];
        SpillRecord.WriteHead(head, batch.Offset, batch.Newest, batch.Tails);
        _file = _directory!.CreateSegment(batch.Offset);
        _open = new Segment(batch.Offset, 0, batch.Newest);
        _file.Write(head);
        _open = _open with { Size = head.Length };
    }

    // Half a batch is no good: a later one may come behind it, in a segment of its own.
    private void Undo()
    {
        if (_file is null)
            return;
        try
        {
            if (_open.Size > SpillRecord.HeadSize)
                _file.SetLength(_open.Size);
            else
                File.Delete(SpillDirectory.File(path, _open.First));
        }
        finally
        {
            if (_open.Size > SpillRecord.HeadSize)
                Close();
            _file?.Dispose();
            _file = null;
            _open = default;
        }
    }

    private void DeleteOldest()
    {
        var oldest = _closed.Dequeue();
        _closedSize -= oldest.Size;
        File.Delete(SpillDirectory.File(path, oldest.First));
    }

    private readonly record struct Segment(long First, long Size, long Newest);
}
