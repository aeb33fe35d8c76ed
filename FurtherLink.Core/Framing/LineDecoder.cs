using System.Buffers;
using System.IO.Pipelines;
using FurtherLink.Codecs;

namespace FurtherLink.Framing;

/// <summary>
/// Makes frames of lines, however their bytes are cut into pieces: a line without its end is a text frame, an empty one is nothing, one that is too
/// long is skipped and leaves a frame that says so. A byte order mark at the very start is nothing. Used by one thread at a time.
/// </summary>
/// <param name="output">Where the frames go; flushed by the caller, only while <see cref="IsOpen"/> is false.</param>
/// <param name="maxMessage">The longest line, in bytes without its end.</param>
internal sealed class LineDecoder(PipeWriter output, int maxMessage)
{
    private readonly FrameWriter _frames = new(output);
    private int _mark;
    private int _length;
    private bool _return;
    private bool _skipping;

    /// <summary>Whether a frame has been begun whose line goes on: its header is not in place yet.</summary>
    public bool IsOpen { get; private set; }

    private static ReadOnlySpan<byte> Mark => [0xEF, 0xBB, 0xBF];

    /// <summary>Takes bytes: up to the last end of a line among them, or all where there is none.</summary>
    /// <param name="bytes">What was read; copied.</param>
    /// <returns>How many were taken, at least 1 of at least 1.</returns>
    public int Take(ReadOnlySpan<byte> bytes)
    {
        var last = bytes.LastIndexOf((byte)'\n');
        var taken = last < 0 ? bytes.Length : last + 1;
        bytes = SkipMark(bytes[..taken]);
        while (!bytes.IsEmpty)
        {
            var end = bytes.IndexOf((byte)'\n');
            Add(end < 0 ? bytes : bytes[..end]);
            if (end < 0)
                break;
            EndLine();
            bytes = bytes[(end + 1)..];
        }
        return taken;
    }

    /// <summary>There is no more: what stands behind the last end of a line counts as a line.</summary>
    public void End()
    {
        if (_mark < Mark.Length)
            Add(Mark[.._mark]);
        EndLine();
    }

    private ReadOnlySpan<byte> SkipMark(ReadOnlySpan<byte> bytes)
    {
        while (_mark < Mark.Length && !bytes.IsEmpty)
        {
            if (bytes[0] == Mark[_mark])
            {
                _mark++;
                bytes = bytes[1..];
                continue;
            }
            var seen = _mark;
            _mark = Mark.Length;
            Add(Mark[..seen]);
        }
        return bytes;
    }

    private void Add(ReadOnlySpan<byte> piece)
    {
        if (piece.IsEmpty)
            return;
        // A return is only taken where something else than the line's end follows it.
        if (_return)
            Append("\r"u8);
        _return = piece[^1] == '\r';
        Append(_return ? piece[..^1] : piece);
    }

    private void Append(ReadOnlySpan<byte> piece)
    {
        if (piece.IsEmpty || _skipping)
            return;
        if (!IsOpen)
            _frames.Begin(FrameKind.Text);
        IsOpen = true;
        if (piece.Length > maxMessage - _length)
        {
            _frames.End(FrameKind.TooLong);
            IsOpen = false;
            _skipping = true;
            return;
        }
        _frames.Write(piece);
        _length += piece.Length;
    }

    private void EndLine()
    {
        if (IsOpen)
            _frames.End();
        IsOpen = _return = _skipping = false;
        _length = 0;
    }
}
