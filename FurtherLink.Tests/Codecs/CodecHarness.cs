using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using FurtherLink.Codecs;
using FurtherLink.Codecs.Further;
using FurtherLink.Messages;

namespace FurtherLink.Tests.Codecs;

/// <summary>A codec with a frame put in at one side and frames taken out at the other.</summary>
internal sealed class CodecHarness(IMessageCodec codec)
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0));

    /// <summary>Whether the dialect gives back what a client calls its requests.</summary>
    public bool GivesRefsBack => codec is FurtherCodec;

    /// <summary>The codec of /run.</summary>
    public static CodecHarness Run(string label = "", params string[] extensions) => new(new FurtherCodec(Connection(label, extensions)));

    /// <summary>The codec of /run-py.</summary>
    public static CodecHarness RunPy() => new(new RunPyCodec(Connection("ignored", [])));

    /// <summary>Decodes a message in one text frame.</summary>
    public ClientMessage Decode(string text) => Decode(Segments.Text(text));

    /// <summary>Decodes a message in one text frame.</summary>
    public ClientMessage Decode(ReadOnlySequence<byte> body, FrameKind kind = FrameKind.Text) =>
        codec.TryDecode(new Frame(kind, body), out var message) ? message : throw new InvalidOperationException("Nothing was decoded.");

    /// <summary>What the codec refuses a message with.</summary>
    public LinkException Refuse(string text) => Refuse(Segments.Text(text));

    /// <summary>What the codec refuses a message with.</summary>
    public LinkException Refuse(ReadOnlySequence<byte> body, FrameKind kind = FrameKind.Text)
    {
        try
        {
            Decode(body, kind);
        }
        catch (LinkException e)
        {
            return e;
        }
        throw new AssertionException("The message was taken.");
    }

    /// <summary>The text that a client reads when it sends a message that the codec refuses.</summary>
    public string ErrorFor(ReadOnlySequence<byte> body)
    {
        var refused = Refuse(body);
        return Encode(new Failed(refused.Code, refused.Message) { Name = refused.Name, Ref = refused.Ref }).Single();
    }

    /// <summary>The bodies of the frames that a message becomes, all of them text.</summary>
    public string[] Encode(ServerMessage message) => [.. EncodeBytes(message).Select(Encoding.UTF8.GetString)];

    /// <summary>The bodies of the frames that a message becomes.</summary>
    public byte[][] EncodeBytes(ServerMessage message)
    {
        codec.Encode(message, new FrameWriter(_pipe.Writer));
        _pipe.Writer.FlushAsync().AsTask().Wait();
        if (!_pipe.Reader.TryRead(out var result))
            return [];
        var buffer = result.Buffer;
        var bodies = new List<byte[]>();
        while (Frames.TryRead(ref buffer, int.MaxValue, out var frame))
        {
            Assert.That(frame.Kind, Is.EqualTo(FrameKind.Text));
            bodies.Add(frame.Body.ToArray());
        }
        Assert.That(buffer.IsEmpty, "Half a frame was written.");
        _pipe.Reader.AdvanceTo(buffer.End);
        return [.. bodies];
    }

    private static LinkConnection Connection(string label, string[] extensions)
    {
        var (_, server) = LinkPipe.CreatePair();
        return new LinkConnection("test", "further", server) { Label = label, Extensions = extensions.ToHashSet() };
    }
}
