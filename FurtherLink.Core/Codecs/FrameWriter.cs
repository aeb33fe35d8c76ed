using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace FurtherLink.Codecs;

/// <summary>
/// Writes frames into a pipe, header first and the length put in when the body is complete, so that a body of unknown length is
/// encoded in place. Not thread safe; it does not flush.
/// </summary>
/// <param name="output">The pipe written to; owned by the caller.</param>
public sealed class FrameWriter(PipeWriter output) : IBufferWriter<byte>
{
    private Memory<byte> _header;
    private long _length = -1;

    /// <summary>Bytes written since the writer was made, headers included.</summary>
    public long Written { get; private set; }

    /// <summary>Begins a frame; its body follows by the members of <see cref="IBufferWriter{T}"/>.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="sizeHint">About how many bytes the body will have, so that it lies in one piece; 0 = unknown. Not a limit.</param>
    /// <exception cref="InvalidOperationException">The frame before has not been ended.</exception>
    public void Begin(FrameKind kind, int sizeHint = 0)
    {
        if (_length >= 0)
            throw new InvalidOperationException("A frame is open already.");
        // The memory stays the pipe's own until it is flushed, so the length can be put in later.
        _header = output.GetMemory(Frames.HeaderSize + sizeHint)[..Frames.HeaderSize];
        _header.Span[0] = (byte)kind;
        output.Advance(Frames.HeaderSize);
        _length = 0;
    }

    /// <summary>Ends the frame begun last.</summary>
    /// <exception cref="InvalidOperationException">No frame is open.</exception>
    public void End()
    {
        if (_length < 0)
            throw new InvalidOperationException("No frame is open.");
        BinaryPrimitives.WriteInt32LittleEndian(_header.Span[1..], checked((int)_length));
        Written += Frames.HeaderSize + _length;
        _length = -1;
    }

    /// <summary>Ends the frame begun last as another kind than it was begun: for what is known only behind its beginning.</summary>
    /// <param name="kind">What it is.</param>
    /// <exception cref="InvalidOperationException">No frame is open.</exception>
    public void End(FrameKind kind)
    {
        End();
        _header.Span[0] = (byte)kind;
    }

    /// <summary>Writes a whole frame.</summary>
    public void Write(FrameKind kind, ReadOnlySpan<byte> body)
    {
        Begin(kind, body.Length);
        this.Write(body);
        End();
    }

    /// <inheritdoc/>
    public void Advance(int count)
    {
        output.Advance(count);
        _length += count;
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0) => output.GetMemory(sizeHint);

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => output.GetSpan(sizeHint);
}
