using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;
using FurtherLink.Codecs;
using FurtherLink.Messages;

namespace FurtherLink.Tests.Codecs;

public sealed class FramesTests
{
    private static readonly byte[] Three = [.. Bytes(FrameKind.Text, "hello"), .. Bytes(FrameKind.Binary, ""), .. Bytes(FrameKind.Close, "\u0003\u00e8 bye")];

    [Test]
    public void TryRead_AnyCutAndAnySegments_GivesWholeFramesOnly([Range(0, 27)] int length)
    {
        Assert.That(Three, Has.Length.EqualTo(27));
        var whole = length >= 27 ? 3 : length >= 15 ? 2 : length >= 10 ? 1 : 0;
        for (var cut = 0; cut <= length; cut++)
            Check(Segments.Cut(Three[..length], cut));
        Check(Segments.Single(Three[..length]));

        void Check(ReadOnlySequence<byte> buffer)
        {
            var frames = new List<(FrameKind, string)>();
            while (Frames.TryRead(ref buffer, 100, out var frame))
                frames.Add((frame.Kind, Encoding.UTF8.GetString(frame.Body)));
            Assert.Multiple(() =>
            {
                Assert.That(frames, Is.EqualTo(new[] { (FrameKind.Text, "hello"), (FrameKind.Binary, ""), (FrameKind.Close, "\u0003\u00e8 bye") }.Take(whole)));
                Assert.That(buffer.Length, Is.EqualTo(length - new[] { 0, 10, 15, 27 }[whole]), "what is left is the frame that is not whole yet");
            });
        }
    }

    [Test]
    public void TryRead_LongerThanAccepted_IsRefusedFromItsHeader()
    {
        var bytes = Bytes(FrameKind.Text, "12345");
        var fits = new ReadOnlySequence<byte>(bytes);
        Assert.That(Frames.TryRead(ref fits, 5, out _));
        var tooLong = Assert.Throws<LinkException>(() =>
        {
            var header = new ReadOnlySequence<byte>(bytes, 0, 5);
            Frames.TryRead(ref header, 4, out _);
        });
        Assert.That(tooLong!.Code, Is.EqualTo(FailureCode.BadMessage));
    }

    [TestCase(0)]
    [TestCase(3)]
    [TestCase(9)]
    [TestCase(255)]
    public void TryRead_UnknownKind_IsRefused(int kind) => Assert.Throws<LinkException>(() =>
    {
        var buffer = new ReadOnlySequence<byte>([(byte)kind, 0, 0, 0, 0]);
        Frames.TryRead(ref buffer, 100, out _);
    });

    [Test]
    public void TryRead_LengthOfMoreThan31Bits_IsRefused() => Assert.Throws<LinkException>(() =>
    {
        var buffer = new ReadOnlySequence<byte>([1, 0xFF, 0xFF, 0xFF, 0xFF]);
        Frames.TryRead(ref buffer, int.MaxValue, out _);
    });

    [Test]
    public void FrameWriter_BodiesOfAnySizeAndHint_AreReadBack()
    {
        var seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var writer = new FrameWriter(pipe.Writer);
        var sent = new List<byte[]>();
        for (var i = 0; i < 200; i++)
        {
            var body = new byte[random.Next(random.Next(2) == 0 ? 20 : 20000)];
            random.NextBytes(body);
            sent.Add(body);
            if (random.Next(3) == 0)
            {
                writer.Write(FrameKind.Binary, body);
                continue;
            }
            writer.Begin(FrameKind.Binary, random.Next(4) == 0 ? body.Length : 0);
            for (var rest = body.AsSpan(); !rest.IsEmpty;)
            {
                var piece = rest[..random.Next(1, rest.Length + 1)];
                writer.Write(piece);
                rest = rest[piece.Length..];
            }
            writer.End();
        }
        pipe.Writer.FlushAsync().AsTask().Wait();
        Assert.That(pipe.Reader.TryRead(out var result));
        var buffer = result.Buffer;
        Assert.That(writer.Written, Is.EqualTo(buffer.Length));
        foreach (var body in sent)
        {
            Assert.That(Frames.TryRead(ref buffer, 20000, out var frame));
            Assert.That(frame.Body.ToArray().AsSpan().SequenceEqual(body));
        }
        Assert.That(buffer.IsEmpty);
    }

    [Test]
    public void FrameWriter_WithAHint_KeepsTheBodyInOnePiece()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var writer = new FrameWriter(pipe.Writer);
        writer.Write(FrameKind.Text, new byte[3000]);
        writer.Begin(FrameKind.Text, 50_000);
        for (var i = 0; i < 50; i++)
            writer.Write(new byte[1000]);
        writer.End();
        pipe.Writer.FlushAsync().AsTask().Wait();
        pipe.Reader.TryRead(out var result);
        var buffer = result.Buffer;
        Frames.TryRead(ref buffer, 50_000, out _);
        Frames.TryRead(ref buffer, 50_000, out var second);
        Assert.That(second.Body.IsSingleSegment);
    }

    [Test]
    public void FrameWriter_BeginTwiceOrEndWithoutBegin_IsRefused()
    {
        var writer = new FrameWriter(new Pipe().Writer);
        Assert.Throws<InvalidOperationException>(writer.End);
        writer.Begin(FrameKind.Text);
        Assert.Throws<InvalidOperationException>(() => writer.Begin(FrameKind.Text));
    }

    [Test]
    public void WriteClose_CodeAndReason_StandInNetworkOrder()
    {
        var pipe = new Pipe();
        Frames.WriteClose(new FrameWriter(pipe.Writer), 1001, "going away");
        pipe.Writer.FlushAsync().AsTask().Wait();
        pipe.Reader.TryRead(out var result);
        var buffer = result.Buffer;
        Assert.That(Frames.TryRead(ref buffer, 100, out var frame));
        Assert.Multiple(() =>
        {
            Assert.That(frame.Kind, Is.EqualTo(FrameKind.Close));
            Assert.That(BinaryPrimitives.ReadUInt16BigEndian(frame.Body.ToArray()), Is.EqualTo(1001));
            Assert.That(Encoding.UTF8.GetString(frame.Body.Slice(2)), Is.EqualTo("going away"));
        });
    }

    private static byte[] Bytes(FrameKind kind, string text)
    {
        var body = Encoding.UTF8.GetBytes(text);
        var header = new byte[5];
        header[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(1), body.Length);
        return [.. header, .. body];
    }
}
