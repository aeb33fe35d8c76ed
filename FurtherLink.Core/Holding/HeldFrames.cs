using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using FurtherLink.Codecs;
using FurtherLink.Messages;

namespace FurtherLink.Holding;

/// <summary>
/// How a server and the holder of its sessions spell messages, one session to a connection. Bulk is a binary frame whose first byte says what
/// it is, numbers little endian: 'o' kind (1), offset (8), next (8), time (8), output; 'i' flags (1), ref (8), number (8), length of the client
/// id (2), client id, input; 'v' length of the topic (1), topic, body of a notice. All else is a text frame, see <see cref="HeldMessage"/>.
/// </summary>
internal static class HeldFrames
{
    private const int OutputHeader = 26;
    private const int InputHeader = 20;

    /// <summary>Writes a message.</summary>
    public static void Write(FrameWriter frames, HeldMessage message)
    {
        frames.Begin(FrameKind.Text);
        using (var json = new Utf8JsonWriter(frames))
            JsonSerializer.Serialize(json, message, HeldJson.Default.HeldMessage);
        frames.End();
    }

    /// <summary>Reads a message.</summary>
    /// <exception cref="LinkException">It is no such message.</exception>
    public static HeldMessage Read(in ReadOnlySequence<byte> body)
    {
        var json = new Utf8JsonReader(body);
        try
        {
            return JsonSerializer.Deserialize(ref json, HeldJson.Default.HeldMessage) ?? throw new LinkException(FailureCode.BadMessage, "the message is null");
        }
        catch (JsonException e)
        {
            throw new LinkException(FailureCode.BadMessage, $"the message makes no sense: {e.Message}", e);
        }
    }

    /// <summary>Writes output.</summary>
    public static void WriteOutput(FrameWriter frames, Output output)
    {
        frames.Begin(FrameKind.Binary, OutputHeader + output.Data.Length);
        var header = frames.GetSpan(OutputHeader);
        header[0] = (byte)'o';
        header[1] = (byte)output.Kind;
        BinaryPrimitives.WriteInt64LittleEndian(header[2..], output.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(header[10..], output.Next);
        BinaryPrimitives.WriteInt64LittleEndian(header[18..], output.Time);
        frames.Advance(OutputHeader);
        frames.Write(output.Data.Span);
        frames.End();
    }

    /// <summary>Reads output.</summary>
    /// <param name="body">The frame's body.</param>
    /// <param name="kind">Which stream.</param>
    /// <param name="offset">Where it begins.</param>
    /// <param name="time">When it was taken.</param>
    /// <returns>The output, a slice of the body; null where the frame is something else.</returns>
    /// <exception cref="LinkException">It is cut short, or of no stream.</exception>
    public static ReadOnlySequence<byte>? ReadOutput(in ReadOnlySequence<byte> body, out OutputKind kind, out long offset, out long time)
    {
        (kind, offset, time) = (default, 0, 0);
        if (body.IsEmpty || body.FirstSpan[0] != (byte)'o')
            return null;
        Span<byte> header = stackalloc byte[OutputHeader];
        Header(body, header);
        kind = (OutputKind)header[1];
        if (kind is not (OutputKind.Out or OutputKind.Error))
            throw new LinkException(FailureCode.BadMessage, $"output of stream {header[1]}");
        offset = BinaryPrimitives.ReadInt64LittleEndian(header[2..]);
        time = BinaryPrimitives.ReadInt64LittleEndian(header[18..]);
        return body.Slice(OutputHeader);
    }

    /// <summary>Writes input.</summary>
    /// <param name="frames">Where to.</param>
    /// <param name="reference">What the answer names.</param>
    /// <param name="mark">By what it is known.</param>
    /// <param name="end">The input ends behind it.</param>
    /// <param name="data">The bytes.</param>
    public static void WriteInput(FrameWriter frames, long reference, InputMark mark, bool end, in ReadOnlySequence<byte> data)
    {
        var length = Encoding.UTF8.GetByteCount(mark.ClientId);
        frames.Begin(FrameKind.Binary, InputHeader + length + (int)data.Length);
        var header = frames.GetSpan(InputHeader + length);
        header[0] = (byte)'i';
        header[1] = end ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt64LittleEndian(header[2..], reference);
        BinaryPrimitives.WriteInt64LittleEndian(header[10..], mark.Sequence);
        BinaryPrimitives.WriteUInt16LittleEndian(header[18..], checked((ushort)length));
        Encoding.UTF8.GetBytes(mark.ClientId, header[InputHeader..]);
        frames.Advance(InputHeader + length);
        foreach (var part in data)
            frames.Write(part.Span);
        frames.End();
    }

    /// <summary>Reads input.</summary>
    /// <exception cref="LinkException">It is cut short, or something else.</exception>
    public static void ReadInput(in ReadOnlySequence<byte> body, Input input)
    {
        if (body.IsEmpty || body.FirstSpan[0] != (byte)'i')
            throw new LinkException(FailureCode.BadMessage, "a binary frame of an unknown kind");
        Span<byte> header = stackalloc byte[InputHeader];
        Header(body, header);
        var length = BinaryPrimitives.ReadUInt16LittleEndian(header[18..]);
        if (body.Length < InputHeader + length)
            throw CutShort();
        input.End = (header[1] & 1) != 0;
        input.Ref = BinaryPrimitives.ReadInt64LittleEndian(header[2..]).ToString(System.Globalization.CultureInfo.InvariantCulture);
        input.Sequence = BinaryPrimitives.ReadInt64LittleEndian(header[10..]);
        input.ClientId = Encoding.UTF8.GetString(body.Slice(InputHeader, length));
        input.Data = body.Slice(InputHeader + length);
    }

    /// <summary>Writes a notice whose body is bytes.</summary>
    public static void WriteNotice(FrameWriter frames, string topic, ReadOnlySpan<byte> body)
    {
        frames.Begin(FrameKind.Binary, 2 + topic.Length + body.Length);
        var header = frames.GetSpan(2 + topic.Length);
        header[0] = (byte)'v';
        header[1] = checked((byte)Encoding.ASCII.GetBytes(topic, header[2..]));
        frames.Advance(2 + topic.Length);
        frames.Write(body);
        frames.End();
    }

    /// <summary>Reads a notice whose body is bytes.</summary>
    /// <returns>The topic; null where the frame is something else.</returns>
    public static string? ReadNotice(in ReadOnlySequence<byte> body, out byte[] data)
    {
        data = [];
        if (body.Length < 2 || body.FirstSpan[0] != (byte)'v')
            return null;
        Span<byte> header = stackalloc byte[2];
        Header(body, header);
        if (body.Length < 2 + header[1])
            throw CutShort();
        data = body.Slice(2 + header[1]).ToArray();
        return Encoding.ASCII.GetString(body.Slice(2, header[1]));
    }

    private static void Header(in ReadOnlySequence<byte> body, Span<byte> header)
    {
        if (body.Length < header.Length)
            throw CutShort();
        body.Slice(0, header.Length).CopyTo(header);
    }

    private static LinkException CutShort() => new(FailureCode.BadMessage, "a binary frame is cut short");
}
