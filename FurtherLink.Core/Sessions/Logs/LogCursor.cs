using FurtherLink.Messages;

namespace FurtherLink.Sessions.Logs;

/// <summary>A reader's place in a log: takes pieces from memory, or below it from the archive. Its members are called under the log's lock.</summary>
internal sealed class LogCursor
{
    private readonly OutputLog _log;
    private readonly OutputReader _reader;
    private readonly CutCharacters? _cut; // of a text reader
    private long _position;
    private long _told; // where the last piece ended; the position may have moved on over what waits
    private long _number; // of the entry at the position, or of an earlier one
    private long _missed; // not yet told
    private long _time; // of what was taken last
    private LogBlock? _held;
    private ArchiveCursor? _archive; // while it reads what has left the memory
    private bool _isInMemory; // it has been
    private bool _looksBack; // text: what waits at the position is still to be found

    /// <summary>Begins where the reader's options say.</summary>
    public LogCursor(OutputLog log, OutputReader reader)
    {
        _log = log;
        _reader = reader;
        var from = Math.Max(0, _reader.Options.From ?? _log.End);
        _position = Math.Min(from, _log.End);
        _number = _log.Entries.Find(_position);
        _told = _position;
        _isInMemory = _position >= _log.Start;
        if (!_reader.Options.Text)
            return;
        _cut = new CutCharacters();
        _looksBack = !_isInMemory;
        if (_looksBack)
            return;
        _log.LookBackLocked(_position, _cut.Tails);
        // Behind the end of what has ended: one step for each cut character that was given out (see TakeEnd).
        while (_log.IsCompleted && _position < from && _cut.TryTake(out _, out _))
            _position++;

        _told = _position;
    }

    /// <summary>Where the next piece begins. For any thread.</summary>
    public long Position => Volatile.Read(ref _position);

    /// <summary>Whether the last piece was taken.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Whether it reads the archive.</summary>
    public bool IsInArchive => _archive is not null;

    /// <summary>Whether a stretch of the archive is under way: the reader is woken when it is there.</summary>
    public bool IsFetching => _archive is { IsFetching: true };

    /// <summary>
    /// Whether it reads the archive where it is below the memory: one that is not lossless and has been in memory misses what it was too slow
    /// for, so as not to fall behind for good.
    /// </summary>
    public bool ReadsArchive => _log.Options.Archive is not null && !_reader.Options.MemoryOnly && (_reader.IsLosslessLocked || !_isInMemory);

    /// <summary>Takes the next piece.</summary>
    /// <param name="maxBytes">The most bytes; for text one whole character is never too long.</param>
    /// <param name="chunk">The piece; its data stays as it is until <see cref="LetGo"/>.</param>
    /// <returns>False where there is none now.</returns>
    public bool TryTake(int maxBytes, out OutputChunk chunk)
    {
        if (!TakeNext(maxBytes, out chunk))
            return false;
        chunk = chunk with { Offset = _told + _missed, Missed = _missed };
        _told = chunk.Next;
        _missed = 0;
        return true;
    }

    /// <summary>The last piece's data is not needed any more.</summary>
    public void LetGo()
    {
        if (_held is { } block)
            _log.DropLocked(block);
        _held = null;
    }

    /// <summary>Ends it. Somebody may still be at the last piece's data: it stays as it is.</summary>
    public void Dispose()
    {
        if (_held is { } block)
            block.IsAbandoned = true;
        LetGo();
        _archive?.Dispose();
    }

    private bool TakeNext(int maxBytes, out OutputChunk chunk)
    {
        var enough = _reader.Options.Timed ? 1 : maxBytes;
        while (_position < _log.Start)
        {
            var run = default(LogRun);
            var archive = ReadsArchive ? _archive ??= new ArchiveCursor(_log, _reader, _log.Options.Archive!) : null;
            if (archive?.TryFind(_position, enough, out run) == true)
            {
                LookBack(archive);
                if (TakeRun(run, maxBytes, out chunk))
                    return true;
                continue;
            }

            chunk = default;
            var next = archive?.Skip(_position) ?? _log.Start;
            if (next == _position)
                return false;
            // What waits for its rest lies before the hole and will not get it.
            if (TakeCut(_position, out chunk))
                return true;
            _missed += next - _position;
            Volatile.Write(ref _position, next);
            _looksBack = _cut is not null;
        }

        LookBack(null);
        _isInMemory = true;
        if (_archive is not null)
            EndArchive();
        while (_log.Entries.TryFind(ref _number, _position, enough, out var run))
        {
            var before = _position;
            if (TakeRun(run, maxBytes, out chunk))
                return true;
            if (_position == before)
                break;
        }

        return TakeEnd(out chunk);
    }

    // What waits at the position, where it was not come to by reading.
    private void LookBack(ArchiveCursor? archive)
    {
        if (!_looksBack)
            return;
        _looksBack = false;
        if (archive is null)
            _log.LookBackLocked(_position, _cut!.Tails);
        else
            _cut!.Set(archive.Tails);
    }

    private void EndArchive()
    {
        _archive?.Dispose();
        _archive = null;
        _number = _log.Entries.Find(_position);
    }

    private bool TakeRun(in LogRun run, int maxBytes, out OutputChunk chunk)
    {
        chunk = default;
        _time = run.Time;
        if (_cut?.Has(run.Kind) == true)
        {
            var advance = _cut.Join(run.Kind, run.Data.Span, out var joined);
            chunk = Take(run.Kind, advance, joined);
            return !joined.IsEmpty;
        }

        var data = run.Data[..Math.Min(run.Data.Length, maxBytes)];
        var rest = _cut is null ? 0 : Utf8Tail.IncompleteAtEnd(data.Span);
        while (rest == data.Length && data.Length < run.Data.Length)
        {
            data = run.Data[..(data.Length + 1)];
            rest = Utf8Tail.IncompleteAtEnd(data.Span);
        }

        if (rest == data.Length)
        {
            if (run.IsLast && !_log.IsCompleted)
                return false; // its rest may come right behind it
            _cut!.Append(run.Kind, data.Span);
            Volatile.Write(ref _position, _position + rest);
            return false;
        }

        _held = run.Block;
        if (_held is not null)
            _held.References++;
        var whole = data[..^rest];
        if (rest > 0 && Utf8Tail.IncompleteAtEnd(whole.Span) > 0)
        {
            // That these bytes will never be a character, only the rest tells: who goes on behind must have seen it.
            _cut!.Append(run.Kind, data[^rest..].Span);
            rest = 0;
        }

        chunk = Take(run.Kind, data.Length - rest, whole);
        return true;
    }

    // Behind the last byte: what is cut short for good, then the exit. Each such piece takes the position one further, so that going on
    // from there gives none of them twice.
    private bool TakeEnd(out OutputChunk chunk)
    {
        chunk = default;
        if (_log.ExitLocked is not { } exit)
            return false;
        if (TakeCut(_position + 1, out chunk))
            return true;
        chunk = new OutputChunk(OutputKind.Out, 0, _position, default, 0, exit) { Time = _log.ExitTimeLocked };
        HasEnded = true;
        return true;
    }

    private bool TakeCut(long next, out OutputChunk chunk)
    {
        chunk = default;
        if (_cut?.TryTake(out var kind, out var data) != true)
            return false;
        chunk = Take(kind, next - _position, data);
        return true;
    }

    // Read puts in the offset and what was missed.
    private OutputChunk Take(OutputKind kind, long advance, ReadOnlyMemory<byte> data)
    {
        var next = _position + advance;
        Volatile.Write(ref _position, next);
        return new OutputChunk(kind, 0, next, data, 0, null) { Time = _time };
    }
}
