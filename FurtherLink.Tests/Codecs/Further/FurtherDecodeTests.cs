using System.Buffers;
using System.Text;
using FurtherLink.Codecs;
using FurtherLink.Messages;

namespace FurtherLink.Tests.Codecs.Further;

public sealed class FurtherDecodeTests
{
    private const string BadMessage = "Bad message";
    private const string Exception = "Message Exception";

    [TestCase("", BadMessage)]
    [TestCase(" ", BadMessage)]
    [TestCase("{", BadMessage)]
    [TestCase("nonsense", BadMessage)]
    [TestCase("{\"type\": \"ping\"} x", BadMessage)]
    [TestCase("{\"type\": \"ping\"}{\"type\": \"ping\"}", BadMessage)]
    [TestCase("\uFEFF{\"type\": \"ping\"}", BadMessage)]
    [TestCase("{\"type\": \"ping\",}", BadMessage)]
    [TestCase("{'type': 'ping'}", BadMessage)]
    [TestCase("{\"type\": \"ping\" /* now */}", BadMessage)]
    [TestCase("[", BadMessage)]
    [TestCase("[] []", BadMessage)]
    [TestCase("[]", Exception)]
    [TestCase("[{\"type\": \"ping\"}]", Exception)]
    [TestCase("1", Exception)]
    [TestCase("\"x\"", Exception)]
    [TestCase("null", Exception)]
    [TestCase(" true ", Exception)]
    [TestCase("{}", BadMessage)]
    [TestCase("{\"type\": \"nothing\"}", BadMessage)]
    [TestCase("{\"type\": \"Ping\"}", BadMessage)]
    [TestCase("{\"type\": \"\"}", BadMessage)]
    [TestCase("{\"type\": 1}", BadMessage)]
    [TestCase("{\"type\": null}", BadMessage)]
    [TestCase("{\"type\": {\"type\": \"ping\"}}", BadMessage)]
    [TestCase("{\"type\": \"\\ud800\"}", BadMessage)]
    [TestCase("{\"type\": \"ping\", \"type\": 1}", BadMessage)]
    [TestCase("{\"type\": \"upload\", \"data\": {\"directory\": {}}}", BadMessage)]
    [TestCase("{\"type\": \"attack\", \"process\": \"1\"}", BadMessage)]
    public void Message_OfNoSense_IsAnsweredWithTheOldText(string text, string message) => AssertRefused(text, message, null);

    [TestCase("{\"type\": \"start\", \"data\": {\"runner\": \"shell\"}}", null)]
    [TestCase("{\"type\": \"start\", \"process\": \"\", \"data\": {\"runner\": \"shell\"}}", null)]
    [TestCase("{\"type\": \"start\", \"process\": 1, \"data\": {\"runner\": \"shell\"}}", null)]
    [TestCase("{\"type\": \"start\", \"process\": null, \"data\": {\"runner\": \"shell\"}}", null)]
    [TestCase("{\"type\": \"start\", \"process\": \"1\", \"process\": 1, \"data\": {\"runner\": \"shell\"}}", null)]
    [TestCase("{\"type\": \"start\", \"process\": \"1\"}", "1")]
    [TestCase("{\"type\": \"start\", \"process\": \"1\", \"data\": {}}", "1")]
    [TestCase("{\"type\": \"start\", \"process\": \"1\", \"data\": []}", "1")]
    [TestCase("{\"type\": \"start\", \"process\": \"1\", \"data\": [{\"runner\": \"shell\"}]}", "1")]
    [TestCase("{\"type\": \"start\", \"process\": \"1\", \"data\": {\"runner\": \"\"}}", "1")]
    [TestCase("{\"type\": \"start\", \"process\": \"1\", \"data\": {\"runner\": 3}}", "1")]
    [TestCase("{\"type\": \"start\", \"process\": \"1\", \"data\": {\"runner\": \"shell\"}, \"data\": {}}", "1")]
    [TestCase("{\"type\": \"start\", \"process\": \"1\", \"data\": {\"runner\": \"shell\"}, \"data\": null}", "1")]
    [TestCase("{\"type\": \"start\", \"process\": \"1\", \"runner\": \"shell\"}", "1")]
    [TestCase("{\"type\": \"stop\"}", null)]
    [TestCase("{\"type\": \"stop\", \"process\": \"\"}", null)]
    [TestCase("{\"type\": \"stop\", \"process\": 1}", null)]
    [TestCase("{\"type\": \"stdin\", \"data\": {\"input\": \"x\"}}", null)]
    [TestCase("{\"type\": \"stdin\", \"process\": \"1\"}", "1")]
    [TestCase("{\"type\": \"stdin\", \"process\": \"1\", \"data\": {}}", "1")]
    [TestCase("{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"input\": 1}}", "1")]
    [TestCase("{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"input\": null, \"end\": true}}", "1")]
    [TestCase("{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"end\": false}}", "1")]
    [TestCase("{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"end\": 1}}", "1")]
    [TestCase("{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"input\": \"x\", \"input\": 1}}", "1")]
    [TestCase("{\"type\": \"resize\", \"data\": {\"rows\": 1, \"cols\": 1}}", null)]
    [TestCase("{\"type\": \"resize\", \"process\": \"1\"}", "1")]
    [TestCase("{\"type\": \"resize\", \"process\": \"1\", \"data\": {\"rows\": 5}}", "1")]
    [TestCase("{\"type\": \"resize\", \"process\": \"1\", \"data\": {\"rows\": 5.5, \"cols\": 5}}", "1")]
    [TestCase("{\"type\": \"resize\", \"process\": \"1\", \"data\": {\"rows\": 5, \"cols\": 5.0}}", "1")]
    [TestCase("{\"type\": \"resize\", \"process\": \"1\", \"data\": {\"rows\": 5, \"cols\": 1e2}}", "1")]
    [TestCase("{\"type\": \"resize\", \"process\": \"1\", \"data\": {\"rows\": 5, \"cols\": 1E400}}", "1")]
    [TestCase("{\"type\": \"resize\", \"process\": \"1\", \"data\": {\"rows\": \"5\", \"cols\": 5}}", "1")]
    [TestCase("{\"type\": \"resize\", \"process\": \"1\", \"data\": {\"rows\": null, \"cols\": 5}}", "1")]
    [TestCase("{\"type\": \"keyevent\", \"data\": {\"key\": \"a\", \"event\": \"keyup\"}}", null)]
    [TestCase("{\"type\": \"keyevent\", \"process\": \"1\", \"data\": {\"key\": \"a\"}}", "1")]
    [TestCase("{\"type\": \"keyevent\", \"process\": \"1\", \"data\": {\"event\": \"keyup\"}}", "1")]
    [TestCase("{\"type\": \"keyevent\", \"process\": \"1\", \"data\": {\"key\": 1, \"event\": \"keyup\"}}", "1")]
    [TestCase("{\"type\": \"nothing\", \"process\": \"1\"}", null)]
    public void Field_MissingOrOfTheWrongType_IsABadMessage(string text, string? process) => AssertRefused(text, BadMessage, process);

    [TestCase("{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"input\": \"a\\ud800\"}}")]
    [TestCase("{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"input\": \"\\udc00\\ud800\"}}")]
    [TestCase("{\"type\": \"start\", \"process\": \"1\", \"data\": {\"runner\": \"python3\", \"code\": \"\\ud800\"}}")]
    [TestCase("{\"type\": \"keyevent\", \"process\": \"1\", \"data\": {\"key\": \"\\ud800\", \"event\": \"keyup\"}}")]
    public void Value_ThatCannotBeUsed_IsAMessageException(string text) => AssertRefused(text, Exception, "1");

    [Test]
    public void Bytes_ThatAreNoUtf8_AreABadMessageAnywhere()
    {
        foreach (var frame in new[] { "{\"type\": \"ping\", \"unread\": \"?\"}", "{\"type\": \"ping\", \"?\": 1}", "{\"type\": \"?\"}", "?" })
        {
            var bytes = Encoding.UTF8.GetBytes(frame);
            bytes[frame.IndexOf('?')] = 0xFF;
            var refused = CodecHarness.Run().Refuse(new ReadOnlySequence<byte>(bytes), FrameKind.Binary);
            Assert.That(refused.Code, Is.EqualTo(FailureCode.BadMessage), frame);
        }
    }

    [Test]
    public void Nesting_UpTo1000_IsPassedOverAndRefusedBeyond()
    {
        var codec = CodecHarness.Run();
        Assert.That(codec.Decode($"{{\"type\": \"ping\", \"x\": {Nested(999)}}}"), Is.EqualTo(new Ping()));
        Assert.That(codec.Decode($"{{\"type\": \"start\", \"process\": \"1\", \"data\": {{\"runner\": \"shell\", \"extensions\": {Nested(998)}}}}}"), Is.TypeOf<Start>());
        Assert.That(codec.Decode($"{{\"type\": \"start\", \"process\": \"1\", \"data\": {{\"runner\": \"shell\", \"novncOptions\": {{\"width\": {Nested(997)}}}}}}}"), Is.TypeOf<Start>());
        Assert.That(codec.Refuse($"{{\"type\": \"ping\", \"x\": {Nested(1001)}}}").Code, Is.EqualTo(FailureCode.BadValue));
        Assert.That(codec.Refuse(new string('[', 1_000_000)).Code, Is.EqualTo(FailureCode.BadValue));

        static string Nested(int depth) => new string('[', depth) + new string(']', depth);
    }

    [TestCase("{\"type\": \"ping\"}")]
    [TestCase(" \r\n\t{ \"type\" : \"ping\" } \n")]
    [TestCase("{\"type\": \"ping\", \"process\": \"1\", \"data\": {\"x\": [1, {\"type\": \"stop\"}]}, \"client\": \"me\", \"more\": {\"type\": 1}}")]
    [TestCase("{\"type\": \"stop\", \"type\": \"ping\"}")]
    [TestCase("{\"\\u0074ype\": \"p\\u0069ng\"}")]
    [TestCase("{\"type\": \"ping\", \"typ\\ud800\": 1}")]
    [TestCase("{\"type\": \"ping\", \"data\": {\"type\": \"stop\", \"process\": 5}}")]
    [TestCase("{\"type\": \"ping\", \"data\": \"\\ud800\"}")]
    public void Ping_HoweverSpelled_IsAPing(string text) => Assert.That(CodecHarness.Run().Decode(text), Is.EqualTo(new Ping()));

    [Test]
    public void Frame_OfBinary_IsReadAsTextAndACloseFrameIsNone()
    {
        Assert.That(CodecHarness.Run().Decode(Segments.Text("{\"type\": \"ping\"}"), FrameKind.Binary), Is.EqualTo(new Ping()));
        Assert.Throws<InvalidOperationException>(() => CodecHarness.Run().Decode(Segments.Text("{\"type\": \"ping\"}"), FrameKind.Close));
    }

    [Test]
    public void Start_WithEverything_IsTakenOver()
    {
        var start = Start("{\"type\": \"start\", \"process\": \"é😀\\n\", \"data\": {\"runner\": \"python3\", \"code\": \"print('\\u00e9😀')\\n\", \"path\": \"my project/\", "
            + "\"directoryName\": \"ignored\", \"novncOptions\": {\"enabled\": true, \"width\": 640, \"height\": 480, \"x\": {}}, \"directory\": \"ignored\"}}");
        Assert.That(start.Name, Is.EqualTo("é😀\n"));
        Assert.That(start.Request, Is.EqualTo(new RunRequest("python3") { Code = "print('é😀')\n", Path = "my project/", Display = new DisplayRequest(640, 480), Arguments = start.Request.Arguments }));
        Assert.That((start.Request.User, start.Ref), Is.EqualTo(((string?)null, (string?)null)));
        Assert.That(start.Options, Is.EqualTo(AttachOptions.Default with { Gather = new GatherOptions { Quiet = TimeSpan.FromMilliseconds(5) } }));
    }

    [TestCase("\"code\": 5, \"path\": {}", null, null)]
    [TestCase("\"code\": \"\", \"path\": \"\"", "", "")]
    [TestCase("\"code\": \"x\", \"code\": null", null, null)]
    [TestCase("\"path\": 1, \"path\": \"a\"", null, "a")]
    [TestCase("\"code\": [\"x\"]", null, null)]
    public void Start_CodeAndPath_CountAsAbsentUnlessTexts(string fields, string? code, string? path)
    {
        var request = Start($"{{\"type\": \"start\", \"process\": \"1\", \"data\": {{\"runner\": \"exec\", {fields}}}}}").Request;
        Assert.That((request.Code, request.Path, request.Display), Is.EqualTo((code, path, (DisplayRequest?)null)));
    }

    [TestCase("{\"enabled\": true}", true, null, null)]
    [TestCase("{\"enabled\": true, \"width\": 0, \"height\": -5}", true, null, null)]
    [TestCase("{\"enabled\": true, \"width\": \"640\", \"height\": 1.5}", true, null, null)]
    [TestCase("{\"enabled\": false, \"width\": 640}", false, null, null)]
    [TestCase("{\"enabled\": 1}", false, null, null)]
    [TestCase("{\"enabled\": \"true\"}", false, null, null)]
    [TestCase("{\"width\": 640}", false, null, null)]
    [TestCase("true", false, null, null)]
    [TestCase("{\"enabled\": true, \"width\": 800, \"width\": 801, \"height\": 600}", true, 801, 600)]
    public void Start_NovncOptions_CountOnlyWhenEnabledIsTrue(string options, bool enabled, int? width, int? height)
    {
        var request = Start($"{{\"type\": \"start\", \"process\": \"1\", \"data\": {{\"runner\": \"exec\", \"width\": 9, \"novncOptions\": {options}}}}}").Request;
        Assert.That(request.Display, Is.EqualTo(enabled ? new DisplayRequest(width, height) : null));
    }

    [Test]
    public void Start_IdsUpTo64KiB_AreAnyText()
    {
        var id = new string('x', 64 * 1024);
        Assert.That(Start($"{{\"type\": \"start\", \"process\": \"{id}\", \"data\": {{\"runner\": \"exec\"}}}}").Name, Is.EqualTo(id));
        var refused = CodecHarness.Run().Refuse($"{{\"type\": \"stop\", \"process\": \"{id}x\"}}");
        Assert.That((refused.Code, refused.Name), Is.EqualTo((FailureCode.Limited, (string?)null)));
    }

    [TestCase("ls\\n", "ls\n")]
    [TestCase("", "")]
    [TestCase("plain é😀", "plain é😀")]
    [TestCase("\\u001b[A\\u0003\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\uDE00\\u0000!", "\u001b[A\u0003\"\\/\b\f\n\r\té😀\0!")]
    public void Stdin_WithEscapes_BecomesUtf8InAnySegments(string spelled, string input)
    {
        var frame = Encoding.UTF8.GetBytes($"{{\"type\": \"stdin\", \"process\": \"my id\", \"data\": {{\"input\": \"{spelled}\"}}}}");
        var codec = CodecHarness.Run();
        for (var cut = 0; cut <= frame.Length; cut++)
            Check(Segments.Cut(frame, cut));
        Check(Segments.Single(frame));

        void Check(ReadOnlySequence<byte> body)
        {
            var message = (Input)codec.Decode(body);
            Assert.That((message.Name, Encoding.UTF8.GetString(message.Data), message.End), Is.EqualTo(("my id", input, false)));
        }
    }

    [Test]
    public void Stdin_WithEnd_EndsTheInputBehindItsText()
    {
        var codec = CodecHarness.Run();
        var both = (Input)codec.Decode("{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"end\": true, \"input\": \"x\"}}");
        Assert.That((Encoding.UTF8.GetString(both.Data), both.End), Is.EqualTo(("x", true)));
        var end = (Input)codec.Decode("{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"end\": true}}");
        Assert.That((end.Data.IsEmpty, end.End), Is.EqualTo((true, true)));
        var next = (Input)codec.Decode("{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"input\": \"y\", \"end\": \"true\"}}");
        Assert.That(next.End, Is.False, "nothing is left of the message before");
    }

    [Test]
    public void Stdin_AfterTheFirst_AllocatesNothing()
    {
        var codec = new FurtherLink.Codecs.Further.FurtherCodec(new LinkConnection("test", "further", LinkPipe.CreatePair().Server));
        var frames = new[] { "ls\\r", "plain" }
            .Select(text => new Frame(FrameKind.Text, Segments.Text($"{{\"type\": \"stdin\", \"process\": \"1\", \"data\": {{\"input\": \"{text}\"}}}}"))).ToArray();
        // Several rounds, so that what the runtime does once does not count.
        var least = long.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1000; i++)
                codec.TryDecode(frames[i & 1], out _);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.That(least, Is.Zero);
    }

    [TestCase("5", "7", 5, 7)]
    [TestCase("0", "0", 0, 0)]
    [TestCase("-0", "65535", 0, 65535)]
    [TestCase("true", "false", 1, 0)]
    public void Resize_WholeNumbersInRange_AreTaken(string rows, string columns, int expectedRows, int expectedColumns) =>
        Assert.That(
            CodecHarness.Run().Decode($"{{\"type\": \"resize\", \"process\": \"1\", \"data\": {{\"rows\": {rows}, \"cols\": {columns}}}}}"),
            Is.EqualTo(new Control("1", new Resize(new TerminalSize(expectedRows, expectedColumns)))));

    [TestCase("ArrowUp", "keydown")]
    [TestCase(" ", "anything at all")]
    [TestCase("", "")]
    public void Keyevent_AnyTexts_ArePassedThrough(string key, string action) =>
        Assert.That(
            CodecHarness.Run().Decode($"{{\"type\": \"keyevent\", \"process\": \"1\", \"data\": {{\"key\": \"{key}\", \"event\": \"{action}\"}}}}"),
            Is.EqualTo(new Control("1", new Key(key, action))));

    [Test]
    public void Names_OfDifferentSessions_AreNotMixedUp()
    {
        var codec = CodecHarness.Run();
        foreach (var (spelled, name) in new[] { ("1", "1"), ("1", "1"), ("2", "2"), ("\\u0031", "1"), ("11", "11"), ("1", "1") })
            Assert.That(codec.Decode($"{{\"type\": \"stop\", \"process\": \"{spelled}\"}}"), Is.EqualTo(new Stop(name)));
    }

    private static Start Start(string text) => (Start)CodecHarness.Run().Decode(text);

    private static void AssertRefused(string text, string message, string? process)
    {
        var error = CodecHarness.Run().ErrorFor(Segments.Text(text));
        var json = System.Text.Json.JsonDocument.Parse(error).RootElement;
        var data = json.GetProperty("data");
        Assert.Multiple(() =>
        {
            Assert.That(data.GetProperty("message").GetString(), Is.EqualTo(message));
            Assert.That(data.GetProperty("detail").GetString(), Is.Not.Empty);
            Assert.That(data.TryGetProperty("process", out var about) ? about.GetString() : null, Is.EqualTo(process));
            Assert.That(json.GetProperty("process").ValueKind, Is.EqualTo(System.Text.Json.JsonValueKind.Null));
        });
    }
}
