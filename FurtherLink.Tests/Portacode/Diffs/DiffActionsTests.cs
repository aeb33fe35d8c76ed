using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Transports.Portacode.Diffs;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Tests.Portacode.Diffs;

[TestFixture]
internal sealed class DiffActionsTests
{
    private FileRig _rig = null!;
    private DiffActions _actions = null!;

    [SetUp]
    public void SetUp()
    {
        _rig = new FileRig();
        _actions = new DiffActions(new DevicePaths(null), _rig.Resolve);
        _rig.Write("p/one.txt", "a\nb\n"u8);
        _rig.Write("p/old.txt", "gone\n"u8);
        _rig.Write("p/from.txt", "moved\n"u8);
    }

    [TearDown]
    public void TearDown() => _rig.Dispose();

    private const string Everything = """
        --- a/one.txt
        +++ b/one.txt
        @@ -1,2 +1,2 @@
         a
        -b
        +<B> & "c"
        --- /dev/null
        +++ b/sub/new.txt
        @@ -0,0 +1 @@
        +ä
        --- a/old.txt
        +++ /dev/null
        @@ -1 +0,0 @@
        -gone
        --- a/to.txt
        +++ b/to.txt
        @@ -1 +1 @@
        -moved
        +changed
        @@move:from.txt -> to.txt@@

        """;

    [Test]
    public async Task Apply_SeveralFiles_ChangesThemAndSaysWhat()
    {
        var answer = await AskAsync("file_apply_diff", Everything);

        Assert.Multiple(() =>
        {
            Assert.That((string?)answer["status"], Is.EqualTo("success"));
            Assert.That((bool?)answer["success"], Is.True);
            Assert.That((string?)answer["base_path"], Is.EqualTo(_rig.Resolve("p")));
            Assert.That((int?)answer["files_changed"], Is.EqualTo(6));
            Assert.That(answer["results"]!.AsArray().Select(row => $"{row!["relative_path"]} {row["action"]} {row["bytes_written"]} {row["status"]}"), Is.EqualTo(new[]
            {
                "from.txt deleted 0 applied", "to.txt created 0 applied", "one.txt modified 12 applied", "sub/new.txt created 3 applied", "old.txt deleted 0 applied",
                "to.txt modified 8 applied",
            }));
            Assert.That((string?)answer["results"]![2]!["path"], Is.EqualTo(_rig.Resolve("p/one.txt")));
            Assert.That(_rig.Names(), Is.EqualTo(new[] { "p/", "p/one.txt", "p/sub/", "p/sub/new.txt", "p/to.txt" }));
            Assert.That(Encoding.UTF8.GetString(_rig.Read("p/one.txt")), Is.EqualTo("a\n<B> & \"c\"\n"));
            Assert.That(Encoding.UTF8.GetString(_rig.Read("p/to.txt")), Is.EqualTo("changed\n"));
        });
    }

    [Test]
    public async Task Preview_SeveralFiles_ChangesNothingAndEscapes()
    {
        var before = _rig.Names();
        var answer = await AskAsync("file_preview_diff", Everything);
        var previews = answer["previews"]!.AsArray();

        Assert.Multiple(() =>
        {
            Assert.That((string?)answer["status"], Is.EqualTo("success"));
            Assert.That(previews.Select(row => (string?)row!["status"]), Is.All.EqualTo("ready"));
            Assert.That(previews, Has.Count.EqualTo(6));
            Assert.That((string?)previews[2]!["html"], Does.Contain("+&lt;B&gt; &amp; &quot;c&quot;</pre>").And.Contain("diff-remove\">-b<"));
            Assert.That(_rig.Names(), Is.EqualTo(before));
            Assert.That(Encoding.UTF8.GetString(_rig.Read("p/one.txt")), Is.EqualTo("a\nb\n"));
        });
    }

    [Test]
    public async Task Preview_HostileNames_AreEscapedInErrorsToo()
    {
        var answer = await AskAsync("file_preview_diff", "--- a/<script>x\n+++ b/<script>x\n@@ -1 +1 @@\n-a\n+b\n");

        Assert.Multiple(() =>
        {
            Assert.That((string?)answer["status"], Is.EqualTo("failed"));
            Assert.That((string?)answer["error"], Does.StartWith("File not found: "));
            Assert.That((string?)answer["previews"]![0]!["status"], Is.EqualTo("error"));
            Assert.That((string?)answer["previews"]![0]!["html"], Does.Not.Contain("<script>").And.Contain("&lt;script&gt;"));
        });
    }

    [Test]
    public async Task Apply_OneOfTwoDoesNotFit_AppliesTheOtherAndNamesFileAndLine()
    {
        _rig.Write("p/two.txt", "x\n"u8);
        var answer = await AskAsync("file_apply_diff", "--- a/one.txt\n+++ b/one.txt\n@@ -1,2 +1,2 @@\n a\n-q\n+r\n--- a/two.txt\n+++ b/two.txt\n@@ -1 +1 @@\n-x\n+y\n");

        Assert.Multiple(() =>
        {
            Assert.That((string?)answer["status"], Is.EqualTo("partial_failure"));
            Assert.That((bool?)answer["success"], Is.False);
            Assert.That((int?)answer["files_changed"], Is.EqualTo(1));
            Assert.That((string?)answer["results"]![0]!["error"], Does.StartWith(_rig.Resolve("p/one.txt") + ": line 2: "));
            Assert.That((int?)answer["results"]![0]!["line"], Is.EqualTo(2));
            Assert.That(Encoding.UTF8.GetString(_rig.Read("p/one.txt")), Is.EqualTo("a\nb\n"));
            Assert.That(Encoding.UTF8.GetString(_rig.Read("p/two.txt")), Is.EqualTo("y\n"));
        });
    }

    [TestCase("--- /dev/null\n+++ b/one.txt\n@@ -0,0 +1 @@\n+a\n", "File already exists: ")]
    [TestCase("--- a/no.txt\n+++ b/no.txt\n@@ -1 +1 @@\n-a\n+b\n", "File not found: ")]
    [TestCase("--- a/one.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", "line 1: the file holds more than the diff takes away")]
    [TestCase("@@delete:no.txt@@\n", "File not found: ")]
    [TestCase("@@delete:dir@@\n", "Path is not a file: ")]
    [TestCase("@@move:no.txt -> x.txt@@\n", "File not found: ")]
    [TestCase("@@move:one.txt -> old.txt@@\n", "File already exists: ")]
    [TestCase("@@delete:forbidden@@\n", "Permission denied: ")]
    [TestCase("--- a/dir\n+++ b/dir\n@@ -1 +1 @@\n-a\n+b\n", "Path is not a file: ")]
    [TestCase("--- a/one.txt/x\n+++ b/one.txt/x\n@@ -1 +1 @@\n-a\n+b\n", "File not found: ")]
    [TestCase("--- /dev/null\n+++ b/one.txt/x\n@@ -0,0 +1 @@\n+a\n", "")]
    public async Task Apply_CannotBe_SaysWhyAndLeavesAllAsItIs(string diff, string words)
    {
        Directory.CreateDirectory(_rig.Resolve("p/dir"));
        var before = _rig.Names();
        var answer = await AskAsync("file_apply_diff", diff);
        var preview = await AskAsync("file_preview_diff", diff);

        Assert.Multiple(() =>
        {
            Assert.That((string?)answer["status"], Is.EqualTo("failed"));
            Assert.That((string?)answer["results"]![0]!["error"], Does.Contain(words));
            if (words.Length > 0)
                Assert.That((string?)preview["error"], Is.EqualTo((string?)answer["results"]![0]!["error"]));
            Assert.That(_rig.Names(), Is.EqualTo(before));
        });
    }

    [Test]
    public async Task Apply_ModeAndLink_AreKept()
    {
        const UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead;
        File.SetUnixFileMode(_rig.Resolve("p/one.txt"), mode);
        File.CreateSymbolicLink(_rig.Resolve("p/link.txt"), "one.txt");
        await AskAsync("file_apply_diff", "--- a/link.txt\n+++ b/link.txt\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n");

        Assert.Multiple(() =>
        {
            Assert.That(new FileInfo(_rig.Resolve("p/link.txt")).LinkTarget, Is.EqualTo("one.txt"));
            Assert.That(Encoding.UTF8.GetString(_rig.Read("p/one.txt")), Is.EqualTo("a\nc\n"));
            Assert.That(File.GetUnixFileMode(_rig.Resolve("p/one.txt")), Is.EqualTo(mode));
        });
    }

    [Test]
    public async Task Apply_ExecutableFile_IsMade()
    {
        await AskAsync("file_apply_diff", "diff --git a/run b/run\nnew file mode 100755\n--- /dev/null\n+++ b/run\n@@ -0,0 +1 @@\n+#!/bin/sh\n");

        Assert.That(File.GetUnixFileMode(_rig.Resolve("p/run")).HasFlag(UnixFileMode.UserExecute), Is.True);
    }

    [Test]
    public async Task Apply_BadArguments_AreRefused()
    {
        Assert.That(await FileRig.RefusalAsync(_actions, "file_apply_diff", []), Is.EqualTo("diff parameter is required"));
        Assert.That(await FileRig.RefusalAsync(_actions, "file_preview_diff", new JsonObject { ["diff"] = 7 }), Is.EqualTo("diff parameter must be a string"));
        Assert.That(await FileRig.RefusalAsync(_actions, "file_apply_diff", new JsonObject { ["diff"] = "hello" }), Is.EqualTo("The diff names no file"));
        Assert.That(
            await FileRig.RefusalAsync(_actions, "file_apply_diff", new JsonObject { ["diff"] = "x", ["base_path"] = "no" }), Does.StartWith("Directory not found: "));
    }

    private Task<JsonObject> AskAsync(string action, string diff) => FileRig.AskAsync(_actions, action, new JsonObject { ["diff"] = diff, ["base_path"] = "p" });
}
