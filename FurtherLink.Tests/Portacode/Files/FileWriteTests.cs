using System.Text.Json.Nodes;
using FurtherLink.Tests.Device;

namespace FurtherLink.Tests.Portacode.Files;

[TestFixture]
internal sealed class FileWriteTests : FilesFixture
{
    private static JsonObject Arguments(string path, string content) => new() { ["path"] = path, ["content"] = content };

    private Task<JsonObject> WriteAsync(string path, string content) => AskAsync("file_write", Arguments(path, content));

    private Task<string> RefusedAsync(string path) => RefusalAsync("file_write", Arguments(path, "x"));

    private static ulong Inode(string path) => ulong.Parse(Shell.Read("/", $"stat -c %i '{path}'"));

    [TestCase("")]
    [TestCase("a\r\nb\rc\n")]
    [TestCase("\uFEFFä€😀\0")]
    public async Task Write_NewFileInMissingFolders_IsMadeWithTheContent(string content)
    {
        var path = In("a/b/f");
        var answer = await WriteAsync(path, content);
        var expected = new JsonObject { ["path"] = path, ["bytes_written"] = Utf8.GetByteCount(content), ["success"] = true };
        Assert.That(answer.ToJsonString(), Is.EqualTo(expected.ToJsonString()));
        Assert.That(Read("a/b/f"), Is.EqualTo(content));
        Assert.That(Names(), Is.EqualTo(new[] { "a/", "a/b/", "a/b/f" }));
    }

    [Test]
    public async Task Write_NewFile_HasTheRightsThatTheUmaskLeaves()
    {
        await WriteAsync(In("f"), "x");
        Assert.That(Shell.Run(Folder, "> expected"), Is.Zero);
        Assert.That(Mode(In("f")), Is.EqualTo(Mode(In("expected"))));
    }

    [Test]
    public async Task Write_ExistingFile_IsReplacedAtOnceWithModeAndOwner()
    {
        var path = Write("f", "a much longer old content");
        SetMode(path, "640");
        if (Environment.IsPrivilegedProcess)
            Assert.That(Shell.Run(Folder, "chown 65534:7 f"), Is.Zero);
        var owner = Shell.Read(Folder, "stat -c %u:%g f");
        // Who has it open goes on reading the old content: that is how one sees that it was not truncated.
        using var reader = File.OpenText(path);
        await WriteAsync(path, "new");
        Assert.That((await reader.ReadToEndAsync(), Read("f")), Is.EqualTo(("a much longer old content", "new")));
        Assert.That((Mode(path), Shell.Read(Folder, "stat -c %u:%g f")), Is.EqualTo(("640", owner)));
        Assert.That(Names(), Is.EqualTo(new[] { "f" }));
    }

    [Test]
    public async Task Write_FileWithSetIdBits_LosesThem()
    {
        var path = Write("f", "old");
        SetMode(path, "6755");
        await WriteAsync(path, "new");
        Assert.That(Mode(path), Is.EqualTo("755"));
    }

    [Test]
    public async Task Write_ThroughLinks_ReplacesWhatTheyLeadTo()
    {
        Write("real/f", "old");
        Link("one", "real/two");
        Link("real/two", "f");
        await WriteAsync(In("one"), "new");
        Assert.That(Read("real/f"), Is.EqualTo("new"));
        Assert.That(Names(), Is.EqualTo(new[] { "one", "real/", "real/f", "real/two" }));
        Assert.That((new FileInfo(In("one")).LinkTarget, new FileInfo(In("real/two")).LinkTarget), Is.EqualTo(("real/two", "f")));
    }

    [Test]
    public async Task Write_ThroughALinkThatLeadsNowhere_MakesItsTarget()
    {
        Link("link", "new/f");
        await WriteAsync(In("link"), "x");
        Assert.That(Read("new/f"), Is.EqualTo("x"));
        Assert.That(new FileInfo(In("link")).LinkTarget, Is.EqualTo("new/f"));
    }

    [Test]
    public async Task Write_FileWithTwoNames_ChangesBoth()
    {
        Write("f", "the old content");
        Assert.That(Shell.Run(Folder, "ln f g"), Is.Zero);
        await WriteAsync(In("f"), "new");
        Assert.That((Read("f"), Read("g")), Is.EqualTo(("new", "new")));
    }

    [Test]
    public void Write_FileInAFolderThatMayNotBeWritten_IsWrittenInPlace()
    {
        var path = Write("closed/f", "the old content");
        SetMode(path, "666");
        SetMode(In("closed"), "555");
        try
        {
            var inode = Inode(path);
            var answer = AsNobody(() => Actions.Write(Request(Arguments(path, "new"))));
            Assert.That((int?)answer["bytes_written"], Is.EqualTo(3));
            Assert.That((Read("closed/f"), Inode(path), Mode(path)), Is.EqualTo(("new", inode, "666")));
        }
        finally
        {
            SetMode(In("closed"), "755");
        }
    }

    [Test]
    public void Write_FileOfAnotherInAFolderThatMayBeWritten_KeepsItsOwner()
    {
        var path = Write("open/f", "the old content");
        SetMode(path, "666");
        SetMode(In("open"), "777");
        var owner = Shell.Read(Folder, "stat -c %u:%g open/f");
        AsNobody(() => Actions.Write(Request(Arguments(path, "new"))));
        Assert.That((Read("open/f"), Shell.Read(Folder, "stat -c %u:%g open/f")), Is.EqualTo(("new", owner)));
        Assert.That(Names(), Is.EqualTo(new[] { "open/", "open/f" }));
    }

    [Test]
    public void Write_WithoutRights_IsDeniedAndChangesNothing()
    {
        var file = Write("open/f", "old");
        SetMode(file, "444");
        SetMode(In("open"), "777");
        MakeDirectory("closed");
        SetMode(In("closed"), "555");
        foreach (var path in new[] { file, In("closed/f"), In("closed/a/f") })
            Assert.That(RefusalAsNobody(() => Actions.Write(Request(Arguments(path, "x")))), Is.EqualTo($"Permission denied: {path}"));
        SetMode(In("closed"), "755");
        Assert.That(Read("open/f"), Is.EqualTo("old"));
        Assert.That(Names(), Is.EqualTo(new[] { "closed/", "open/", "open/f" }));
    }

    [Test]
    public async Task Write_Device_IsWrittenAndStaysOne()
    {
        Assert.That((int?)(await WriteAsync("/dev/null", "gone"))["bytes_written"], Is.EqualTo(4));
        Assert.That(Shell.Run("/", "test -c /dev/null"), Is.Zero);
        Link("link", "/dev/null");
        await WriteAsync(In("link"), "gone");
        Assert.That(new FileInfo(In("link")).LinkTarget, Is.EqualTo("/dev/null"));
        Assert.That(await RefusedAsync("/dev/full"), Is.EqualTo("Failed to write file: [Errno 28] No space left on device: '/dev/full'"));
    }

    [Test]
    public async Task Write_PipeThatNobodyReads_IsRefusedWithoutWaiting()
    {
        var path = Pipe("pipe");
        Assert.That(await RefusedAsync(path), Is.EqualTo($"Failed to write file: [Errno 6] No such device or address: '{path}'"));
    }

    [Test]
    public async Task Write_WhereNoFileCanBe_SaysWhy()
    {
        Assert.That(await RefusedAsync(Folder), Is.EqualTo($"Failed to write file: [Errno 21] Is a directory: '{Folder}'"));
        var below = Path.Join(Write("f", "x"), "below");
        Assert.That(await RefusedAsync(below), Is.EqualTo($"Failed to write file: [Errno 20] Not a directory: '{below}'"));
        var circle = Link("circle", "circle");
        Assert.That(await RefusedAsync(circle), Does.Contain("[Errno 40]"));
        Assert.That(Names(), Is.EqualTo(new[] { "circle", "f" }));
    }

    [Test]
    public async Task Write_FileOfTheSystemThatMayNotBeReplaced_IsWrittenInPlaceOrDenied()
    {
        // A file of /proc has no room beside it, and this one takes no writing.
        Assert.That(await RefusedAsync("/proc/version"), Is.EqualTo("Permission denied: /proc/version").Or.StartWith("Failed to write file: [Errno "));
        var name = $"/proc/{Environment.ProcessId}/comm";
        var old = await File.ReadAllTextAsync(name);
        await WriteAsync(name, "renamed");
        Assert.That(await File.ReadAllTextAsync(name), Is.EqualTo("renamed\n"));
        await WriteAsync(name, old.TrimEnd());
    }

    [TestCase("{}", "path parameter is required")]
    [TestCase("""{"path":1,"content":""}""", "path parameter must be a string")]
    [TestCase("""{"path":"/tmp/f"}""", "content parameter is required")]
    [TestCase("""{"path":"/tmp/f","content":null}""", "content parameter is required")]
    [TestCase("""{"path":"/tmp/f","content":5}""", "content parameter must be a string")]
    [TestCase("""{"path":"/tmp/f","content":"\ud800"}""", "content parameter is not valid Unicode")]
    [TestCase("""{"path":"/tmp/f\u0000","content":""}""", "Invalid path: it holds a NUL character")]
    public void Write_ArgumentsThatMakeNoSense_AreRefused(string arguments, string words)
    {
        using var document = System.Text.Json.JsonDocument.Parse(arguments);
        var request = new FurtherLink.Transports.Portacode.PortacodeRequest("file_write", document.RootElement);
        Assert.That(Assert.Throws<FurtherLink.Messages.LinkException>(() => Actions.Write(request))!.Message, Is.EqualTo(words));
        Assert.That(File.Exists("/tmp/f"), Is.False);
    }

    [Test]
    public async Task Write_ByManyAtOnce_LeavesTheContentOfOne()
    {
        var path = In("f");
        var contents = Enumerable.Range(0, 16).Select(i => new string((char)('a' + i), 100_000)).ToArray();
        await Task.WhenAll(contents.Select(content => WriteAsync(path, content)));
        Assert.That(contents, Does.Contain(Read("f")));
        Assert.That(Names(), Is.EqualTo(new[] { "f" }));
    }
}
