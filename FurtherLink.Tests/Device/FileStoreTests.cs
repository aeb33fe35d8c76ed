using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Device;
using NUnit.Framework.Constraints;

namespace FurtherLink.Tests.Device;

[TestFixture]
internal sealed class FileStoreTests : UploadFixture
{
    private static EqualConstraint IsDone => Is.EqualTo(new UploadOutcome(UploadStatus.Done, true, null))
        .Using<UploadOutcome>(static (outcome, expected) => outcome with { Directory = null, User = null } == expected);

    [Test]
    public async Task Upload_TextsInDirectories_AreWrittenAsTheyAre()
    {
        var outcome = await UploadAsync(Tree("p/q", ("main.py", Text("a\r\nb\n€😀\t\"\\")), ("lib/deep/x.txt", Text("")), ("./y", Text("y"))));

        Assert.That(outcome, IsDone);
        Assert.That(File.ReadAllBytes(Path.Combine(Work, "p/q/main.py")), Is.EqualTo(Encoding.UTF8.GetBytes("a\r\nb\n€😀\t\"\\")));
        Assert.That(Read("p/q/lib/deep/x.txt"), Is.Empty);
        Assert.That(Read("p/q/y"), Is.EqualTo("y"));
    }

    [Test]
    public async Task Upload_Base64_IsWrittenAsBytes()
    {
        var bytes = Enumerable.Range(0, 100_000).Select(i => (byte)(i * 7)).ToArray();
        Assert.That(await UploadAsync(Tree("p", ("b", Bytes(bytes)), ("empty", Bytes([])))), IsDone);
        Assert.That(File.ReadAllBytes(Path.Combine(Work, "p/b")), Is.EqualTo(bytes));
        Assert.That(new FileInfo(Path.Combine(Work, "p/empty")).Length, Is.Zero);
    }

    [Test]
    public async Task Upload_OverADirectory_ReplacesAllOfItAndLeavesNothingElse()
    {
        await UploadAsync(Tree("p", ("old", Text("old")), ("sub/old", Text("old"))));
        Assert.That(await UploadAsync(Tree("p", ("new", Text("new")))), IsDone);

        Assert.That(Directory.EnumerateFileSystemEntries(Work).Select(Path.GetFileName), Is.EqualTo(["p"]));
        Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(Work, "p")).Select(Path.GetFileName), Is.EqualTo(["new"]));
    }

    [Test]
    public async Task Upload_OverNamesThatAreNoTextAndATreeOfAnyDepth_RemovesThem()
    {
        await UploadAsync(Tree("p", ("x", Text("x"))));
        // 300 levels: past where removal goes on from the top. A name that is not UTF-8 can only be made by the system itself.
        var deep = string.Join('/', Enumerable.Repeat("d", 300));
        Assert.That(Shell.Run(Path.Combine(Work, "p"), $"mkdir -p {deep} && touch {deep}/leaf && touch \"$(printf 'a\\377b')\" && mkfifo pipe && mkdir -m 0 closed"), Is.Zero);

        Assert.That(await UploadAsync(Tree("p", ("y", Text("y")))), IsDone);
        Assert.That(Directory.EnumerateFileSystemEntries(Work, "*", SearchOption.AllDirectories).Select(Path.GetFileName), Is.EquivalentTo(["p", "y"]));
    }

    [Test]
    public async Task Upload_WithNoFiles_EmptiesTheDirectory()
    {
        await UploadAsync(Tree("p", ("x", Text("x"))));
        Assert.That(await UploadAsync(Tree("p")), IsDone);
        Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(Work, "p")), Is.Empty);
    }

    [Test]
    public async Task Upload_WorkDirectoryMissing_IsMade()
    {
        Directory.Delete(Work, recursive: true);
        Assert.That(await UploadAsync(Tree("p", ("x", Text("x")))), IsDone);
        Assert.That(Read("p/x"), Is.EqualTo("x"));
    }

    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":{"text":"1"}},"a":{"type":"text","content":{"text":"2"}}}}""")]
    [TestCase("""{"name":"p","files":{"b/../a":{"type":"text","content":{"text":"1"}},"a":{"type":"text","content":{"text":"2"}}}}""")]
    [TestCase("""{"name":"no","name":"p","files":{},"files":{"a":{"type":"url","type":"text","content":{"text":"1","text":"2"}}}}""")]
    [TestCase("""{"name":"./p/","more":[1,{}],"files":{"a":{"type":"text","content":{"text":"2","base64":1}}}}""")]
    public async Task Upload_SaidTwice_TheLastCounts(string json)
    {
        Assert.That(await UploadAsync(json), IsDone);
        Assert.That(Read("p/a"), Is.EqualTo("2"));
        Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(Work, "p")).Count(), Is.EqualTo(1));
    }

    [TestCase("")]
    [TestCase("{")]
    [TestCase("1")]
    [TestCase("null")]
    [TestCase("\"x\"")]
    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("\ufeff{\"name\":\"p\",\"files\":{}}")]
    [TestCase("""{"name":"p","files":{}} x""")]
    [TestCase("""{"name":"p"}""")]
    [TestCase("""{"files":{}}""")]
    [TestCase("""{"name":1,"files":{}}""")]
    [TestCase("""{"name":null,"files":{}}""")]
    [TestCase("""{"name":"p","files":[]}""")]
    [TestCase("""{"name":"p","files":null}""")]
    [TestCase("""{"name":"p","files":{"a":1}}""")]
    [TestCase("""{"name":"p","files":{"a":{}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"text"}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":"x"}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"other","content":{}}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":1,"content":{}}}}""")]
    [TestCase("""{"name":"p","files":{"../a":{"type":"text","content":{"text":"x"}},"b":{"type":"no","content":{}}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"base64","content":{}}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"base64","content":{"base64":"A"}}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"base64","content":{"base64":"AA!A"}}}}""")]
    [TestCase("""{"name":"p","username":1,"files":{"project.cfg":{"type":"text","content":{"text":""}}}}""")]
    public async Task Upload_OfTheWrongForm_IsInvalidAndChangesNothing(string json)
    {
        await UploadAsync(Tree("p", ("old", Text("old"))));
        var before = Snapshot();
        var outcome = await UploadAsync(json);
        Assert.That(outcome.Status, Is.EqualTo(UploadStatus.Invalid), outcome.Reason);
        Assert.That(outcome.Reason, Is.Not.Empty);
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [Test]
    public async Task Upload_NotUtf8_IsInvalid()
    {
        byte[] json = [.. """{"name":"p","files":{"a":{"type":"text","content":{"text":"""u8, (byte)'"', 0xC3, (byte)'"', .. "}}}}"u8];
        Assert.That((await Store.UploadAsync(json, null, CancellationToken.None)).Status, Is.EqualTo(UploadStatus.Invalid));
    }

    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":{}}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":{"text":1}}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":{"text":"\ud800"}}}}""")]
    [TestCase("""{"name":"p","files":{"\ud800":{"type":"text","content":{"text":"x"}}}}""")]
    [TestCase("""{"name":"\ud800","files":{}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"url","content":{"bucketName":"b","fileName":"f"}}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"url","content":{"url":"http://127.0.0.1:1/","fileName":"f"}}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"url","content":{"url":"http://127.0.0.1:1/","bucketName":"b"}}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"url","content":{"url":"file:///etc/passwd","bucketName":"b","fileName":"f"}}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"url","content":{"url":"/etc/passwd","bucketName":"b","fileName":"f"}}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":{"text":"x"}},"a/b":{"type":"text","content":{"text":"x"}}}}""")]
    public async Task Upload_ThatCannotBeCarriedOut_FailsAndChangesNothing(string json)
    {
        await UploadAsync(Tree("p", ("old", Text("old"))));
        var before = Snapshot();
        var outcome = await UploadAsync(json);
        Assert.That(outcome.Status, Is.EqualTo(UploadStatus.Failed), outcome.Reason);
        Assert.That(outcome.Reason, Is.Not.Empty);
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [Test]
    public async Task Upload_ForAnUnknownUser_Fails([Values("", "no-such-user")] string user)
    {
        Assert.That((await UploadAsync(Tree("p"), user)).Status, Is.EqualTo(UploadStatus.Failed));
        Assert.That(Directory.EnumerateFileSystemEntries(Work), Is.Empty);
    }

    [Test]
    public async Task Upload_FailingAtEachFile_LeavesTheOldDirectory([Range(0, 6)] int bad)
    {
        await UploadAsync(Tree("p", ("old", Text("old")), ("sub/old", Text("old"))));
        var before = Snapshot();
        var files = Enumerable.Range(0, 7).Select(i => ($"d{i}/f", i == bad ? Bytes([]) : Text("new"))).ToArray();
        files[bad].Item2["content"]!["base64"] = "not base64";

        Assert.That((await UploadAsync(Tree("p", files))).Status, Is.EqualTo(UploadStatus.Invalid));
        Assert.That(Snapshot(), Is.EqualTo(before));
        Assert.That((await UploadAsync(Tree("n/e/w", files))).Status, Is.EqualTo(UploadStatus.Invalid));
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [Test]
    public async Task Upload_OverAFile_FailsAndKeepsIt()
    {
        File.WriteAllText(Path.Combine(Work, "p"), "file");
        Assert.That((await UploadAsync(Tree("p"))).Status, Is.EqualTo(UploadStatus.Failed));
        Assert.That((await UploadAsync(Tree("p/q"))).Status, Is.EqualTo(UploadStatus.Failed));
        Assert.That(Read("p"), Is.EqualTo("file"));
    }

    [Test]
    public async Task Upload_Cancelled_ChangesNothing()
    {
        await UploadAsync(Tree("p", ("old", Text("old"))));
        var before = Snapshot();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        Assert.That(
            async () => await Store.UploadAsync("""{"name":"p","files":{}}"""u8.ToArray(), null, cancelled.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [Test]
    public async Task Upload_ManyAtOnceOfOneName_EndWithOneOfThemWhole()
    {
        var all = Enumerable.Range(0, 16).Select(i =>
            UploadAsync(Tree("p", Enumerable.Range(0, 20).Select(f => ($"f{f}", Text($"{i}"))).ToArray())));
        Assert.That(await Task.WhenAll(all), Has.All.Matches(IsDone));

        Assert.That(Directory.EnumerateFileSystemEntries(Work).Select(Path.GetFileName), Is.EqualTo(["p"]));
        var contents = Directory.EnumerateFiles(Path.Combine(Work, "p")).Select(File.ReadAllText).ToArray();
        Assert.That(contents, Has.Length.EqualTo(20));
        Assert.That(contents.Distinct().Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task Upload_Body_IsBoundedAsItStreams()
    {
        Options.MaxUpload = 100_000;
        var json = Encoding.UTF8.GetBytes(Tree("p", ("a", Text(new string('x', 99_000)))).ToJsonString());
        Assert.That(await Store.UploadAsync(PipeReader.Create(new MemoryStream(json)), null, null, CancellationToken.None), IsDone);
        Assert.That(Read("p/a"), Has.Length.EqualTo(99_000));

        var endless = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await endless.Writer.WriteAsync(new byte[100_001]);
        var outcome = await Store.UploadAsync(endless.Reader, null, null, CancellationToken.None);
        Assert.That(outcome.Status, Is.EqualTo(UploadStatus.TooLarge));
        outcome = await Store.UploadAsync(new Pipe().Reader, 100_001, null, CancellationToken.None);
        Assert.That(outcome.Reason, Is.EqualTo("Maximum request body size 100000 exceeded, actual body size 100001"));
    }

    [Test]
    public async Task Upload_WithProjectCfg_IsAlsoCopiedToTheProjects()
    {
        Directory.CreateDirectory(Path.Combine(Projects, "me/p"));
        File.WriteAllText(Path.Combine(Projects, "me/p/old"), "old");
        var upload = Tree("p", ("project.cfg", Text("cfg")), ("sub/x", Text("x")));
        upload["username"] = "me@example.org";

        Assert.That(await UploadAsync(upload), IsDone);
        Assert.That(Directory.EnumerateFiles(Path.Combine(Projects, "me/p"), "*", SearchOption.AllDirectories).Select(p => Path.GetRelativePath(Projects, p)),
            Is.EquivalentTo(["me/p/project.cfg", "me/p/sub/x"]));
        Assert.That(Read("p/sub/x"), Is.EqualTo("x"));
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("@example.org")]
    public async Task Upload_ProjectOfNobody_IsUnknowns(string? username)
    {
        var upload = Tree("p", ("project.cfg", Text("cfg")));
        upload["username"] = username;
        Assert.That(await UploadAsync(upload), IsDone);
        Assert.That(File.ReadAllText(Path.Combine(Projects, "unknown/p/project.cfg")), Is.EqualTo("cfg"));
    }

    [TestCase("/")]
    [TestCase("..")]
    [TestCase(".")]
    [TestCase("../work-evil")]
    [TestCase("a/b")]
    [TestCase("..@example.org")]
    [TestCase("a\0b")]
    public async Task Upload_ProjectOwnerThatIsNoName_FailsAndChangesNothing(string username)
    {
        var before = Snapshot();
        var upload = Tree("work-evil", ("project.cfg", Text("cfg")));
        upload["username"] = username;
        Assert.That((await UploadAsync(upload)).Status, Is.EqualTo(UploadStatus.Failed));
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [Test]
    public async Task Upload_ProjectThatCannotBeReplaced_KeepsTheOldDirectoryToo()
    {
        await UploadAsync(Tree("p", ("old", Text("old"))));
        Directory.CreateDirectory(Path.Combine(Projects, "unknown"));
        File.WriteAllText(Path.Combine(Projects, "unknown/p"), "a file");
        var before = Snapshot();
        Assert.That((await UploadAsync(Tree("p", ("project.cfg", Text("cfg"))))).Status, Is.EqualTo(UploadStatus.Failed));
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [Test]
    public async Task Upload_ProjectCfgBelowTheTop_IsNoProject()
    {
        await UploadAsync(Tree("p", ("sub/project.cfg", Text("cfg"))));
        Assert.That(Directory.Exists(Projects), Is.False);
    }

    [Test]
    public async Task Upload_UserInTheObject_CountsWhereTheAskerSaysNone()
    {
        var upload = new JsonObject { ["name"] = "p", ["files"] = new JsonObject(), ["user"] = "no-such-user" };
        Assert.That((await UploadAsync(upload)).Status, Is.EqualTo(UploadStatus.Failed));
        Assert.That((await UploadAsync(upload, Environment.UserName)).Status, Is.EqualTo(UploadStatus.Done));
    }
}
