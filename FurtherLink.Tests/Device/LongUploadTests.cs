using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using FurtherLink.Device;
using FurtherLink.Processes;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.Options;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Tests.Device;

/// <summary>Uploads whose contents are written while they come.</summary>
[TestFixture]
internal sealed class LongUploadTests : UploadFixture
{
    private const int Long = 200_001;

    // Every kind of character and escape, more than a whole number of them in what is written at once.
    private static readonly string Rich = Repeat("a line with \"quotes\", \\, \t, é, € and 😀\n", Long);

    [Test]
    public async Task Upload_OfLongContents_IsExactlyWhatWasSentHoweverItIsCut([Values] bool named)
    {
        var seed = Random.Shared.Next();
        await TestContext.Out.WriteLineAsync($"Seed {seed}");
        var random = new Random(seed);
        var bytes = new byte[Long];
        random.NextBytes(bytes);
        var upload = Tree("p", ("text", Text(Rich)), ("sub/bytes", Bytes(bytes)), ("short", Text("short")), ("plain", Text(new string('x', Long))));
        if (named)
            upload["user"] = Environment.UserName;

        var outcome = await SendAsync(Store, upload.ToJsonString(), () => random.Next(1, 20_000));

        Assert.That(outcome.Status, Is.EqualTo(UploadStatus.Done), outcome.Reason);
        Assert.That(Read("p/text") == Rich, Is.True);
        Assert.That(File.ReadAllBytes(Path.Combine(Work, "p/sub/bytes")).AsSpan().SequenceEqual(bytes), Is.True);
        Assert.That(Read("p/short"), Is.EqualTo("short"));
        Assert.That(Read("p/plain") == new string('x', Long), Is.True);
        Assert.That(Shell.Read(Work, "stat -c '%a %U %h' p/text p/sub/bytes p/plain | sort -u"), Is.EqualTo(Shell.Read(Work, "stat -c '%a %U %h' p/short")));
        Assert.That(Directory.EnumerateFileSystemEntries(Work).Select(Path.GetFileName), Is.EqualTo(["p"]));
    }

    [Test]
    public async Task Upload_OfManyLongContents_HasThemAll()
    {
        var files = Enumerable.Range(0, 20).Select(i => ($"f{i}", Text($"{i}" + new string('x', 70_000)))).ToArray();
        Assert.That((await SendAsync(Store, Tree("p", files).ToJsonString())).Status, Is.EqualTo(UploadStatus.Done));
        foreach (var i in Enumerable.Range(0, 20))
            Assert.That(Read($"p/f{i}") == $"{i}" + new string('x', 70_000), Is.True);
    }

    [Test]
    public void Body_OfALongContent_KeepsLittleInMemory()
    {
        var json = Encoding.UTF8.GetBytes(Tree("p", ("a", Text(Rich)), ("b", Text("short"))).ToJsonString());
        using var body = new UploadBody(MakeFile, json.Length);
        foreach (var piece in json.Chunk(4096))
            body.Take(piece);
        Assert.That(Encoding.UTF8.GetString(body.Json.Span), Is.EqualTo(Tree("p", ("a", Text("")), ("b", Text("short"))).ToJsonString()));
        Assert.That(body.Contents.Single().Value.Length, Is.EqualTo(Encoding.UTF8.GetByteCount(Rich)));
    }

    [TestCase("""{"name":"p","files":{"a":{"content":{"text":"LONG"},"type":"text"}}}""")]
    [TestCase("""{"files":{"a":{"content":{"text":"no","text":"LONG"},"type":"text"}},"name":"p"}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":{"text":"NO"}},"a":{"type":"text","content":{"text":"LONG","base64":"NO"}}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"base64","content":{"base64":"x","text":"NO"}}},"files":{"a":{"type":"text","content":{"text":"LONG"}}}}""")]
    [TestCase("""{"name":"p","more":{"a":{"b":{"text":"NO"}}},"text":"NO","files":{"a":{"type":"text", "content" : { "\u0074ext" : "LONG" } } } }""")]
    [TestCase("""{"name":"p","more":["NO",["NO",{"text":"NO"}]],"files":{"a":{"type":"text","content":{"text":"LONG","more":"NO"}}}}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":{"text":"LONG"}},"b":{"type":"text","content":{"text":"\ud800NO"}},"b":{"type":"url","content":{"url":"http://127.0.0.1:1/","bucketName":"b","fileName":"f","text":"NO"}}}}""")]
    public async Task Upload_SaidInAnyOrder_TakesTheLongContentThatCounts(string json)
    {
        json = json.Replace("LONG", new string('L', Long), StringComparison.Ordinal).Replace("NO", new string('N', Long), StringComparison.Ordinal);
        var outcome = await SendAsync(Store, json);
        Assert.That(outcome.Status, Is.EqualTo(UploadStatus.Done), outcome.Reason);
        Assert.That(Read("p/a") == new string('L', Long), Is.True);
    }

    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":{"text":"LONG\ud800"}}}}""", UploadStatus.Failed, "half a surrogate pair")]
    [TestCase("""{"name":"p","files":{"a":{"type":"base64","content":{"base64":"LONG!"}}}}""", UploadStatus.Invalid, "\"a\" is not base64")]
    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":{"text":"LONG\x"}}}}""", UploadStatus.Invalid, "not JSON")]
    [TestCase("{\"name\":\"p\",\"files\":{\"a\":{\"type\":\"text\",\"content\":{\"text\":\"LONG\n\"}}}}", UploadStatus.Invalid, "not JSON")]
    [TestCase("{\"name\":\"p\",\"files\":{\"a\":{\"type\":\"text\",\"content\":{\"text\":\"LONG\xff\"}}}}", UploadStatus.Invalid, "not UTF-8")]
    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":{"text":"LONG"}}}""", UploadStatus.Invalid, "not JSON")]
    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":{"text":"LONG""", UploadStatus.Invalid, "not JSON")]
    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":{"text":"LONG"}},"b":{"type":"no","content":{}}}}""", UploadStatus.Invalid, "type")]
    [TestCase("""{"name":"../p","files":{"a":{"type":"text","content":{"text":"LONG"}}}}""", UploadStatus.Failed, "forbidden")]
    [TestCase("""{"name":"p","files":{"../a":{"type":"text","content":{"text":"LONG"}}}}""", UploadStatus.Failed, "forbidden")]
    [TestCase("""{"name":"p","user":"no-such-user","files":{"a":{"type":"text","content":{"text":"LONG"}}}}""", UploadStatus.Failed, "no user")]
    public async Task Upload_OfALongContentThatIsRefused_ChangesNothing(string json, UploadStatus status, string reason)
    {
        await UploadAsync(Tree("p", ("old", Text("old"))));
        var before = Snapshot();
        var outcome = await SendAsync(Store, json.Replace("LONG", new string('A', 200_000), StringComparison.Ordinal), encoding: Encoding.Latin1);
        Assert.That(outcome.Status, Is.EqualTo(status), outcome.Reason);
        Assert.That(outcome.Reason, Does.Contain(reason));
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [Test]
    public async Task Upload_CutInTheMiddle_IsSeenNowhereAndLeavesNothing()
    {
        await UploadAsync(Tree("p", ("old", Text("old"))));
        var before = Snapshot();
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var upload = Store.UploadAsync(pipe.Reader, 50_000_000, null, CancellationToken.None);
        await pipe.Writer.WriteAsync("""{"name":"p","files":{"a":{"type":"text","content":{"text":" """u8.ToArray());
        for (var i = 0; i < 100; i++)
            await pipe.Writer.WriteAsync(Enumerable.Repeat((byte)'x', 10_000).ToArray());
        Assert.That(Snapshot(), Is.EqualTo(before));

        await pipe.Writer.CompleteAsync(new IOException("broken off"));
        Assert.That(async () => await upload.WaitAsync(Patience.Long), Throws.InstanceOf<IOException>().With.Message.Contains("broken off"));
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [Test]
    public async Task Upload_ThroughAPipeThatHoldsLittle_Ends()
    {
        // Less than is read at once: what has been looked at must not hold up what follows.
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 4096, resumeWriterThreshold: 2048));
        var upload = Store.UploadAsync(pipe.Reader, null, null, CancellationToken.None);
        foreach (var piece in Encoding.UTF8.GetBytes(Tree("p", ("a", Text(Rich))).ToJsonString()).Chunk(10_000))
            await pipe.Writer.WriteAsync(piece).AsTask().WaitAsync(Patience.Long);
        await pipe.Writer.CompleteAsync();
        Assert.That((await upload.WaitAsync(Patience.Long)).Status, Is.EqualTo(UploadStatus.Done));
        Assert.That(Read("p/a") == Rich, Is.True);
    }

    [Test]
    public async Task Upload_TooLargeOnceItIsBeingWritten_IsRefusedAndLeavesNothing()
    {
        Options.MaxUpload = 1_000_000;
        await UploadAsync(Tree("p", ("old", Text("old"))));
        var before = Snapshot();
        var outcome = await SendAsync(Store, Tree("p", ("a", Text(new string('x', 1_000_000)))).ToJsonString());
        Assert.That(outcome.Status, Is.EqualTo(UploadStatus.TooLarge));
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [Test]
    public async Task Upload_ToAFullDisk_FailsWithTheReasonAndChangesNothing()
    {
        using var store = StoreOver(static () => File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write));
        await UploadAsync(Tree("p", ("old", Text("old"))));
        var before = Snapshot();
        var outcome = await SendAsync(store, Tree("p", ("a", Text(Rich))).ToJsonString());
        Assert.That(outcome.Status, Is.EqualTo(UploadStatus.Failed));
        Assert.That(outcome.Reason, Does.Contain("No space left").IgnoreCase.Or.Contain("full").IgnoreCase);
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [Test]
    public async Task Upload_WhereNoFileCanWait_IsKeptInMemory()
    {
        using var store = StoreOver(static () => null);
        Assert.That((await SendAsync(store, Tree("p", ("a", Text(Rich)), ("b", Bytes(new byte[Long])), ("c", Text(Rich))).ToJsonString())).Status, Is.EqualTo(UploadStatus.Done));
        Assert.That(Read("p/a") == Rich && Read("p/c") == Rich, Is.True);
        Assert.That(File.ReadAllBytes(Path.Combine(Work, "p/b")), Has.Length.EqualTo(Long).And.All.Zero);
    }

    [Test]
    public async Task Upload_ThatWaitedWhereItCannotBeMovedFrom_IsCopied()
    {
        // A file whose names are gone can get none again.
        using var store = StoreOver(MakeFile);
        Assert.That((await SendAsync(store, Tree("p", ("a", Text(Rich))).ToJsonString())).Status, Is.EqualTo(UploadStatus.Done));
        Assert.That(Read("p/a") == Rich, Is.True);
    }

    [Test]
    public async Task Upload_OfAProjectWithALongContent_HasTwoFilesOfIt()
    {
        Assert.That((await SendAsync(Store, Tree("p", ("project.cfg", Text("cfg")), ("a", Text(Rich))).ToJsonString())).Status, Is.EqualTo(UploadStatus.Done));
        var copy = Path.Combine(Projects, "unknown/p/a");
        Assert.That(Read("p/a") == Rich && File.ReadAllText(copy) == Rich, Is.True);
        await File.WriteAllTextAsync(copy, "changed");
        Assert.That(Read("p/a") == Rich, Is.True);
    }

    [Test]
    public async Task Upload_WorkDirectoryMissing_IsMadeOnlyByOneThatIsCarriedOut()
    {
        Directory.Delete(Work);
        var json = Tree("p", ("a", Text(Rich))).ToJsonString();
        Assert.That((await SendAsync(Store, json[..^1])).Status, Is.EqualTo(UploadStatus.Invalid));
        Assert.That(Directory.Exists(Work), Is.False);
        Assert.That((await SendAsync(Store, json)).Status, Is.EqualTo(UploadStatus.Done));
        Assert.That(Read("p/a") == Rich, Is.True);
    }

    [Test]
    public async Task Upload_OfALongContentForAnotherUser_IsTheirsAndInTheDirectorysGroup([Values] bool inObject)
    {
        Assume.That(Environment.UserName, Is.EqualTo("root"), "only root may give files away");
        var daemon = UserAccount.TryFind("daemon")! with { Home = Base };
        var root = UserAccount.TryFind("root")!;
        using var store = new FileStore(new OptionsWrapper<LinkOptions>(Options), null, null, name => name == "daemon" ? daemon : root);
        var upload = Tree("p", ("a", Text(Rich)));
        if (inObject)
            upload["user"] = "daemon";
        Assert.That((await SendAsync(store, upload.ToJsonString(), user: inObject ? null : "daemon")).Status, Is.EqualTo(UploadStatus.Done));
        Assert.That(Shell.Read(Work, "stat -c '%U %G' p/a"), Is.EqualTo("daemon daemon"));

        Assert.That(Shell.Run(Work, "mkdir g && chgrp daemon g && chmod g+s g"), Is.Zero);
        Assert.That((await SendAsync(store, Tree("g/p", ("a", Text(Rich))).ToJsonString())).Status, Is.EqualTo(UploadStatus.Done));
        Assert.That(Shell.Read(Work, "stat -c '%U %G' g/p/a"), Is.EqualTo("root daemon"));
    }

    private static string Repeat(string text, int length) => string.Concat(Enumerable.Repeat(text, (length / text.Length) + 1))[..length] + ".";

    private FileStore StoreOver(Func<SafeFileHandle?> makesFile) => new(new OptionsWrapper<LinkOptions>(Options)) { MakesFile = makesFile };

    private SafeFileHandle MakeFile()
    {
        var path = Path.Combine(Base, Path.GetRandomFileName());
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);
        File.Delete(path);
        return file;
    }

    private static async Task<UploadOutcome> SendAsync(FileStore store, string json, Func<int>? piece = null, string? user = null, Encoding? encoding = null)
    {
        var bytes = (encoding ?? Encoding.UTF8).GetBytes(json);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var upload = store.UploadAsync(pipe.Reader, null, user, CancellationToken.None);
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(piece?.Invoke() ?? 4096, bytes.Length - at);
            pipe.Writer.Write(bytes.AsSpan(at, length));
            at += length;
            if ((await pipe.Writer.FlushAsync()).IsCompleted || upload.IsCompleted)
                break;
        }
        await pipe.Writer.CompleteAsync();
        return await upload.WaitAsync(Patience.Long);
    }
}
