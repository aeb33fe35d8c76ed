using System.Diagnostics.CodeAnalysis;
using FurtherLink.Codecs;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Gateways;

namespace FurtherLink.Transports.Portacode.Codec;

/// <summary>
/// The dialect "portacode": JSON frames {channel, payload}, in all three spellings at once. A terminal's channel takes its input as text; channel 0
/// takes actions, which become calls of the service "portacode", and gives answers and events.
/// </summary>
/// <remarks>What makes no sense and names no action is passed over, as it always was; an action that makes no sense is answered by "error".</remarks>
public sealed class PortacodeCodec : IMessageCodec
{
    /// <summary>The dialect's name.</summary>
    public const string Name = "portacode";

    private readonly PortacodeReader _reader = new();
    private readonly PortacodeWriter _writer;

    /// <summary>Makes the codec of one connection.</summary>
    /// <param name="connection">Its tag is a <see cref="Gateway"/>.</param>
    /// <exception cref="ArgumentException">It is not.</exception>
    public PortacodeCodec(LinkConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        _writer = new PortacodeWriter(connection.Tag as Gateway ?? throw new ArgumentException("The connection has no gateway.", nameof(connection)));
    }

    /// <inheritdoc/>
    public bool TryDecode(in Frame frame, [NotNullWhen(true)] out ClientMessage? message)
    {
        message = frame.Kind is FrameKind.Close ? null : _reader.Read(frame.Body);
        return message is not null;
    }

    /// <inheritdoc/>
    public void Encode(ServerMessage message, FrameWriter output) => _writer.Write(message, output);
}
