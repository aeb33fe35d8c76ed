using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using FurtherLink.Codecs;
using FurtherLink.Codecs.Further;
using FurtherLink.Messages;

namespace FurtherLink.Tests.Codecs.Further;

public sealed class FurtherEncodeTests
{
    private static readonly SessionInfo Session = new("s1", "python3", 42, "pi", "/tmp", null, DateTimeOffset.UnixEpoch);

    private static IEnumerable<TestCaseData<ServerMessage, string>> Spellings()
    {
        yield return new(new Pong(), "{\"type\": \"pong\", \"data\": null, \"client\": \"\", \"process\": null}");
        yield return new(new Started("1", Session), "{\"type\": \"started\", \"data\": null, \"client\": \"\", \"process\": \"1\"}");
        yield return new(Chunk("1", OutputKind.Out, "hi\n"), "{\"type\": \"stdout\", \"data\": {\"output\": \"hi\\n\"}, \"client\": \"\", \"process\": \"1\"}");
        yield return new(Chunk("1", OutputKind.Error, "\"\\"), "{\"type\": \"stderr\", \"data\": {\"output\": \"\\\"\\\\\"}, \"client\": \"\", \"process\": \"1\"}");
        yield return new(Chunk("é", OutputKind.Out, "é"), "{\"type\": \"stdout\", \"data\": {\"output\": \"é\"}, \"client\": \"\", \"process\": \"\\u00e9\"}");
        yield return new(new Exited("1", new ExitStatus(0)), "{\"type\": \"stopped\", \"data\": {\"exitCode\": 0}, \"client\": \"\", \"process\": \"1\"}");
        yield return new(new Exited("1", new ExitStatus(-15)), "{\"type\": \"stopped\", \"data\": {\"exitCode\": -15}, \"client\": \"\", \"process\": \"1\"}");
        yield return new(
            new Exited("1", new ExitStatus(-9) { Reason = "over its memory limit" }),
            "{\"type\": \"stopped\", \"data\": {\"exitCode\": -9, \"reason\": \"over its memory limit\"}, \"client\": \"\", \"process\": \"1\"}");
        yield return new(
            new Notice("video", "/9j/4AAQ") { Name = "1" },
            "{\"type\": \"video\", \"data\": {\"output\": \"/9j/4AAQ\"}, \"client\": \"\", \"process\": \"1\"}");
        yield return new(
            new Notice("video", (ReadOnlyMemory<byte>)"a\"b"u8.ToArray()) { Name = "1" },
            "{\"type\": \"video\", \"data\": {\"output\": \"a\\\"b\"}, \"client\": \"\", \"process\": \"1\"}");
        yield return new(
            new Notice("keylisten", "ArrowUp") { Name = "1" },
            "{\"type\": \"keylisten\", \"data\": {\"output\": \"ArrowUp\", \"key\": \"ArrowUp\"}, \"client\": \"\", \"process\": \"1\"}");
        yield return new(
            new Notice("novnc", new DisplayAddress(8028, "vnc.html?a=\"1\"")) { Name = "1" },
            "{\"type\": \"novnc\", \"data\": {\"port\": 8028, \"path\": \"vnc.html?a=\\\"1\\\"\"}, \"client\": \"\", \"process\": \"1\"}");
        yield return new(
            new Failed(FailureCode.BadMessage, "start has no process id"),
            "{\"type\": \"error\", \"data\": {\"message\": \"Bad message\", \"detail\": \"start has no process id\"}, \"client\": \"\", \"process\": null}");
        yield return new(
            new Failed(FailureCode.Failed, "no such file: /tmp/\"é\"") { Name = "1" },
            "{\"type\": \"error\", \"data\": {\"message\": \"Message Exception\", \"detail\": \"no such file: /tmp/\\\"\\u00e9\\\"\", \"process\": \"1\"}, "
            + "\"client\": \"\", \"process\": null}");
    }

    [TestCaseSource(nameof(Spellings))]
    public void Message_OfTheVocabulary_IsSpelledAsFurtherLinkDoes(ServerMessage message, string expected) =>
        Assert.That(CodecHarness.Run().Encode(message), Is.EqualTo(new[] { expected }));

    [Test]
    public void Client_OfTheConnection_StandsInEveryMessage()
    {
        var text = CodecHarness.Run("mé \"1\"").Encode(new Pong() { Client = "another" }).Single();
        Assert.That(text, Is.EqualTo("{\"type\": \"pong\", \"data\": null, \"client\": \"m\\u00e9 \\\"1\\\"\", \"process\": null}"));
    }

    private static IEnumerable<ServerMessage> Unspoken() =>
    [
        new Missed("1", 5, 10), new Result("files.upload", null), new Result("device.status", "x"),
        new Notice("presence", "x") { Name = "1" }, new Notice("keylisten", 5) { Name = "1" }, new Notice("video", null) { Name = "1" },
    ];

    [TestCaseSource(nameof(Unspoken))]
    public void Message_ThatClientsDoNotKnow_IsNotSent(ServerMessage message) => Assert.That(CodecHarness.Run().Encode(message), Is.Empty);

    [Test]
    public void Missed_WhereAskedFor_IsSent()
    {
        const string Expected = "{\"type\": \"missed\", \"data\": {\"from\": 5, \"to\": 5000000000}, \"client\": \"\", \"process\": \"1\"}";
        var missed = new Missed("1", 5, 5_000_000_000);
        Assert.That(CodecHarness.Run("", "other", "missed").Encode(missed), Is.EqualTo(new[] { Expected }), "by the query");
        Assert.That(CodecHarness.Run("", "*").Encode(missed), Is.EqualTo(new[] { Expected }), "by *");
        Assert.That(CodecHarness.Run("", "other").Encode(missed), Is.Empty);
        foreach (var (list, expected) in new[] { ("[\"other\", [1], \"missed\"]", 1), ("[\"*\"]", 1), ("[\"other\", 5, \"\\ud800\"]", 0), ("\"missed\"", 0), ("{\"missed\": 1}", 0), ("[[\"missed\"]]", 0) })
        {
            var codec = CodecHarness.Run();
            codec.Decode($"{{\"type\": \"start\", \"process\": \"1\", \"data\": {{\"runner\": \"shell\", \"extensions\": {list}}}}}");
            Assert.That(codec.Encode(missed), Has.Length.EqualTo(expected), list);
        }
    }

    [Test]
    public void SpillStopped_WhereSessionsAreAskedFor_IsSent()
    {
        var stopped = new Notice("spill", new SpillStopped("No space left")) { Name = "1" };
        Assert.That(CodecHarness.Run("", "sessions").Encode(stopped), Is.EqualTo(new[] { "{\"type\": \"spill\", \"data\": {\"reason\": \"No space left\"}, \"client\": \"\", \"process\": \"1\"}" }));
        Assert.That(CodecHarness.Run().Encode(stopped), Is.Empty);
    }

    [TestCase(FailureCode.BadMessage, "Bad message")]
    [TestCase(FailureCode.NotFound, "Bad message")]
    [TestCase(FailureCode.AlreadyExists, "Bad message")]
    [TestCase(FailureCode.NotSupported, "Bad message")]
    [TestCase(FailureCode.BadValue, "Message Exception")]
    [TestCase(FailureCode.InputClosed, "Message Exception")]
    [TestCase(FailureCode.InputStalled, "Message Exception")]
    [TestCase(FailureCode.Denied, "Message Exception")]
    [TestCase(FailureCode.Limited, "Message Exception")]
    [TestCase(FailureCode.Failed, "Message Exception")]
    [TestCase(FailureCode.Internal, "Message Exception")]
    public void Failed_OfEachCode_IsToldByItsOldText(FailureCode code, string expected)
    {
        var text = CodecHarness.Run().Encode(new Failed(code, "why")).Single();
        Assert.That(JsonDocument.Parse(text).RootElement.GetProperty("data").GetProperty("message").GetString(), Is.EqualTo(expected));
    }

    [Test]
    public void Output_OfAnyBytes_IsReadBackWithReplacements()
    {
        var seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var codec = CodecHarness.Run("label");
        for (var i = 0; i < 500; i++)
        {
            var bytes = new byte[random.Next(random.Next(20) == 0 ? 70_000 : 300)];
            random.NextBytes(bytes);
            if (random.Next(2) == 0)
                Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("line € 😀\r\n", (bytes.Length / 15) + 1))).AsSpan(0, bytes.Length).CopyTo(bytes);
            var frame = codec.EncodeBytes(new Output { Name = "\ud83d\ude00", Kind = OutputKind.Out, Data = bytes }).Single();
            var json = JsonDocument.Parse(frame).RootElement;
            Assert.Multiple(() =>
            {
                Assert.That(json.EnumerateObject().Select(p => p.Name), Is.EqualTo(new[] { "type", "data", "client", "process" }));
                Assert.That(json.GetProperty("data").GetProperty("output").GetString(), Is.EqualTo(Encoding.UTF8.GetString(bytes)));
                Assert.That(json.GetProperty("process").GetString(), Is.EqualTo("😀"));
            });
        }
    }

    [TestCase("log line\r\n")]
    [TestCase("bytes: €\u001b[0m")]
    public void Output_AfterTheFirst_AllocatesNothing(string line)
    {
        var codec = new FurtherCodec(new LinkConnection("test", "further", LinkPipe.CreatePair().Server));
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline));
        var writer = new FrameWriter(pipe.Writer);
        var data = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(line, 2000)));
        var broken = data.Append((byte)0xFF).ToArray();
        var output = new Output { Name = "1", Kind = OutputKind.Out };
        // Several rounds, so that what the runtime does once or now and then (a pool emptied by the collector) does not count.
        var least = long.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 50; i++)
            {
                output.Data = (i & 1) == 0 ? data : broken;
                codec.Encode(output, writer);
                var flushed = pipe.Writer.FlushAsync();
                if (!flushed.IsCompletedSuccessfully)
                    throw new AssertionException("A pipe without a bound does not wait.");
                pipe.Reader.TryRead(out var result);
                pipe.Reader.AdvanceTo(result.Buffer.End);
            }
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.That(least, Is.Zero);
    }

    [Test]
    public void Output_OfLogLines_LiesInOnePiece()
    {
        var codec = new FurtherCodec(new LinkConnection("test", "further", LinkPipe.CreatePair().Server) { Label = new string('l', 100) });
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var data = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("2026-01-01 a \"line\"\r\n", 3000)));
        codec.Encode(new Output { Name = "1", Kind = OutputKind.Out, Data = data }, new FrameWriter(pipe.Writer));
        pipe.Writer.FlushAsync().AsTask().Wait();
        pipe.Reader.TryRead(out var result);
        var buffer = result.Buffer;
        Assert.That(Frames.TryRead(ref buffer, int.MaxValue, out var frame));
        Assert.That(frame.Body.IsSingleSegment);
    }

    private static Output Chunk(string name, OutputKind kind, string text) =>
        new() { Name = name, Kind = kind, Data = Encoding.UTF8.GetBytes(text), Next = text.Length };
}
