using System.Buffers;

namespace FurtherLink.Codecs;

/// <summary>What a frame is, mostly by the numbers of RFC 6455 section 5.2.</summary>
public enum FrameKind : byte
{
    /// <summary>UTF-8 text.</summary>
    Text = 1,

    /// <summary>Bytes.</summary>
    Binary = 2,

    /// <summary>The end: two bytes of code, big endian, then the reason in UTF-8; or nothing. RFC 6455 section 5.5.1.</summary>
    Close = 8,

    /// <summary>
    /// A message that its transport has not read, as it is longer than accepted: the body is some of its beginning, or nothing. Of no number of the RFC,
    /// where it ends the connection. The server answers it as a mistake; codecs never see it.
    /// </summary>
    TooLong = 128,
}

/// <summary>One message's bytes. Borrowed: the body is valid until the buffer it was read from is advanced.</summary>
/// <param name="Kind">Text, binary, close, or what cannot be read.</param>
/// <param name="Body">The bytes, without header.</param>
public readonly record struct Frame(FrameKind Kind, ReadOnlySequence<byte> Body);
