using System.Text;
using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Tests.Codecs.Further;

/// <summary>How the messages about sessions that outlive connections are spelled, both ways.</summary>
public sealed class FurtherSessionsTests
{
    private static readonly SessionInfo Piped = new("0123456789ab", "python3", 42, "pi", "/tmp", null, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    private static readonly SessionInfo Shown = Piped with { Name = "bé \"1\"", Terminal = new TerminalSize(24, 80), Members = 2, Exit = new ExitStatus(-15), End = 5_000_000_000 };

    private const string PipedText =
        "{\"id\":\"0123456789ab\",\"name\":null,\"runner\":\"python3\",\"pid\":42,\"user\":\"pi\",\"directory\":\"/tmp\",\"terminal\":null,"
        + "\"created\":\"2026-01-02T03:04:05+00:00\",\"members\":0,\"exitCode\":null,\"end\":0}";

    private const string ShownText =
        "{\"id\":\"0123456789ab\",\"name\":\"bé \\\"1\\\"\",\"runner\":\"python3\",\"pid\":42,\"user\":\"pi\",\"directory\":\"/tmp\","
        + "\"terminal\":{\"rows\":24,\"cols\":80},\"created\":\"2026-01-02T03:04:05+00:00\",\"members\":2,\"exitCode\":-15,\"end\":5000000000}";

    private static readonly MemberInfo[] Members = [new(1, "laptop", Access.Own, true, false), new(7, "", Access.View, false, false), new(8, "é", Access.Drive, false, true)];

    private static IEnumerable<TestCaseData<ServerMessage, string, string, string>> Spellings()
    {
        yield return new(new Started("1", Piped) { Member = 3 }, "started", $"{{\"session\":{PipedText},\"member\":3}}", "\"1\"");
        yield return new(
            new Attached("1", Shown, 5_000_000_000) { Access = Access.View, Member = 4, LastInput = 9 },
            "attached",
            $"{{\"session\":{ShownText},\"from\":5000000000,\"mode\":\"view\",\"member\":4,\"seq\":9}}",
            "\"1\"");
        yield return new(
            new Attached("1", Piped, 0) { Access = Access.Own, Member = 1, Screen = "a\u001b[1m\"é\""u8.ToArray() },
            "attached",
            $"{{\"session\":{PipedText},\"from\":0,\"mode\":\"drive\",\"member\":1,\"seq\":0,\"screen\":\"a\\u001B[1m\\\"é\\\"\"}}",
            "\"1\"");
        yield return new(new Result("sessions.list", new List<SessionInfo>()), "sessions", "{\"sessions\":[]}", "null");
        yield return new(new Result("sessions.list", new List<SessionInfo> { Piped, Shown }), "sessions", $"{{\"sessions\":[{PipedText},{ShownText}]}}", "null");
        yield return new(
            new Notice("presence", Members) { Name = "1" },
            "presence",
            "{\"members\":[{\"member\":1,\"name\":\"laptop\",\"mode\":\"drive\",\"drives\":true,\"requests\":false},"
            + "{\"member\":7,\"name\":\"\",\"mode\":\"view\",\"drives\":false,\"requests\":false},"
            + "{\"member\":8,\"name\":\"é\",\"mode\":\"drive\",\"drives\":false,\"requests\":true}]}",
            "\"1\"");
        yield return new(new Notice("resize", new TerminalSize(30, 90)) { Name = "1" }, "resized", "{\"rows\":30,\"cols\":90}", "\"1\"");
        yield return new(new Notice("detached", new Detached(null)) { Name = "é" }, "detached", "{\"reason\":null}", "\"\\u00e9\"");
        yield return new(new Notice("detached", new Detached("why")) { Name = "1" }, "detached", "{\"reason\":\"why\"}", "\"1\"");
        yield return new(new Notice("input", new InputTaken(new InputMark("me", 5_000_000_000))) { Name = "1" }, "ack", "{\"seq\":5000000000}", "\"1\"");
        yield return new(
            new Output { Name = "1", Kind = OutputKind.Error, Data = "hi"u8.ToArray(), Offset = 5_000_000_000, Next = 5_000_000_002 },
            "stderr",
            "{\"output\": \"hi\", \"from\": 5000000000, \"to\": 5000000002}",
            "\"1\"");
    }

    [TestCaseSource(nameof(Spellings))]
    public void Message_AboutSessions_IsSpelledSo(ServerMessage message, string type, string data, string process) =>
        Assert.That(
            CodecHarness.Run("me", "*").Encode(message),
            Is.EqualTo(new[] { $"{{\"type\": \"{type}\", \"data\": {data}, \"client\": \"me\", \"process\": {process}}}" }));

    [Test]
    public void Notice_AboutSessions_IsForThoseWhoAskedForThem([Values("presence", "resize")] string topic)
    {
        var notice = new Notice(topic, topic == "presence" ? Members : new TerminalSize(1, 1)) { Name = "1" };
        Assert.That(CodecHarness.Run().Encode(notice), Is.Empty);
        Assert.That(CodecHarness.Run("", "missed", "offsets").Encode(notice), Is.Empty);
        Assert.That(CodecHarness.RunPy().Encode(notice), Is.Empty);
        Assert.That(CodecHarness.Run("", "sessions").Encode(notice), Has.Length.EqualTo(1));
    }

    [TestCase("{\"type\": \"list\"}")]
    [TestCase("{\"type\": \"attach\", \"process\": \"1\", \"data\": {\"session\": \"x\"}}")]
    [TestCase("{\"type\": \"request\", \"process\": \"1\"}")]
    [TestCase("{\"type\": \"grant\", \"process\": \"1\", \"data\": {\"member\": 2}}")]
    [TestCase("{\"type\": \"take\", \"process\": \"1\"}")]
    [TestCase("{\"type\": \"start\", \"process\": \"1\", \"data\": {\"runner\": \"shell\", \"session\": {}}}")]
    public void Client_ThatUsesSessions_IsToldOfThemAndOfWhatItMisses(string text)
    {
        var codec = CodecHarness.Run();
        codec.Decode(text);
        Assert.That(codec.Encode(new Notice("presence", Members) { Name = "1" }), Has.Length.EqualTo(1));
        Assert.That(codec.Encode(new Missed("1", 0, 5)), Has.Length.EqualTo(1), "never less output than it may think");
        Assert.That(codec.Encode(new Output { Name = "1", Kind = OutputKind.Out, Data = "x"u8.ToArray() }).Single(), Does.Not.Contain("from"));
    }

    [TestCase("{\"type\": \"list\"}", "sessions.list", null, null)]
    [TestCase("{\"type\": \"request\", \"process\": \"p\"}", "sessions.request", "p", null)]
    [TestCase("{\"type\": \"take\", \"process\": \"p\"}", "sessions.take", "p", null)]
    [TestCase("{\"type\": \"grant\", \"process\": \"p\", \"data\": {\"member\": 3}}", "sessions.grant", "p", 3)]
    [TestCase("{\"type\": \"grant\", \"process\": \"p\", \"data\": {\"member\": 5000000000}}", "sessions.grant", "p", int.MaxValue)]
    [TestCase("{\"type\": \"grant\", \"process\": \"p\", \"data\": {\"member\": -1}}", "sessions.grant", "p", 0)]
    public void Call_AboutSessions_IsTakenOver(string text, string call, string? session, int? member) =>
        Assert.That(CodecHarness.Run().Decode(text), Is.EqualTo(new Call(call, member) { Session = session }));

    [Test]
    public void DetachAndAck_AreTakenOver()
    {
        Assert.That(CodecHarness.Run().Decode("{\"type\": \"detach\", \"process\": \"p\"}"), Is.EqualTo(new Detach("p")));
        Assert.That(CodecHarness.Run().Decode("{\"type\": \"ack\", \"process\": \"p\", \"data\": {\"offset\": 5000000000}}"), Is.EqualTo(new Acknowledge("p", 5_000_000_000)));
    }

    private static IEnumerable<TestCaseData<string, AttachOptions>> Attachments()
    {
        yield return new("", AttachOptions.Default);
        yield return new(", \"from\": \"start\", \"mode\": \"drive\", \"delivery\": \"lossless\", \"screen\": false, \"clientId\": null", AttachOptions.Default);
        yield return new(", \"from\": \"now\"", AttachOptions.Default with { From = null });
        yield return new(", \"from\": 5000000000", AttachOptions.Default with { From = 5_000_000_000 });
        yield return new(", \"mode\": \"view\", \"delivery\": \"latest\"", AttachOptions.Default with { Access = Access.View, Lossless = false });
        yield return new(", \"clientId\": \"m\\u00e9\", \"window\": 4096, \"screen\": true", AttachOptions.Default with { ClientId = "mé", Window = 4096, Screen = true });
        yield return new(", \"extensions\": [\"ack\"]", AttachOptions.Default with { Window = 262_144 });
        yield return new(", \"extensions\": [\"*\"]", AttachOptions.Default);
        yield return new(", \"window\": 9223372036854775807", AttachOptions.Default with { Window = long.MaxValue });
    }

    [TestCaseSource(nameof(Attachments))]
    public void Attach_WithAnyFields_IsTakenOver(string fields, AttachOptions options) =>
        Assert.That(
            CodecHarness.Run().Decode($"{{\"type\": \"attach\", \"process\": \"p\", \"data\": {{\"session\": \"s\"{fields}}}}}"),
            Is.EqualTo(new Attach("p", "s", options)));

    private static IEnumerable<TestCaseData<string, SessionOptions>> Sessions()
    {
        yield return new("{}", SessionOptions.Default);
        yield return new("{\"whenDetached\": \"stop\", \"grace\": 1.5}", new SessionOptions { Grace = TimeSpan.FromSeconds(1.5) });
        yield return new("{\"whenDetached\": \"pause\", \"size\": \"smallest\"}", new SessionOptions { WhenDetached = WhenDetached.Pause, Size = SizePolicy.Smallest });
        yield return new(
            "{\"whenDetached\": \"keep\", \"name\": \"é\", \"size\": \"fixed\", \"allDrive\": true, \"recordInput\": true, \"x\": 1}",
            new SessionOptions { WhenDetached = WhenDetached.Keep, Name = "é", Size = SizePolicy.Fixed, AllDrive = true, RecordInput = true });
        yield return new("{\"size\": \"driver\", \"name\": null, \"enabled\": true, \"width\": 5}", SessionOptions.Default);
    }

    [TestCaseSource(nameof(Sessions))]
    public void Start_WithASession_IsTakenOver(string session, SessionOptions options)
    {
        var start = (Start)CodecHarness.Run().Decode($"{{\"type\": \"start\", \"process\": \"p\", \"data\": {{\"runner\": \"exec\", \"session\": {session}}}}}");
        Assert.That((start.Request.Session, start.Request.Display), Is.EqualTo((options, (DisplayRequest?)null)));
    }

    [Test]
    public void Start_WithSessionAndDisplay_MixesNoneOfTheirFields()
    {
        foreach (var (session, display) in new[] { (0, 1), (1, 0) })
        {
            string[] fields = ["\"session\": {\"name\": \"s\", \"width\": 1}", "\"novncOptions\": {\"enabled\": true, \"name\": \"n\", \"grace\": 5}"];
            var start = (Start)CodecHarness.Run().Decode($"{{\"type\": \"start\", \"process\": \"p\", \"data\": {{\"runner\": \"exec\", {fields[session]}, {fields[display]}}}}}");
            Assert.That((start.Request.Session, start.Request.Display), Is.EqualTo((new SessionOptions { Name = "s" }, new DisplayRequest(null, null))));
        }
    }

    [TestCase("attach", "{}", "attach: session")]
    [TestCase("attach", "{\"session\": 5}", "attach: session")]
    [TestCase("attach", "{\"session\": null}", "attach: session")]
    [TestCase("attach", "{\"session\": {\"id\": \"x\"}}", "attach: session")]
    [TestCase("attach", "{\"session\": \"\\ud800\"}", "attach: session")]
    [TestCase("attach", "{\"session\": \"x\", \"from\": -1}", "attach: from")]
    [TestCase("attach", "{\"session\": \"x\", \"from\": 1.5}", "attach: from")]
    [TestCase("attach", "{\"session\": \"x\", \"from\": 1e3}", "attach: from")]
    [TestCase("attach", "{\"session\": \"x\", \"from\": 9223372036854775808}", "attach: from")]
    [TestCase("attach", "{\"session\": \"x\", \"from\": \"end\"}", "attach: from")]
    [TestCase("attach", "{\"session\": \"x\", \"from\": \"5\"}", "attach: from")]
    [TestCase("attach", "{\"session\": \"x\", \"from\": null}", "attach: from")]
    [TestCase("attach", "{\"session\": \"x\", \"from\": true}", "attach: from")]
    [TestCase("attach", "{\"session\": \"x\", \"mode\": \"own\"}", "attach: mode")]
    [TestCase("attach", "{\"session\": \"x\", \"mode\": 1}", "attach: mode")]
    [TestCase("attach", "{\"session\": \"x\", \"mode\": null}", "attach: mode")]
    [TestCase("attach", "{\"session\": \"x\", \"delivery\": \"never\"}", "attach: delivery")]
    [TestCase("attach", "{\"session\": \"x\", \"delivery\": false}", "attach: delivery")]
    [TestCase("attach", "{\"session\": \"x\", \"window\": 4095}", "attach: window")]
    [TestCase("attach", "{\"session\": \"x\", \"window\": -9223372036854775808}", "attach: window")]
    [TestCase("attach", "{\"session\": \"x\", \"window\": \"4096\"}", "attach: window")]
    [TestCase("attach", "{\"session\": \"x\", \"window\": null}", "attach: window")]
    [TestCase("attach", "{\"session\": \"x\", \"clientId\": \"\"}", "attach: clientId")]
    [TestCase("attach", "{\"session\": \"x\", \"clientId\": 5}", "attach: clientId")]
    [TestCase("attach", "{\"session\": \"x\", \"clientId\": \"\\udc00\"}", "attach: clientId")]
    [TestCase("attach", "{\"session\": \"x\", \"screen\": 1}", "attach: screen")]
    [TestCase("attach", "{\"session\": \"x\", \"screen\": null}", "attach: screen")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": \"x\"}", "start: session")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": null}", "start: session")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": [{}]}", "start: session")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": {\"whenDetached\": \"never\"}}", "start: whenDetached")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": {\"whenDetached\": 1}}", "start: whenDetached")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": {\"grace\": -0.1}}", "start: grace")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": {\"grace\": 8640001}}", "start: grace")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": {\"grace\": 1e999}}", "start: grace")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": {\"grace\": \"5\"}}", "start: grace")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": {\"grace\": null}}", "start: grace")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": {\"name\": \"\"}}", "start: name")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": {\"name\": 5}}", "start: name")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": {\"size\": \"huge\"}}", "start: size")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": {\"size\": {\"rows\": 1}}}", "start: size")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": {\"allDrive\": \"yes\"}}", "start: allDrive")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": {\"recordInput\": 0}}", "start: recordInput")]
    [TestCase("start", "{\"runner\": \"x\", \"window\": 0}", "start: window")]
    [TestCase("start", "{\"runner\": \"x\", \"clientId\": []}", "start: clientId")]
    [TestCase("start", "{\"runner\": \"x\", \"delivery\": \"best\"}", "start: delivery")]
    [TestCase("ack", "{}", "ack: offset")]
    [TestCase("ack", "{\"offset\": \"5\"}", "ack: offset")]
    [TestCase("ack", "{\"offset\": 5.5}", "ack: offset")]
    [TestCase("ack", "{\"offset\": null}", "ack: offset")]
    [TestCase("ack", "{\"offset\": 99999999999999999999}", "ack: offset")]
    [TestCase("grant", "{}", "grant: member")]
    [TestCase("grant", "{\"member\": \"1\"}", "grant: member")]
    [TestCase("grant", "{\"member\": true}", "grant: member")]
    [TestCase("grant", "{\"member\": 1.5}", "grant: member")]
    [TestCase("stdin", "{\"input\": \"x\", \"seq\": \"1\"}", "stdin: seq")]
    [TestCase("stdin", "{\"input\": \"x\", \"seq\": null}", "stdin: seq")]
    [TestCase("stdin", "{\"input\": \"x\", \"seq\": 1.5}", "stdin: seq")]
    [TestCase("stdin", "{\"seq\": 1}", "stdin: input")]
    public void Field_OfNoSense_IsNamed(string type, string data, string named)
    {
        var codec = CodecHarness.Run();
        var refused = codec.Refuse($"{{\"type\": \"{type}\", \"process\": \"p\", \"data\": {data}}}");
        Assert.That(refused.Message, Does.StartWith(named));
        Assert.That(refused.Name, Is.EqualTo("p"));
        Assert.That(codec.Decode("{\"type\": \"ping\"}"), Is.EqualTo(new Ping()), "nothing is left of it");
    }

    [Test]
    public void Name_MissingOrTooLong_IsToldForEachMessage([Values("attach", "detach", "ack", "request", "grant", "take")] string type)
    {
        foreach (var process in new[] { "", ", \"process\": 1", ", \"process\": \"\"", ", \"process\": null" })
            Assert.That(CodecHarness.Run().Refuse($"{{\"type\": \"{type}\", \"data\": {{}}{process}}}").Message, Is.EqualTo($"{type} has no process id"));
        Assert.That(CodecHarness.Run().Refuse($"{{\"type\": \"{type}\", \"process\": \"{new string('x', 70_000)}\"}}").Code, Is.EqualTo(FailureCode.Limited));
    }

    [TestCase("attach", "{\"session\": \"x\", \"clientId\": \"?\"}", "clientId")]
    [TestCase("start", "{\"runner\": \"x\", \"clientId\": \"?\"}", "clientId")]
    [TestCase("start", "{\"runner\": \"x\", \"session\": {\"name\": \"?\"}}", "name")]
    public void Text_LongerThan200_IsRefused(string type, string data, string named)
    {
        foreach (var (length, taken) in new[] { (200, true), (201, false), (1_000_000, false) })
        {
            var text = $"{{\"type\": \"{type}\", \"process\": \"p\", \"data\": {data.Replace("?", new string('é', length), StringComparison.Ordinal)}}}";
            if (taken)
                CodecHarness.Run().Decode(text);
            else
                Assert.That(CodecHarness.Run().Refuse(text).Message, Does.StartWith($"{type}: {named}").And.Contain("200").And.Length.LessThan(200));
        }
    }

    [Test]
    public void Stdin_WithANumber_KeepsIt()
    {
        var codec = CodecHarness.Run();
        var numbered = (Input)codec.Decode("{\"type\": \"stdin\", \"process\": \"p\", \"data\": {\"input\": \"x\", \"seq\": 9223372036854775807}}");
        Assert.That(numbered.Sequence, Is.EqualTo(long.MaxValue));
        var end = (Input)codec.Decode("{\"type\": \"stdin\", \"process\": \"p\", \"data\": {\"end\": true, \"seq\": -3}}");
        Assert.That((end.End, end.Sequence), Is.EqualTo((true, (long?)-3)));
        Assert.That(((Input)codec.Decode("{\"type\": \"stdin\", \"process\": \"p\", \"data\": {\"input\": \"x\"}}")).Sequence, Is.Null, "nothing is left of the one before");
    }

    [Test]
    public void Data_OfEveryMessage_IsReadBack()
    {
        // As a client reads it, whatever people call things.
        foreach (var name in new[] { "", "\u0000\u001f\"\\", "é😀", "</script>", new string('x', 1000) })
        {
            var codec = CodecHarness.Run(name, "*");
            var text = codec.Encode(new Attached(name, Piped with { Name = name, WorkingDirectory = name }, 1) { Screen = Encoding.UTF8.GetBytes(name) }).Single();
            var json = JsonDocument.Parse(text).RootElement;
            var data = json.GetProperty("data");
            Assert.Multiple(() =>
            {
                Assert.That(json.GetProperty("process").GetString(), Is.EqualTo(name));
                Assert.That(json.GetProperty("client").GetString(), Is.EqualTo(name));
                Assert.That(data.GetProperty("screen").GetString(), Is.EqualTo(name));
                Assert.That(data.GetProperty("session").GetProperty("name").GetString(), Is.EqualTo(name));
                Assert.That(data.GetProperty("session").GetProperty("directory").GetString(), Is.EqualTo(name));
            });
        }
    }
}
