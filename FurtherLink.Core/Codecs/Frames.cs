using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using FurtherLink.Messages;

namespace FurtherLink.Codecs;

/// <summary>How frames stand in a byte pipe: a byte of kind, four of length (little endian), the body.</summary>
public static class Frames
{
    /// <summary>Bytes before a body: 1 of kind and 4 of length.</summary>
    public const int HeaderSize = 5;

    /// <summary>Takes one frame off the front of a buffer.</summary>
    /// <param name="buffer">On success moved behind the frame.</param>
    /// <param name="maxBody">The longest body that is accepted, in bytes.</param>
    /// <param name="frame">The frame; its body is a slice of the buffer.</param>
    /// <returns>False where the buffer does not hold a whole frame yet.</returns>
    /// <exception cref="LinkException">The kind is unknown or the body too long: a transport's fault, the stream cannot go on.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, int maxBody, out Frame frame)
    {
        frame = default;
        if (buffer.Length < HeaderSize)
            return false;
        Span<byte> header = stackalloc byte[HeaderSize];
        buffer.Slice(0, HeaderSize).CopyTo(header);
        var kind = (FrameKind)header[0];
        if (kind is not (FrameKind.Text or FrameKind.Binary or FrameKind.Close or FrameKind.TooLong))
            throw new LinkException(FailureCode.BadMessage, $"unknown frame kind {header[0]}");
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header[1..]);
        if (length > maxBody)
            throw new LinkException(FailureCode.BadMessage, $"a message of {length} bytes, at most {maxBody} are accepted");
        if (buffer.Length - HeaderSize < length)
            return false;
        frame = new Frame(kind, buffer.Slice(HeaderSize, length));
        buffer = buffer.Slice(HeaderSize + (long)length);
        return true;
    }

    /// <summary>Writes a close frame.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="code">The status code of RFC 6455 section 7.4.</param>
    /// <param name="reason">In words, at most 123 bytes of UTF-8.</param>
    public static void WriteClose(FrameWriter output, ushort code, string reason)
    {
        output.Begin(FrameKind.Close);
        BinaryPrimitives.WriteUInt16BigEndian(output.GetSpan(2), code);
        output.Advance(2);
        Encoding.UTF8.GetBytes(reason, output);
        output.End();
    }
}
