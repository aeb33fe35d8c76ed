using System.Text;
using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Tests.Codecs.Further;

public sealed class RunPyCodecTests
{
    private static readonly SessionInfo Session = new("s1", "python3", 42, "pi", "/tmp", null, DateTimeOffset.UnixEpoch);

    [TestCase("{\"sourceScript\": \"print(1)\"}", "print(1)", null)]
    [TestCase("{\"sourceScript\": \"\"}", "", null)]
    [TestCase("{\"sourceScript\": \"x\", \"directoryName\": \"my project\"}", "x", "my project")]
    [TestCase("{\"sourceScript\": \"x\", \"directoryName\": 5}", "x", null)]
    [TestCase("{\"sourceScript\": \"x\", \"sourcePath\": \"a.py\"}", "x", null)]
    [TestCase("{\"sourceScript\": 5, \"sourcePath\": \"a.py\", \"directoryName\": \"d\"}", null, "a.py")]
    [TestCase("{\"sourcePath\": \"/home/pi/run.py\", \"novncOptions\": {\"enabled\": true}}", null, "/home/pi/run.py")]
    public void Start_WithSource_RunsPython(string data, string? code, string? path)
    {
        var start = (Start)CodecHarness.RunPy().Decode($"{{\"type\": \"start\", \"process\": \"unread\", \"data\": {data}}}");
        Assert.That(
            (start.Name, start.Request.Runner, start.Request.Code, start.Request.Path, start.Request.Display),
            Is.EqualTo(("", "python3", code, path, (DisplayRequest?)null)));
    }

    [TestCase("{\"type\": \"start\"}")]
    [TestCase("{\"type\": \"start\", \"data\": {}}")]
    [TestCase("{\"type\": \"start\", \"data\": {\"sourcePath\": \"\"}}")]
    [TestCase("{\"type\": \"start\", \"data\": {\"sourcePath\": 1, \"directoryName\": \"d\"}}")]
    [TestCase("{\"type\": \"start\", \"data\": {\"runner\": \"python3\", \"code\": \"x\"}}")]
    [TestCase("{\"type\": \"resize\", \"data\": {\"rows\": 1, \"cols\": 1}}")]
    [TestCase("{\"type\": \"stdin\"}")]
    [TestCase("{\"type\": \"keyevent\", \"data\": {\"key\": \"a\"}}")]
    [TestCase("{\"type\": \"upload\"}")]
    [TestCase("{\"type\": \"upload\", \"data\": {\"directory\": []}}")]
    [TestCase("{\"type\": \"nothing\"}")]
    [TestCase("nonsense")]
    public void Message_OfNoSense_IsABadMessage(string text)
    {
        var error = JsonDocument.Parse(CodecHarness.RunPy().ErrorFor(Segments.Text(text))).RootElement;
        Assert.Multiple(() =>
        {
            Assert.That(error.EnumerateObject().Select(p => p.Name), Is.EqualTo(new[] { "type", "data", "process" }));
            Assert.That(error.GetProperty("data").EnumerateObject().Select(p => p.Name), Is.EqualTo(new[] { "message", "detail" }));
            Assert.That(error.GetProperty("data").GetProperty("message").GetString(), Is.EqualTo("Bad message"));
        });
    }

    [Test]
    public void Message_WithoutProcess_IsForTheOneProgram()
    {
        var codec = CodecHarness.RunPy();
        var input = (Input)codec.Decode("{\"type\": \"stdin\", \"data\": {\"input\": \"x\\n\", \"end\": true}}");
        Assert.Multiple(() =>
        {
            Assert.That((input.Name, Encoding.UTF8.GetString(input.Data), input.End), Is.EqualTo(("", "x\n", true)));
            Assert.That(codec.Decode("{\"type\": \"stop\", \"data\": {}}"), Is.EqualTo(new Stop("")));
            Assert.That(codec.Decode("{\"type\": \"ping\"}"), Is.EqualTo(new Ping()));
            Assert.That(codec.Decode("{\"type\": \"keyevent\", \"data\": {\"key\": \"a\", \"event\": \"keyup\"}}"), Is.EqualTo(new Control("", new Key("a", "keyup"))));
        });
    }

    [Test]
    public void Upload_WithADirectory_IsACallWithItsJson()
    {
        var directory = "{\"name\": \"d\\u00e9\", \"files\": {\"a.py\": {\"type\": \"text\", \"content\": {\"text\": \"x\"}}}}";
        var frame = Encoding.UTF8.GetBytes($"{{\"type\": \"upload\", \"data\": {{\"user\": \"pi\", \"directory\": {directory} }}}}");
        for (var cut = 0; cut <= frame.Length; cut++)
        {
            var call = (Call)CodecHarness.RunPy().Decode(Segments.Cut(frame, cut));
            var upload = (UploadText)call.Body!;
            Assert.That((call.Name, Encoding.UTF8.GetString(upload.Json.Span), upload.User), Is.EqualTo(("files.upload", directory, "pi")));
        }
    }

    private static IEnumerable<TestCaseData<ServerMessage, string?>> Spellings()
    {
        yield return new(new Pong(), "{\"type\": \"pong\", \"data\": null, \"process\": \"\"}");
        yield return new(new Started("", Session), "{\"type\": \"started\", \"data\": null, \"process\": \"\"}");
        yield return new(new Output { Name = "", Kind = OutputKind.Out, Data = "hi\n"u8.ToArray() }, "{\"type\": \"stdout\", \"data\": {\"output\": \"hi\\n\"}, \"process\": \"\"}");
        yield return new(new Output { Name = "", Kind = OutputKind.Error, Data = "hi\n"u8.ToArray() }, "{\"type\": \"stderr\", \"data\": {\"output\": \"hi\\n\"}, \"process\": \"\"}");
        yield return new(new Exited("", new ExitStatus(-15)), "{\"type\": \"stopped\", \"data\": {\"exitCode\": -15}, \"process\": \"\"}");
        yield return new(new Notice("video", "x") { Name = "" }, "{\"type\": \"video\", \"data\": {\"output\": \"x\"}, \"process\": \"\"}");
        yield return new(new Notice("keylisten", "a") { Name = "" }, "{\"type\": \"keylisten\", \"data\": {\"output\": \"a\", \"key\": \"a\"}, \"process\": \"\"}");
        yield return new(new Notice("novnc", new DisplayAddress(1, "x")) { Name = "" }, null);
        yield return new(new Result("files.upload", "anything"), "{\"type\": \"uploaded\", \"data\": null, \"process\": \"\"}");
        yield return new(new Result("files.list", "anything"), null);
        yield return new(
            new Failed(FailureCode.NotFound, "nothing runs") { Name = "" },
            "{\"type\": \"error\", \"data\": {\"message\": \"Bad message\", \"detail\": \"nothing runs\"}, \"process\": \"\"}");
        yield return new(
            new Failed(FailureCode.BadMessage, "no name") { Call = "files.upload" },
            "{\"type\": \"error\", \"data\": {\"message\": \"Bad message\", \"detail\": \"no name\"}, \"process\": \"\"}");
        foreach (var code in new[] { FailureCode.Failed, FailureCode.NotFound, FailureCode.BadValue, FailureCode.Denied, FailureCode.Internal })
        {
            yield return new(
                new Failed(code, "disk full") { Call = "files.upload" },
                "{\"type\": \"error\", \"data\": {\"message\": \"Bad upload\", \"detail\": \"disk full\"}, \"process\": \"\"}");
        }
    }

    [TestCaseSource(nameof(Spellings))]
    public void Message_OfTheVocabulary_IsSpelledAsTheOlderEndpointDoes(ServerMessage message, string? expected) =>
        Assert.That(CodecHarness.RunPy().Encode(message), Is.EqualTo(expected is null ? Array.Empty<string>() : [expected]));
}
