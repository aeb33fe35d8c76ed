using System.Buffers;
using System.Text;

namespace FurtherLink.Tests.Codecs;

/// <summary>Makes sequences of several segments.</summary>
internal static class Segments
{
    /// <summary>A sequence of these pieces, empty ones included.</summary>
    public static ReadOnlySequence<byte> Of(params byte[][] pieces)
    {
        var first = new Segment(pieces[0], null);
        var last = first;
        foreach (var piece in pieces.Skip(1))
            last = new Segment(piece, last);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    /// <summary>The bytes cut in two.</summary>
    public static ReadOnlySequence<byte> Cut(byte[] bytes, int at) => Of(bytes[..at], bytes[at..]);

    /// <summary>The bytes in segments of one byte each.</summary>
    public static ReadOnlySequence<byte> Single(byte[] bytes) => bytes.Length == 0 ? default : Of([.. bytes.Select(b => new[] { b })]);

    /// <summary>The text in UTF-8, one segment.</summary>
    public static ReadOnlySequence<byte> Text(string text) => new(Encoding.UTF8.GetBytes(text));

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, Segment? before)
        {
            Memory = bytes;
            if (before is null)
                return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
