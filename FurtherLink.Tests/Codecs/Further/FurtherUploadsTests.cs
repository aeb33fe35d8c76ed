using System.Text;
using FurtherLink.Messages;

namespace FurtherLink.Tests.Codecs.Further;

/// <summary>How uploads in pieces are spelled, both ways.</summary>
public sealed class FurtherUploadsTests
{
    [Test]
    public void Calls_AreTakenOver()
    {
        var codec = CodecHarness.Run();
        Assert.Multiple(() =>
        {
            Assert.That(codec.Decode(Spell("uploadBegin", "\"name\": \"a/\\u00e9\"")), Is.EqualTo(new Call("files.uploadBegin", new UploadBegin("a/é"))));
            Assert.That(codec.Decode(Spell("uploadBegin", "\"name\": \"d\", \"user\": \"pi\"")), Is.EqualTo(new Call("files.uploadBegin", new UploadBegin("d") { User = "pi" })));
            Assert.That(codec.Decode(Spell("uploadEnd", "\"upload\": \"u1\"")), Is.EqualTo(new Call("files.uploadEnd", new UploadEnd("u1"))));
            Assert.That(codec.Decode(Spell("uploadCancel", "\"upload\": \"u1\"")), Is.EqualTo(new Call("files.uploadCancel", new UploadEnd("u1"))));
        });
    }

    [TestCase("\"text\": \"\"", "", false)]
    [TestCase("\"text\": \"\\u00e9\\n\", \"executable\": true", "é\n", true)]
    [TestCase("\"base64\": \"\"", "", false)]
    [TestCase("\"base64\": \"w6kK\", \"executable\": false", "é\n", false)]
    public void Piece_IsTakenOverAndKept(string content, string expected, bool executable)
    {
        var codec = CodecHarness.Run();
        var bytes = Encoding.UTF8.GetBytes(Spell("uploadFile", $"\"upload\": \"u1\", \"path\": \"b/c\", {content}"));
        var pieces = Enumerable.Range(0, bytes.Length).Select(at => (UploadPiece)((Call)codec.Decode(Segments.Cut(bytes, at))).Body!).ToList();
        Assert.That(pieces, Is.All.Matches<UploadPiece>(piece =>
            piece is { Upload: "u1", Path: "b/c", Fault: null } && piece.Executable == executable && Encoding.UTF8.GetString(piece.Content.Span) == expected));
    }

    [TestCase("\"path\": \"x\"")]
    [TestCase("\"text\": \"x\"")]
    [TestCase("\"path\": \"x\", \"text\": 1")]
    [TestCase("\"path\": \"x\", \"text\": \"x\", \"base64\": \"AA==\"")]
    [TestCase("\"path\": \"x\", \"base64\": \"AA\"")]
    [TestCase("\"path\": \"x\", \"text\": \"\\ud800\"")]
    [TestCase("\"path\": \"\\ud800\", \"text\": \"x\"")]
    [TestCase("\"path\": \"x\", \"text\": \"x\", \"executable\": 1")]
    public void Piece_OfNoSense_IsToldToItsUpload(string fields)
    {
        var piece = (UploadPiece)((Call)CodecHarness.Run().Decode(Spell("uploadFile", $"\"upload\": \"u1\", {fields}"))).Body!;
        Assert.That(piece.Upload, Is.EqualTo("u1"));
        Assert.That(piece.Fault!.Message, Does.StartWith("uploadFile: "));
    }

    [TestCase("uploadBegin", "", "uploadBegin: name")]
    [TestCase("uploadBegin", "\"name\": 1", "uploadBegin: name")]
    [TestCase("uploadBegin", "\"name\": \"d\", \"user\": 1", "uploadBegin: user")]
    [TestCase("uploadFile", "\"path\": \"x\", \"text\": \"x\"", "uploadFile: upload")]
    [TestCase("uploadEnd", "\"upload\": 1", "uploadEnd: upload")]
    [TestCase("uploadCancel", "", "uploadCancel: upload")]
    public void Call_OfNoSense_IsRefused(string type, string fields, string named)
    {
        var refused = CodecHarness.Run().Refuse(Spell(type, fields));
        Assert.That(refused.Code, Is.EqualTo(FailureCode.BadMessage));
        Assert.That(refused.Message, Does.StartWith(named));
    }

    [Test]
    public void Answers_AreSpelledSo()
    {
        var codec = CodecHarness.Run("me");
        Assert.That(
            codec.Encode(new Result("files.uploadBegin", new UploadState("u1", 5_000_000_000))),
            Is.EqualTo(new[] { "{\"type\": \"upload\", \"data\": {\"upload\":\"u1\",\"bytes\":5000000000}, \"client\": \"me\", \"process\": null}" }));
        foreach (var (fetched, word) in new[] { (true, "true"), (false, "false") })
        {
            Assert.That(
                codec.Encode(new Result("files.uploadEnd", new UploadDone(fetched))),
                Is.EqualTo(new[] { $"{{\"type\": \"uploaded\", \"data\": {{\"fetchedUrls\": {word}}}, \"client\": \"me\", \"process\": null}}" }));
        }
    }

    private static string Spell(string type, string fields) => $"{{\"type\": \"{type}\", \"data\": {{{fields}}}}}";
}
