using System.Text;
using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Tests.Codecs.Further;

/// <summary>What a client calls a request is given back on its answer, and nobody else sees anything of it.</summary>
public sealed class FurtherRefTests
{
    private static readonly SessionInfo Session = new("0123456789ab", "exec", 42, "pi", "/tmp", null, DateTimeOffset.UnixEpoch);

    private static IEnumerable<ServerMessage> Answers() =>
    [
        new Pong(),
        new Started("1", Session),
        new Attached("1", Session, 0),
        new Notice("detached", new Detached(null)) { Name = "1" },
        new Result("sessions.list", new List<SessionInfo>()),
        new Notice("input", new InputTaken(new InputMark("me", 5))) { Name = "1" },
        new Result("device.hello", new HelloAnswer("6.0.0", 1, 2)),
        new Result("files.uploadFile", new UploadState("u1", 5)),
        new Result("files.uploadEnd", new UploadDone(true)),
        new Failed(FailureCode.NotFound, "why") { Name = "1" },
    ];

    [TestCaseSource(nameof(Answers))]
    public void Answer_ToARequestWithARef_HasItAsFifthKey(ServerMessage answer)
    {
        foreach (var codec in new[] { CodecHarness.Run("me"), CodecHarness.Run("me", "*", "ack", "bytes") })
        {
            var bare = Keys(codec.Encode(answer with { Ref = null }).Single());
            Assert.That(bare, Is.EqualTo("type,data,client,process"));
            foreach (var reference in new[] { "1", "", "é\"\n😀", new string('x', 65536) })
            {
                var text = codec.Encode(answer with { Ref = reference }).Single();
                Assert.That(Keys(text), Is.EqualTo(bare + ",ref"));
                Assert.That(JsonDocument.Parse(text).RootElement.GetProperty("ref").GetString(), Is.EqualTo(reference));
            }
        }
    }

    [TestCase(FailureCode.BadMessage, "badMessage")]
    [TestCase(FailureCode.BadValue, "badValue")]
    [TestCase(FailureCode.NotFound, "notFound")]
    [TestCase(FailureCode.AlreadyExists, "alreadyExists")]
    [TestCase(FailureCode.NotSupported, "notSupported")]
    [TestCase(FailureCode.Denied, "denied")]
    [TestCase(FailureCode.Unauthenticated, "unauthenticated")]
    [TestCase(FailureCode.Limited, "limited")]
    [TestCase(FailureCode.InputStalled, "inputStalled")]
    [TestCase(FailureCode.InputClosed, "inputClosed")]
    [TestCase(FailureCode.ProgramNotFound, "programNotFound")]
    [TestCase(FailureCode.ProgramNotRunnable, "programNotRunnable")]
    [TestCase(FailureCode.Failed, "failed")]
    [TestCase(FailureCode.Internal, "internal")]
    public void Error_ForARequestWithARef_HasACode(FailureCode code, string word)
    {
        var error = new Failed(code, "why");
        Assert.That(DataOf(error with { Ref = "1" }).GetProperty("code").GetString(), Is.EqualTo(word));
        Assert.That(DataOf(error).TryGetProperty("code", out _), Is.False);

        static JsonElement DataOf(Failed failed) => JsonDocument.Parse(CodecHarness.Run().Encode(failed).Single()).RootElement.GetProperty("data");
    }

    [Test]
    public void Codes_OfAllFailures_AreTested() =>
        Assert.That(
            typeof(FurtherRefTests).GetMethod(nameof(Error_ForARequestWithARef_HasACode))!.GetCustomAttributes(typeof(TestCaseAttribute), false),
            Has.Length.EqualTo(Enum.GetValues<FailureCode>().Length));

    [TestCase("\"1\"", "1")]
    [TestCase("\"\"", "")]
    [TestCase("\"\\u00e9\\ud83d\\ude00\"", "é😀")]
    [TestCase("\"1\", \"ref\": \"2\"", "2")]
    [TestCase("\"1\", \"ref\": 2", null)]
    [TestCase("1", null)]
    [TestCase("null", null)]
    [TestCase("{\"ref\": \"1\"}", null)]
    public void Ref_OfAnyMessage_IsTakenOver(string spelled, string? reference)
    {
        var codec = CodecHarness.Run();
        foreach (var message in new[] { "\"type\": \"ping\"", "\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"input\": \"x\"}", "\"type\": \"list\"" })
        {
            Assert.That(codec.Decode($"{{{message}, \"ref\": {spelled}}}").Ref, Is.EqualTo(reference));
            Assert.That(codec.Decode($"{{\"ref\": {spelled}, {message}}}").Ref, Is.EqualTo(reference));
            Assert.That(codec.Decode($"{{{message}}}").Ref, Is.Null, "nothing is left of the one before");
        }

        Assert.That(codec.Decode("{\"type\": \"ping\", \"data\": {\"ref\": \"1\"}}").Ref, Is.Null);
    }

    [TestCase("{\"ref\": \"7\"}")]
    [TestCase("{\"type\": \"nothing\", \"ref\": \"7\"}")]
    [TestCase("{\"type\": \"stop\", \"ref\": \"7\"}")]
    [TestCase("{\"type\": \"start\", \"process\": \"1\", \"data\": {}, \"ref\": \"7\"}")]
    [TestCase("{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"input\": \"\\ud800\"}, \"ref\": \"7\"}")]
    [TestCase("{\"type\": \"hello\", \"data\": {\"client\": 1}, \"ref\": \"7\"}")]
    public void Message_ThatIsRefused_IsAnsweredWithItsRef(string text)
    {
        var error = JsonDocument.Parse(CodecHarness.Run().ErrorFor(Segments.Text(text))).RootElement;
        Assert.That(error.GetProperty("ref").GetString(), Is.EqualTo("7"));
        Assert.That(error.GetProperty("data").GetProperty("code").GetString(), Does.StartWith("bad"));
    }

    [Test]
    public void Ref_ThatCannotBeGivenBack_IsRefused()
    {
        Assert.That(CodecHarness.Run().Decode($"{{\"type\": \"ping\", \"ref\": \"{new string('x', 65536)}\"}}").Ref, Has.Length.EqualTo(65536));
        var tooLong = CodecHarness.Run().Refuse($"{{\"type\": \"ping\", \"ref\": \"{new string('x', 65537)}\"}}");
        Assert.That((tooLong.Code, tooLong.Ref), Is.EqualTo((FailureCode.Limited, (string?)null)));
        var half = CodecHarness.Run().Refuse("{\"type\": \"ping\", \"ref\": \"\\ud800\"}");
        Assert.That((half.Code, half.Ref), Is.EqualTo((FailureCode.BadValue, (string?)null)));
    }

    [Test]
    public void Ref_OnTheOlderEndpoint_IsNothing() => Assert.That(CodecHarness.RunPy().Decode("{\"type\": \"ping\", \"ref\": \"1\"}").Ref, Is.Null);

    private static string Keys(string text) => string.Join(',', JsonDocument.Parse(Encoding.UTF8.GetBytes(text)).RootElement.EnumerateObject().Select(key => key.Name));
}
