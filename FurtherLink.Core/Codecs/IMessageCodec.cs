using System.Diagnostics.CodeAnalysis;
using FurtherLink.Messages;

namespace FurtherLink.Codecs;

/// <summary>
/// A dialect's spelling: frames to messages and back. One instance per connection; it holds protocol state (half a message, the last
/// synchronised value), no sessions, and never waits.
/// </summary>
/// <remarks>
/// <see cref="TryDecode"/> and <see cref="Encode"/> run at the same time on two threads, each by one thread at a time. Messages are
/// borrowed both ways.
/// </remarks>
public interface IMessageCodec
{
    /// <summary>Reads one frame.</summary>
    /// <param name="frame">The frame; its body is valid during the call and while the returned message is in use by the caller.</param>
    /// <param name="message">The message; an <see cref="Input"/> may be one reused object.</param>
    /// <returns>False where the frame was taken but no message is complete yet (a segment).</returns>
    /// <exception cref="LinkException">The frame makes no sense; the caller answers with <see cref="Failed"/>.</exception>
    bool TryDecode(in Frame frame, [NotNullWhen(true)] out ClientMessage? message);

    /// <summary>Writes a message as any number of frames, none included where the dialect has no word for it.</summary>
    /// <param name="message">Valid during the call only.</param>
    /// <param name="output">Where frames go.</param>
    /// <exception cref="LinkException">The dialect cannot spell an answer that somebody waits for; the caller sends <see cref="Failed"/>.</exception>
    void Encode(ServerMessage message, FrameWriter output);
}
