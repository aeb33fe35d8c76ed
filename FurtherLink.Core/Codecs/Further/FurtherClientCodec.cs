using System.Diagnostics.CodeAnalysis;
using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>The native dialect as a client speaks it, with everything that FurtherLink adds: the other side of <see cref="FurtherCodec"/>.</summary>
/// <remarks>
/// One instance per connection. <see cref="TryDecode"/> and <see cref="Encode"/> run at the same time on two threads, each by one thread at a time.
/// </remarks>
public sealed class FurtherClientCodec
{
    private readonly FurtherClientReader _reader = new();

    /// <summary>Reads one frame.</summary>
    /// <param name="frame">The frame; its body is valid during the call and while the returned message is in use by the caller.</param>
    /// <param name="message">The message; an <see cref="Output"/> is one reused object.</param>
    /// <returns>False where the frame says nothing that the vocabulary has a word for.</returns>
    /// <exception cref="LinkException">The frame makes no sense.</exception>
    public bool TryDecode(in Frame frame, [NotNullWhen(true)] out ServerMessage? message)
    {
        message = frame.Kind == FrameKind.Close ? null : _reader.Read(frame.Body);
        return message is not null;
    }

    /// <summary>Writes a message as one frame.</summary>
    /// <param name="message">Valid during the call only.</param>
    /// <param name="output">Where the frame goes.</param>
    /// <exception cref="LinkException">The dialect cannot spell it.</exception>
    public static void Encode(ClientMessage message, FrameWriter output) => FurtherClientWriter.Write(message, output);
}
