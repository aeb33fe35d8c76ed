using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using FurtherLink.Codecs;
using FurtherLink.Framing;

namespace FurtherLink.Tests.Framing;

public sealed class LineDecoderTests
{
    private const int Max = 12;

    private static readonly object[] Streams =
    [
        new object[] { "one\ntwo\n", new[] { "one", "two" } },
        new object[] { "one\r\ntwo\r\n", new[] { "one", "two" } },
        new object[] { "\n\r\n\n", Array.Empty<string>() },
        new object[] { "a\rb\n\r\r\nc\r", new[] { "a\rb", "\r", "c" } },
        new object[] { "\uFEFFone\n\uFEFFtwo\n", new[] { "one", "\uFEFFtwo" } },
        new object[] { "\uFEFF\n\uFEFF", new[] { "\uFEFF" } },
        new object[] { "no end", new[] { "no end" } },
        new object[] { "123456789012\n123456789012\r\n123456789012", new[] { "123456789012", "123456789012", "123456789012" } },
        new object[] { "1234567890123\nnext\n", new[] { "<too long>", "next" } },
        new object[] { "12345678901\r3\nnext\n", new[] { "<too long>", "next" } },
        new object[] { "1234567890123 and on, and on, and on\r\r\n\n1234567890123", new[] { "<too long>", "<too long>" } },
        new object[] { "gr\u00fc\u00dfe\n\u20ac\n\ud83d\ude00\n", new[] { "gr\u00fc\u00dfe", "\u20ac", "\ud83d\ude00" } },
    ];

    [TestCaseSource(nameof(Streams))]
    public void Take_CutAtAnyTwoBytes_GivesTheSameFrames(string text, string[] expected)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var first = 0; first <= bytes.Length; first++)
        {
            for (var second = first; second <= bytes.Length; second++)
                Assert.That(Decode(bytes, first, second), Is.EqualTo(expected), $"cut at {first} and {second}");
        }
    }

    [TestCase(new byte[] { 0xEF }, "EF")]
    [TestCase(new byte[] { 0xEF, 0xBB }, "EFBB")]
    [TestCase(new byte[] { 0xEF, 0xBB, (byte)'x', (byte)'\n' }, "EFBB78")]
    [TestCase(new byte[] { 0xEF, (byte)'\n' }, "EF")]
    [TestCase(new byte[] { 0xEF, 0xEF, 0xBB, 0xBF, (byte)'\n' }, "EFEFBBBF")]
    public void Take_WhatIsNoByteOrderMark_IsALine(byte[] bytes, string expected)
    {
        for (var cut = 0; cut <= bytes.Length; cut++)
            Assert.That(Read(bytes, cut).Select(frame => Convert.ToHexString(frame.Body)), Is.EqualTo(new[] { expected }), $"cut at {cut}");
    }

    [Test]
    public void Take_RandomBytesInRandomPieces_GivesWhatSplittingThemGives()
    {
        var seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 2000; round++)
        {
            var bytes = new byte[random.Next(200)];
            for (var i = 0; i < bytes.Length; i++)
                bytes[i] = "\n\n\r\r\u00ef\u00bb\u00bfabcdefghij"u8[random.Next(20)];
            if (random.Next(3) == 0)
                bytes = [0xEF, 0xBB, 0xBF, .. bytes];
            var cuts = Enumerable.Range(0, random.Next(20)).Select(_ => random.Next(bytes.Length + 1)).Order().ToArray();
            Assert.That(Decode(bytes, cuts), Is.EqualTo(Split(bytes)), $"round {round}");
        }
    }

    private static List<string> Split(byte[] bytes)
    {
        var text = Encoding.Latin1.GetString(bytes);
        if (text.StartsWith("\u00ef\u00bb\u00bf", StringComparison.Ordinal))
            text = text[3..];
        var lines = text.Split('\n').Select(line => line.EndsWith('\r') ? line[..^1] : line).Where(line => line.Length > 0);
        return [.. lines.Select(line => line.Length > Max ? "<too long>" : Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(line)))];
    }

    private static List<string> Decode(byte[] bytes, params int[] cuts) =>
        [.. Read(bytes, cuts).Select(frame => frame.Kind is FrameKind.TooLong ? "<too long>" : Encoding.UTF8.GetString(frame.Body))];

    private static List<(FrameKind Kind, byte[] Body)> Read(byte[] bytes, params int[] cuts)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var decoder = new LineDecoder(pipe.Writer, Max);
        var from = 0;
        foreach (var cut in cuts.Append(bytes.Length))
        {
            for (var piece = bytes.AsSpan(from..cut); !piece.IsEmpty;)
            {
                piece = piece[decoder.Take(piece)..];
                if (!decoder.IsOpen)
                    pipe.Writer.FlushAsync().AsTask().Wait();
            }
            from = cut;
        }
        decoder.End();
        pipe.Writer.Complete();
        var frames = new List<(FrameKind, byte[])>();
        pipe.Reader.TryRead(out var result);
        var buffer = result.Buffer;
        while (Frames.TryRead(ref buffer, Max, out var frame))
            frames.Add((frame.Kind, frame.Body.ToArray()));
        Assert.That(buffer.IsEmpty, "every frame is whole");
        return frames;
    }
}
