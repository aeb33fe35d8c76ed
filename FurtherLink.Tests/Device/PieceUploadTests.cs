using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FurtherLink.Device;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Security;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.Options;

namespace FurtherLink.Tests.Device;

/// <summary>Uploads in pieces over a connection: whole or not at all, in order, confined, and gone with who began them.</summary>
internal sealed class PieceUploadTests
{
    private TestHost _host = null!;
    private FurtherTestClient _client = null!;

    private string Work => Path.Combine(_host.Folder, "work");

    [SetUp]
    public void SetUp()
    {
        _host = new TestHost(configure: options => options.MaxUpload = 1_000_000);
        _client = _host.Connect();
    }

    [TearDown]
    public async Task TearDown()
    {
        await _client.DisposeAsync();
        await _host.DisposeAsync();
    }

    [Test]
    public async Task Files_InPieces_AreThereAtTheEnd()
    {
        var upload = await BeginAsync("a/project");
        Assert.That(await AddAsync(new { upload, path = "bin/run", text = "#!/bin/sh\n", executable = true }), Is.EqualTo(10));
        Assert.That(await AddAsync(new { upload, path = "data", base64 = Convert.ToBase64String([0, 0xFF]) }), Is.EqualTo(12));
        Assert.That(await AddAsync(new { upload, path = "empty", text = "" }), Is.EqualTo(12));
        Assert.That(await AddAsync(new { upload, path = "bin/run", base64 = Convert.ToBase64String("echo é\n"u8) }), Is.EqualTo(20));
        Assert.That(Directory.Exists(Path.Combine(Work, "a/project")), Is.False, "nothing is seen before the end");

        await _client.SendAsync("uploadEnd", null, new { upload });
        Assert.That((bool)(await _client.UntilAsync("uploaded"))["data"]!["fetchedUrls"]!);
        var folder = Path.Combine(Work, "a/project");
        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllText(Path.Combine(folder, "bin/run")), Is.EqualTo("#!/bin/sh\necho é\n"));
            Assert.That(File.ReadAllBytes(Path.Combine(folder, "data")), Is.EqualTo(new byte[] { 0, 0xFF }));
            Assert.That(new FileInfo(Path.Combine(folder, "empty")).Length, Is.Zero);
            Assert.That(File.GetUnixFileMode(Path.Combine(folder, "bin/run")).HasFlag(UnixFileMode.UserExecute));
            Assert.That(File.GetUnixFileMode(Path.Combine(folder, "data")).HasFlag(UnixFileMode.UserExecute), Is.False);
            Assert.That(Directory.GetFileSystemEntries(Path.Combine(Work, "a")), Has.Length.EqualTo(1), "nothing is left beside it");
        });

        await _client.SendAsync("start", "1", new { runner = "exec", path = "a/project/bin/run" });
        Assert.That((await _client.RunAsync("1")).Output, Is.EqualTo("é\n"));
    }

    [Test]
    public async Task Pieces_SentAtOnce_AreTakenInOrder()
    {
        var ids = new[] { await BeginAsync("one"), await BeginAsync("two") };
        const int Count = 400;
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < Count; i++)
            {
                foreach (var upload in ids)
                    await _client.SendAsync("uploadFile", null, new { upload, path = $"file{i % 3}", text = $"{upload}:{i}\n" });
            }

            foreach (var upload in ids)
                await _client.SendAsync("uploadEnd", null, new { upload });
        });
        for (var answers = 0; answers < (Count * 2) + 2; answers++)
            Assert.That((string?)(await _client.NextAsync())!["type"], Is.EqualTo("upload").Or.EqualTo("uploaded"));
        await sending;
        foreach (var (name, upload) in new[] { ("one", ids[0]), ("two", ids[1]) })
        {
            for (var file = 0; file < 3; file++)
            {
                var lines = Enumerable.Range(0, Count).Where(i => i % 3 == file).Select(i => $"{upload}:{i}");
                Assert.That(File.ReadAllLines(Path.Combine(Work, name, $"file{file}")), Is.EqualTo(lines));
            }
        }
    }

    [Test]
    public async Task Directory_ThatIsThere_StaysUntilTheEnd([Values("uploadEnd", "uploadCancel", "cut")] string end)
    {
        Directory.CreateDirectory(Path.Combine(Work, "project"));
        await File.WriteAllTextAsync(Path.Combine(Work, "project", "old"), "old");
        var upload = await BeginAsync("project");
        await AddAsync(new { upload, path = "new", text = "new" });
        Assert.That(Entries("project"), Is.EqualTo(new[] { "old" }));
        if (end == "cut")
        {
            await _client.Wire.CutAsync();
        }
        else
        {
            await _client.SendAsync(end, null, new { upload });
            await _client.UntilAsync(end == "uploadEnd" ? "uploaded" : "upload");
        }

        await Patience.UntilAsync(() => Directory.GetFileSystemEntries(Work).Length == 1, "nothing is left beside the directory");
        Assert.That(Entries("project"), Is.EqualTo(new[] { end == "uploadEnd" ? "new" : "old" }));
    }

    [Test]
    public async Task Uploads_MoreThanFour_WaitForAnEnd()
    {
        for (var i = 0; i < 4; i++)
            await BeginAsync($"d{i}");
        await AssertRefusedAsync("uploadBegin", new { name = "d4" }, "limited");
        await using (var another = _host.Connect())
        {
            await another.SendAsync("uploadBegin", null, new { name = "d4" });
            await another.UntilAsync("upload");
        }

        await _client.SendAsync("uploadCancel", null, new { upload = "u2" });
        Assert.That((string?)(await _client.UntilAsync("upload"))["data"]!["upload"], Is.EqualTo("u2"));
        await AssertRefusedAsync("uploadCancel", new { upload = "u2" }, "notFound");
        await BeginAsync("d4");
    }

    [TestCase("{\"path\":\"b\",\"base64\":\"?\"}", "badValue")]
    [TestCase("{\"path\":\"b\"}", "badMessage")]
    [TestCase("{\"path\":\"../b\",\"text\":\"\"}", "failed")]
    [TestCase("{\"path\":\"/b\",\"text\":\"\"}", "failed")]
    [TestCase("{\"path\":\"b/\",\"text\":\"\"}", "failed")]
    [TestCase("{\"path\":\"\",\"text\":\"\"}", "failed")]
    [TestCase("{\"path\":\"b\\u0000\",\"text\":\"\"}", "failed")]
    [TestCase("{\"path\":\"a/b\",\"text\":\"\"}", "failed")]
    [TestCase("{\"path\":\"d\",\"text\":\"\"}", "failed")]
    public async Task Piece_ThatCannotBeTaken_EndsItsUpload(string piece, string code)
    {
        var upload = await BeginAsync("project");
        await AddAsync(new { upload, path = "a", text = "x" });
        await AddAsync(new { upload, path = "d/e", text = "x" });
        var data = JsonNode.Parse(piece)!.AsObject();
        data["upload"] = upload;
        await AssertRefusedAsync("uploadFile", data, code);
        await AssertRefusedAsync("uploadFile", new { upload, path = "a", text = "y" }, "notFound");
        await AssertRefusedAsync("uploadEnd", new { upload }, "notFound");
        Assert.That(Directory.GetFileSystemEntries(Work), Is.Empty);
        Assert.That(Directory.GetFileSystemEntries(_host.Folder).Select(Path.GetFileName), Is.EquivalentTo(new[] { "work", "tmp" }));
    }

    [Test]
    public async Task Upload_LargerThanItMayBe_IsRefused()
    {
        var upload = await BeginAsync("project");
        Assert.That(await AddAsync(new { upload, path = "a", text = new string('x', 600_000) }), Is.EqualTo(600_000));
        Assert.That(await AddAsync(new { upload, path = "b", text = new string('x', 400_000) }), Is.EqualTo(1_000_000));
        await AssertRefusedAsync("uploadFile", new { upload, path = "a", text = "x" }, "limited");
        Assert.That(Directory.GetFileSystemEntries(Work), Is.Empty);
    }

    [Test]
    public void Upload_OfMoreFilesThanItMayHave_IsRefused()
    {
        using var store = new FileStore(_host.Get<IOptions<LinkOptions>>()) { MaxFiles = 3 };
        using var upload = store.Begin("project", null);
        foreach (var path in new[] { "a", "b", "a", "c/d", "b" })
            upload.Append(path, "x"u8, executable: false);
        var refused = Assert.Throws<LinkException>(() => upload.Append("e", "x"u8, executable: false));
        Assert.That(refused!.Code, Is.EqualTo(FailureCode.Limited));
        Assert.That((upload.Files, upload.Bytes), Is.EqualTo((3, 5L)));
    }

    [TestCase("link")]
    [TestCase("hard link")]
    [TestCase("pipe")]
    public void File_PutThereBySomebodyElse_IsNotWrittenTo(string kind)
    {
        var outside = Path.Combine(_host.Folder, "outside");
        File.WriteAllText(outside, "kept");
        using var upload = _host.Get<FileStore>().Begin("project", null);
        upload.Append("other", "x"u8, executable: false);
        var staged = Directory.GetDirectories(Work).Single();
        if (kind == "link")
            File.CreateSymbolicLink(Path.Combine(staged, "a"), outside);
        else
            Assert.That(Shell.Run(staged, kind == "pipe" ? "mkfifo a" : $"ln {outside} a"), Is.Zero);
        Assert.Throws<IOException>(() => upload.Append("a", "evil"u8, executable: true));
        Assert.That(File.ReadAllText(outside), Is.EqualTo("kept"));
    }

    [Test]
    public void Files_OfAnotherUser_AreGivenToThem()
    {
        Assume.That(Environment.UserName, Is.EqualTo("root"), "only root can give files away");
        using var store = new FileStore(_host.Get<IOptions<LinkOptions>>(), null, null, _ => UserAccount.TryFind("daemon")! with { Home = _host.Folder });
        using (var upload = store.Begin("p", "daemon"))
        {
            upload.Append("sub/x", "one"u8, executable: false);
            upload.Append("y", "two"u8, executable: true);
            upload.Append("sub/x", "three"u8, executable: false);
            store.Finish(upload);
        }

        Assert.That(Shell.Read(Work, "stat -c %U p p/sub p/sub/x p/y; cat p/sub/x"), Is.EqualTo("daemon\ndaemon\ndaemon\ndaemon\nonethree"));
    }

    [TestCase("{\"name\":\"../x\"}", "failed")]
    [TestCase("{\"name\":\"/x\"}", "failed")]
    [TestCase("{\"name\":\"\"}", "failed")]
    [TestCase("{\"name\":\".flcache/x\"}", "failed")]
    [TestCase("{\"name\":\"x\",\"user\":\"no-such-user\"}", "failed")]
    [TestCase("{\"name\":1}", "badMessage")]
    public async Task Name_ThatCannotBe_IsRefusedAtOnce(string data, string code)
    {
        await AssertRefusedAsync("uploadBegin", JsonNode.Parse(data)!, code);
        Assert.That(Directory.GetFileSystemEntries(Work), Is.Empty);
        for (var i = 0; i < 4; i++)
            await BeginAsync($"d{i}");
    }

    [Test]
    public async Task Uploads_OfWhoMayOnlyView_AreDenied()
    {
        await using var viewer = new FurtherTestClient(new MemoryWire(_host.Server, pipe => new LinkConnection("viewer", "further", pipe)
        {
            Principal = Rights.Grant("viewer", Access.View),
        }));
        await viewer.Wire.SendAsync("{\"type\":\"uploadBegin\",\"data\":{\"name\":\"x\"},\"ref\":\"1\"}");
        Assert.That((string?)(await viewer.NextAsync())!["data"]!["code"], Is.EqualTo("denied"));
    }

    private string?[] Entries(string name) => [.. Directory.GetFileSystemEntries(Path.Combine(Work, name)).Select(Path.GetFileName)];

    private async Task<string> BeginAsync(string name)
    {
        await _client.SendAsync("uploadBegin", null, new { name });
        var data = (await _client.NextAsync())!["data"]!;
        Assert.That((long?)data["bytes"], Is.Zero, data.ToJsonString());
        return (string)data["upload"]!;
    }

    private async Task<long> AddAsync(object piece)
    {
        await _client.SendAsync("uploadFile", null, piece);
        var answer = (await _client.NextAsync())!;
        Assert.That((string?)answer["type"], Is.EqualTo("upload"), answer.ToJsonString());
        return (long)answer["data"]!["bytes"]!;
    }

    private async Task AssertRefusedAsync(string type, object data, string code)
    {
        await _client.Wire.SendAsync(Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(new { type, data, @ref = "r" })));
        var error = (await _client.NextAsync())!;
        Assert.That(((string?)error["type"], (string?)error["ref"], (string?)error["data"]!["code"]), Is.EqualTo(("error", "r", code)), error.ToJsonString());
    }
}
