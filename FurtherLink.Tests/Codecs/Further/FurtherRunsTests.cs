using FurtherLink.Messages;

namespace FurtherLink.Tests.Codecs.Further;

/// <summary>What start says of how its program is run, and signal of what is sent to it.</summary>
public sealed class FurtherRunsTests
{
    [TestCase("", "")]
    [TestCase("\"args\": null", "")]
    [TestCase("\"args\": []", "")]
    [TestCase("\"args\": [\"ls\", \"-l\", \"\"]", "ls|-l|")]
    [TestCase("\"args\": [\"\\u00e9\\ud83d\\ude00\", \"a\\\\b\\\"\\/\"]", "é😀|a\\b\"/")]
    [TestCase("\"args\": [1], \"args\": [\"x\"]", "x")]
    public void Args_OfTexts_AreTakenOver(string fields, string expected) =>
        Assert.That(string.Join('|', Start(fields).Request.Arguments), Is.EqualTo(expected));

    [TestCase("", "")]
    [TestCase("\"env\": null", "")]
    [TestCase("\"env\": {}", "")]
    [TestCase("\"env\": {\"A\": \"1\", \"B\": null, \"C\": \"\"}", "A=1|B=null|C=")]
    [TestCase("\"env\": {\"A\": \"1\", \"A\": \"2\"}", "A=2")]
    [TestCase("\"env\": {\"\\u00e9\": \"\\ud83d\\ude00\", \"type\": \"stop\", \"args\": \"x\"}", "é=😀|type=stop|args=x")]
    public void Env_OfTextsAndNull_IsTakenOver(string fields, string expected) =>
        Assert.That(string.Join('|', Start(fields).Request.Environment.Select(pair => $"{pair.Key}={pair.Value ?? "null"}")), Is.EqualTo(expected));

    private static IEnumerable<TestCaseData<string, string?, TerminalSize?, bool, string?>> Fields()
    {
        yield return new("\"user\": \"pi\"", "pi", null, false, null);
        yield return new("\"user\": \"\"", "", null, false, null);
        yield return new("\"user\": null, \"terminal\": null", null, null, false, null);
        yield return new("\"terminal\": false", null, null, true, null);
        yield return new("\"terminal\": {\"rows\": 24, \"cols\": 80}", null, new TerminalSize(24, 80), false, null);
        yield return new("\"terminal\": {\"cols\": 70000, \"rows\": -1}", null, new TerminalSize(-1, 70000), false, null);
        yield return new("\"session\": {\"id\": \"a\"}", null, null, false, "a");
        yield return new("\"session\": {\"id\": null}", null, null, false, null);
        yield return new($"\"session\": {{\"id\": \"{new string('x', 62)}_-\"}}", null, null, false, new string('x', 62) + "_-");
        yield return new("\"rows\": 5, \"cols\": 6, \"name\": \"n\", \"id\": \"i\"", null, null, false, null);
    }

    [TestCaseSource(nameof(Fields))]
    public void UserTerminalAndId_AreTakenOver(string fields, string? user, TerminalSize? terminal, bool pipes, string? id)
    {
        var request = Start(fields).Request;
        Assert.That((request.User, request.Terminal, request.Pipes, request.SessionId), Is.EqualTo((user, terminal, pipes, id)));
    }

    [Test]
    public void Start_WithObjectsInAnyOrder_MixesNoneOfTheirFields()
    {
        string[] objects = ["\"session\": {\"name\": \"s\", \"id\": \"i\", \"rows\": 1}", "\"terminal\": {\"rows\": 2, \"cols\": 3, \"name\": \"t\"}", "\"novncOptions\": {\"enabled\": true, \"rows\": 9}"];
        foreach (var order in new[] { new[] { 0, 1, 2 }, [2, 1, 0], [1, 2, 0], [1, 0, 2] })
        {
            var request = Start(string.Join(", ", order.Select(at => objects[at]))).Request;
            Assert.That(
                (request.Session, request.SessionId, request.Terminal, request.Display),
                Is.EqualTo((new SessionOptions { Name = "s" }, "i", new TerminalSize(2, 3), new DisplayRequest(null, null))));
        }
    }

    [TestCase("\"args\": \"ls\"", FailureCode.BadMessage, "start: args")]
    [TestCase("\"args\": {}", FailureCode.BadMessage, "start: args")]
    [TestCase("\"args\": [\"ls\", 1]", FailureCode.BadMessage, "start: args")]
    [TestCase("\"args\": [\"ls\", null]", FailureCode.BadMessage, "start: args")]
    [TestCase("\"args\": [[\"ls\"]]", FailureCode.BadMessage, "start: args")]
    [TestCase("\"args\": [\"\\ud800\"]", FailureCode.BadValue, "start: args")]
    [TestCase("\"env\": \"A=1\"", FailureCode.BadMessage, "start: env")]
    [TestCase("\"env\": [\"A=1\"]", FailureCode.BadMessage, "start: env")]
    [TestCase("\"env\": {\"A\": 1}", FailureCode.BadMessage, "start: env")]
    [TestCase("\"env\": {\"A\": {\"B\": \"1\"}}", FailureCode.BadMessage, "start: env")]
    [TestCase("\"env\": {\"A\": \"\\udc00\"}", FailureCode.BadValue, "start: env")]
    [TestCase("\"env\": {\"\\udc00\": \"A\"}", FailureCode.BadValue, "start: env")]
    [TestCase("\"user\": 0", FailureCode.BadMessage, "start: user")]
    [TestCase("\"terminal\": true", FailureCode.BadMessage, "start: terminal")]
    [TestCase("\"terminal\": 1", FailureCode.BadMessage, "start: terminal")]
    [TestCase("\"terminal\": [24, 80]", FailureCode.BadMessage, "start: terminal")]
    [TestCase("\"terminal\": {}", FailureCode.BadMessage, "start: terminal")]
    [TestCase("\"terminal\": {\"rows\": 1}", FailureCode.BadMessage, "start: terminal")]
    [TestCase("\"terminal\": {\"rows\": 1, \"cols\": 1.5}", FailureCode.BadMessage, "start: terminal")]
    [TestCase("\"session\": {\"id\": 1}", FailureCode.BadMessage, "start: id")]
    [TestCase("\"session\": {\"id\": \"\"}", FailureCode.BadValue, "start: id")]
    [TestCase("\"session\": {\"id\": \"..\"}", FailureCode.BadValue, "start: id")]
    [TestCase("\"session\": {\"id\": \"a/b\"}", FailureCode.BadValue, "start: id")]
    [TestCase("\"session\": {\"id\": \"é\"}", FailureCode.BadValue, "start: id")]
    [TestCase("\"session\": {\"id\": \"a\\u0000\"}", FailureCode.BadValue, "start: id")]
    public void Start_WithAFieldOfNoSense_IsToldWhichOne(string fields, FailureCode code, string named)
    {
        var refused = CodecHarness.Run().Refuse(Spell(fields));
        Assert.That((refused.Code, refused.Name), Is.EqualTo((code, "1")));
        Assert.That(refused.Message, Does.StartWith(named));
    }

    [Test]
    public void Start_WithMoreThanItMayHave_IsRefused()
    {
        Assert.That(Start($"\"args\": [{Repeat("\"x\"", 4096)}]").Request.Arguments, Has.Count.EqualTo(4096));
        Assert.That(CodecHarness.Run().Refuse(Spell($"\"args\": [{Repeat("\"x\"", 4097)}]")).Code, Is.EqualTo(FailureCode.Limited));
        Assert.That(Start($"\"env\": {{{Repeat("\"V?\": null", 4096)}}}").Request.Environment, Has.Count.EqualTo(4096));
        Assert.That(CodecHarness.Run().Refuse(Spell($"\"env\": {{{Repeat("\"V?\": \"\"", 4097)}}}")).Code, Is.EqualTo(FailureCode.Limited));
        Assert.That(CodecHarness.Run().Refuse(Spell($"\"session\": {{\"id\": \"{new string('x', 65)}\"}}")).Code, Is.EqualTo(FailureCode.BadValue));

        static string Repeat(string text, int count) => string.Join(',', Enumerable.Range(0, count).Select(i => text.Replace("?", $"{i}", StringComparison.Ordinal)));
    }

    [Test]
    public void Start_CutIntoSegmentsAnywhere_IsTheSame()
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(Spell("\"args\": [\"é\\u00e9\", \"b\"], \"env\": {\"A\\u0042\": \"😀\", \"C\": null}"));
        for (var at = 0; at <= bytes.Length; at++)
        {
            var request = ((Start)CodecHarness.Run().Decode(Segments.Cut(bytes, at))).Request;
            Assert.That(request.Arguments, Is.EqualTo(new[] { "éé", "b" }));
            Assert.That(request.Environment, Is.EqualTo(new Dictionary<string, string?>(StringComparer.Ordinal) { ["AB"] = "😀", ["C"] = null }));
        }
    }

    [TestCase("1", 1)]
    [TestCase("64", 64)]
    [TestCase("\"HUP\"", 1)]
    [TestCase("\"INT\"", 2)]
    [TestCase("\"SIGINT\"", 2)]
    [TestCase("\"ABRT\"", 6)]
    [TestCase("\"IOT\"", 6)]
    [TestCase("\"KILL\"", 9)]
    [TestCase("\"TERM\"", 15)]
    [TestCase("\"SIGSTKFLT\"", 16)]
    [TestCase("\"CHLD\"", 17)]
    [TestCase("\"CLD\"", 17)]
    [TestCase("\"CONT\"", 18)]
    [TestCase("\"TSTP\"", 20)]
    [TestCase("\"WINCH\"", 28)]
    [TestCase("\"POLL\"", 29)]
    [TestCase("\"IO\"", 29)]
    [TestCase("\"SYS\"", 31)]
    [TestCase("\"UNUSED\"", 31)]
    [TestCase("\"\\u0053IGUSR1\"", 10)]
    public void Signal_ByNumberOrName_IsTakenOver(string signal, int number) =>
        Assert.That(CodecHarness.Run().Decode(SpellSignal($"\"signal\": {signal}")), Is.EqualTo(new Control("1", new Signal(number))));

    [TestCase("\"signal\": 0")]
    [TestCase("\"signal\": -2")]
    [TestCase("\"signal\": 65")]
    [TestCase("\"signal\": 5000000000")]
    [TestCase("\"signal\": \"\"")]
    [TestCase("\"signal\": \"SIG\"")]
    [TestCase("\"signal\": \"int\"")]
    [TestCase("\"signal\": \"SIGSIGINT\"")]
    [TestCase("\"signal\": \"2\"")]
    public void Signal_ThatDoesNotExist_IsToldWhichDo(string data)
    {
        var refused = CodecHarness.Run().Refuse(SpellSignal(data));
        Assert.That((refused.Code, refused.Name), Is.EqualTo((FailureCode.BadValue, "1")));
        Assert.That(refused.Message, Does.Contain("1 to 64").And.Contain("HUP, INT").And.Contain("SYS"));
    }

    [TestCase("")]
    [TestCase("\"signal\": null")]
    [TestCase("\"signal\": 2.5")]
    [TestCase("\"signal\": true")]
    [TestCase("\"signal\": [2]")]
    public void Signal_OfTheWrongForm_IsABadMessage(string data) =>
        Assert.That(CodecHarness.Run().Refuse(SpellSignal(data)).Code, Is.EqualTo(FailureCode.BadMessage));

    private static string SpellSignal(string data) => $"{{\"type\": \"signal\", \"process\": \"1\", \"data\": {{{data}}}}}";

    private static string Spell(string fields) =>
        $"{{\"type\": \"start\", \"process\": \"1\", \"data\": {{\"runner\": \"program\"{(fields.Length > 0 ? ", " : "")}{fields}}}}}";

    private static Start Start(string fields) => (Start)CodecHarness.Run().Decode(Spell(fields));
}
