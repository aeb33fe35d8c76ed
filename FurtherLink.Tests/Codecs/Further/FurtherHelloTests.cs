using System.Buffers;
using System.Text;
using System.Text.Json;
using FurtherLink.Codecs;
using FurtherLink.Codecs.Further;
using FurtherLink.Messages;

namespace FurtherLink.Tests.Codecs.Further;

/// <summary>hello, and what the extension "bytes" does.</summary>
public sealed class FurtherHelloTests
{
    [Test]
    public void Hello_WithNothing_AsksForNothing()
    {
        foreach (var data in new[] { "", ", \"data\": {}", ", \"data\": null", ", \"data\": {\"extensions\": \"bytes\", \"client\": null}", ", \"process\": \"1\"" })
        {
            var codec = CodecHarness.Run("me");
            Assert.That(codec.Decode($"{{\"type\": \"hello\"{data}}}"), Is.EqualTo(new Call("device.hello", new Hello(null))));
            Assert.That(codec.Encode(new Pong()).Single(), Does.Contain("\"client\": \"me\""));
            Assert.That(((Start)codec.Decode("{\"type\": \"start\", \"process\": \"1\", \"data\": {\"runner\": \"exec\"}}")).Options.Gather, Is.Not.Null, "as a client that asks for nothing");
        }
    }

    [Test]
    public void Hello_WithEverything_CountsFromThereOn()
    {
        var codec = CodecHarness.Run("before");
        var hello = codec.Decode("{\"type\": \"hello\", \"data\": {\"extensions\": [\"sessions\", \"offsets\", \"ack\", \"bytes\", \"later\"], \"client\": \"m\\u00e9 \\\"1\\\"\", \"delivery\": \"latest\"}, \"ref\": \"1\"}");
        Assert.That(hello, Is.EqualTo(new Call("device.hello", new Hello("mé \"1\"")) { Ref = "1" }));
        Assert.That(
            codec.Encode(new Result("device.hello", new HelloAnswer("6.0.0", 262144, 4194304)) { Ref = "1" }),
            Is.EqualTo(new[]
            {
                "{\"type\": \"hello\", \"data\": {\"version\":\"6.0.0\",\"extensions\":[\"missed\",\"sessions\",\"offsets\",\"ack\",\"bytes\"],\"inputCapacity\":262144,\"maxMessage\":4194304}, "
                + "\"client\": \"m\\u00e9 \\\"1\\\"\", \"process\": null, \"ref\": \"1\"}",
            }));
        var start = (Start)codec.Decode("{\"type\": \"start\", \"process\": \"1\", \"data\": {\"runner\": \"exec\"}}");
        Assert.That(start.Options, Is.EqualTo(new AttachOptions { Text = false, Lossless = false, Window = 262_144 }));
        codec.Decode("{\"type\": \"hello\", \"data\": {\"delivery\": \"lossless\"}}");
        var attach = (Attach)codec.Decode("{\"type\": \"attach\", \"process\": \"1\", \"data\": {\"session\": \"x\"}}");
        Assert.That(attach.Options, Is.EqualTo(new AttachOptions { Text = false, Window = 262_144 }), "an extension stays");
    }

    [TestCase("{\"client\": 1}")]
    [TestCase("{\"client\": \"\\ud800\"}")]
    [TestCase("{\"delivery\": \"best\"}")]
    [TestCase("{\"delivery\": null}")]
    public void Hello_OfNoSense_ChangesNothing(string data)
    {
        var codec = CodecHarness.Run("me");
        var all = data.Insert(1, "\"extensions\": [\"bytes\"], \"client\": \"you\", \"delivery\": \"latest\", ");
        Assert.That(codec.Refuse($"{{\"type\": \"hello\", \"data\": {all}}}").Message, Does.StartWith("hello: "));
        Assert.That(codec.Encode(new Pong()).Single(), Does.Contain("\"client\": \"me\""));
        var options = ((Start)codec.Decode("{\"type\": \"start\", \"process\": \"1\", \"data\": {\"runner\": \"exec\"}}")).Options;
        Assert.That((options.Text, options.Lossless), Is.EqualTo((true, true)));
    }

    [Test]
    public void Client_LongerThan200_IsRefused()
    {
        Assert.That(CodecHarness.Run().Decode($"{{\"type\": \"hello\", \"data\": {{\"client\": \"{new string('é', 200)}\"}}}}"), Is.TypeOf<Call>());
        Assert.That(CodecHarness.Run().Refuse($"{{\"type\": \"hello\", \"data\": {{\"client\": \"{new string('é', 201)}\"}}}}").Code, Is.EqualTo(FailureCode.BadValue));
    }

    [Test]
    public void HelloAndSignal_OnTheOlderEndpoint_AreUnknown([Values("hello", "signal")] string type) =>
        Assert.That(CodecHarness.RunPy().Refuse($"{{\"type\": \"{type}\", \"data\": {{\"signal\": 2}}}}").Message, Does.StartWith("unknown type"));

    [Test]
    public void Output_ThatIsNoText_ComesAsBytesToWhoAskedForThem()
    {
        byte[][] pieces = [[0xFF], [0xC3], [0xA9], [0x61, 0x80, 0x0A], [0xED, 0xA0, 0x80], [.. Enumerable.Range(0, 256).Select(b => (byte)b)], [.. Enumerable.Repeat((byte)0xFE, 65536)]];
        foreach (var piece in pieces)
        {
            var output = new Output { Name = "1", Kind = OutputKind.Error, Data = piece, Offset = 7, Next = 7 + piece.Length };
            Assert.That(
                CodecHarness.Run("", "bytes").Encode(output),
                Is.EqualTo(new[] { $"{{\"type\": \"stderr\", \"data\": {{\"base64\": \"{Convert.ToBase64String(piece)}\"}}, \"client\": \"\", \"process\": \"1\"}}" }));
            Assert.That(
                CodecHarness.Run("", "bytes", "offsets").Encode(output).Single(),
                Does.Contain($"\", \"from\": 7, \"to\": {7 + piece.Length}}}"));
            Assert.That(CodecHarness.Run("", "*", "ack").Encode(output).Single(), Does.Contain("\"output\": \"").And.Not.Contain("base64"));
        }
    }

    [TestCase("")]
    [TestCase("plain\r\n")]
    [TestCase("é😀\0\u001b\"\\")]
    public void Output_ThatIsText_IsTheSameForEverybody(string text)
    {
        var output = new Output { Name = "1", Kind = OutputKind.Out, Data = Encoding.UTF8.GetBytes(text) };
        Assert.That(CodecHarness.Run("", "bytes").Encode(output), Is.EqualTo(CodecHarness.Run().Encode(output)));
    }

    [Test]
    public void Bytes_AreAskedForByName([Values("query", "hello", "start")] string by)
    {
        var codec = by == "query" ? CodecHarness.Run("", "bytes") : CodecHarness.Run("", "*");
        var extensions = by == "start" ? ", \"extensions\": [\"bytes\"]" : "";
        if (by == "hello")
            codec.Decode("{\"type\": \"hello\", \"data\": {\"extensions\": [\"bytes\"]}}");
        Assert.That(((Start)codec.Decode($"{{\"type\": \"start\", \"process\": \"1\", \"data\": {{\"runner\": \"exec\"{extensions}}}}}")).Options.Text, Is.False);
        Assert.That(((Start)CodecHarness.Run("", "*").Decode("{\"type\": \"start\", \"process\": \"1\", \"data\": {\"runner\": \"exec\"}}")).Options.Text, Is.True, "* does not ask for it");
    }

    [TestCase("", "")]
    [TestCase("AA==", "00")]
    [TestCase("\\u0041AEC/w==", "000102FF")]
    [TestCase("+\\/\\u002b/", "FBFFBF")]
    public void Stdin_InBase64_IsItsBytes(string text, string expected)
    {
        foreach (var codec in new[] { CodecHarness.Run(), CodecHarness.RunPy() })
        {
            var bytes = Encoding.UTF8.GetBytes($"{{\"type\": \"stdin\", \"process\": \"1\", \"data\": {{\"base64\": \"{text}\", \"end\": true, \"seq\": 3}}}}");
            for (var at = 0; at <= bytes.Length; at++)
            {
                var input = (Input)codec.Decode(Segments.Cut(bytes, at));
                Assert.That((Convert.ToHexString(input.Data.ToArray()), input.End, input.Sequence), Is.EqualTo((expected, true, (long?)3)));
            }
        }
    }

    [Test]
    public void Stdin_InBase64OfAnyLength_IsItsBytes()
    {
        var codec = CodecHarness.Run();
        var seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        foreach (var length in Enumerable.Range(0, 300).Concat([65_535, 65_536, 200_000, 3, 1_000_000, 5]))
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            var input = (Input)codec.Decode($"{{\"type\": \"stdin\", \"process\": \"1\", \"data\": {{\"base64\": {JsonSerializer.Serialize(Convert.ToBase64String(bytes))}}}}}");
            Assert.That(input.Data.ToArray(), Is.EqualTo(bytes), $"{length} bytes");
        }
    }

    [TestCase("{\"base64\": 1}", FailureCode.BadMessage)]
    [TestCase("{\"base64\": null, \"input\": \"x\"}", FailureCode.BadMessage)]
    [TestCase("{\"base64\": \"AA==\", \"input\": \"x\"}", FailureCode.BadMessage)]
    [TestCase("{\"base64\": \"A\"}", FailureCode.BadValue)]
    [TestCase("{\"base64\": \"AA\"}", FailureCode.BadValue)]
    [TestCase("{\"base64\": \"AA=\"}", FailureCode.BadValue)]
    [TestCase("{\"base64\": \"AA==AA==\"}", FailureCode.BadValue)]
    [TestCase("{\"base64\": \"AA-_\"}", FailureCode.BadValue)]
    [TestCase("{\"base64\": \"é\"}", FailureCode.BadValue)]
    [TestCase("{\"base64\": \"\\ud800\"}", FailureCode.BadValue)]
    public void Stdin_InNoBase64_IsRefused(string data, FailureCode code)
    {
        var codec = CodecHarness.Run();
        var refused = codec.Refuse($"{{\"type\": \"stdin\", \"process\": \"1\", \"data\": {data}}}");
        Assert.That((refused.Code, refused.Name), Is.EqualTo((code, "1")));
        Assert.That(refused.Message, Does.StartWith("stdin: ").And.Contain("base64"));
        Assert.That(((Input)codec.Decode("{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"input\": \"x\"}}")).Data.ToArray(), Is.EqualTo("x"u8.ToArray()));
    }

    [Test]
    public void Stdin_InBase64AfterTheFirst_AllocatesNothing()
    {
        var codec = new FurtherCodec(new LinkConnection("test", "further", LinkPipe.CreatePair().Server));
        var text = Convert.ToBase64String(new byte[3000]);
        var frame = new Frame(FrameKind.Text, Segments.Text($"{{\"type\": \"stdin\", \"process\": \"1\", \"data\": {{\"base64\": \"{text}\"}}}}"));
        // Several rounds, so that what the runtime does once does not count.
        var least = long.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1000; i++)
                codec.TryDecode(frame, out _);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.That(least, Is.Zero);
    }
}
