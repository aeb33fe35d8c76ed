using FurtherLink.Sessions.Logs;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Sessions.Spills;

/// <summary>The spilled output of a session, by its directory alone: this process may write there, or another.</summary>
/// <param name="path">The session's directory.</param>
/// <param name="isWrittenElsewhere">Whether it is another.</param>
/// <param name="logger">Where a disk that cannot be read is told.</param>
internal sealed class SpillArchive(string path, bool isWrittenElsewhere, ILogger logger) : IOutputArchive
{
    /// <inheritdoc/>
    public bool MayFollow => isWrittenElsewhere;

    /// <inheritdoc/>
    public IArchiveReader Open() => new SpillReader(path, logger);
}

/// <summary>Reads segment files one after the other, also while they are written and deleted.</summary>
/// <param name="path">Their directory.</param>
/// <param name="logger">Where a disk that cannot be read is told.</param>
internal sealed partial class SpillReader(string path, ILogger logger) : IArchiveReader
{
    private readonly Utf8Tail[] _tails = new Utf8Tail[2]; // by kind, the last bytes before _next
    private SafeFileHandle? _file;
    private long _segment; // the offset in its name
    private long _place; // in the file: of the next record
    private long _next; // the offset that it begins at

    /// <inheritdoc/>
    public void Read(long offset, ArchivePieces pieces)
    {
        try
        {
            if (_file is null || offset != _next)
                Seek(offset);
            while (_file is not null)
            {
                while (Fill(offset, pieces))
                {
                }

                if (pieces.Count > 0 || !OpenFirst(first => first > _segment))
                    return;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.Unreadable(logger, e, path);
            pieces.Clear();
            Close();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Close();

    private void Seek(long offset)
    {
        Close();
        var from = SpillDirectory.Segments(path).FindLast(first => first <= offset);
        OpenFirst(first => first >= from);
    }

    private bool OpenFirst(Predicate<long> isWanted)
    {
        while (true)
        {
            var segments = SpillDirectory.Segments(path);
            var index = segments.FindIndex(isWanted);
            if (index < 0)
                return false;
            try
            {
                var file = File.OpenHandle(SpillDirectory.File(path, segments[index]), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                Close();
                _file = file;
                _segment = _next = segments[index];
                return true;
            }
            catch (FileNotFoundException)
            {
                // Deleted in this moment, as the oldest: there are others, or none.
            }
        }
    }

    // Takes what the next stretch of the file has.
    // Returns whether to go on: nothing was wanted of it.
    private bool Fill(long offset, ArchivePieces pieces)
    {
        var bytes = pieces.Bytes.AsSpan();
        var count = RandomAccess.Read(_file!, bytes, _place);
        var at = 0;
        var kept = 0;
        while (SpillRecord.TryRead(bytes[at..count], out var record) && record.Offset == _next && record.IsHead == (_place + at == 0))
        {
            var data = bytes.Slice(at + SpillRecord.HeaderSize, record.Length);
            at += record.Size;
            if (record.IsHead)
            {
                SpillRecord.ReadTails(data, _tails);
                continue;
            }

            var skip = (int)Math.Clamp(offset - record.Offset, 0, record.Length);
            var tail = OutputLog.Index(record.Kind);
            _tails[tail].Append(data[..skip]);
            _next = record.End;
            if (skip == record.Length)
                continue;
            if (pieces.Count == 0)
                _tails.CopyTo(pieces.Tails, 0);
            data = data[skip..];
            _tails[tail].Append(data);
            // The headers go, and what belongs together lies together.
            data.CopyTo(bytes[kept..]);
            pieces.Add(new ArchivePieces.Piece(record.Kind, record.Offset + skip, record.Time, kept, data.Length));
            kept += data.Length;
        }

        _place += at;
        return at > 0 && pieces.Count == 0;
    }

    private void Close()
    {
        _file?.Dispose();
        _file = null;
        _place = 0;
        Array.Clear(_tails);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Output on disk in {Path} cannot be read; who asks for it is told that it is missed")]
        public static partial void Unreadable(ILogger logger, Exception exception, string path);
    }
}
