using System.Text.Json.Nodes;
using FurtherLink.Tests.Device;

namespace FurtherLink.Tests.Portacode.Files;

[TestFixture]
internal sealed class FileInfoDeleteTests : FilesFixture
{
    private static JsonObject At(string path, bool? recursive = null)
    {
        var arguments = new JsonObject { ["path"] = path };
        if (recursive is { } all)
            arguments["recursive"] = all;
        return arguments;
    }

    private Task<JsonObject> InfoAsync(string path) => AskAsync("file_info", At(path));

    private Task<JsonObject> DeleteAsync(string path, bool? recursive = null) => AskAsync("file_delete", At(path, recursive));

    private Task<string> RefusedAsync(string path, bool? recursive = null) => RefusalAsync("file_delete", At(path, recursive));

    [Test]
    public async Task Info_OfAFile_IsWhatTheSystemSays()
    {
        var path = Write("f", "12345");
        SetMode(path, "4640");
        Assert.That(Shell.Run(Folder, "touch -a -d @1000000000.25 f && touch -m -d @1100000000.5 f"), Is.Zero);
        var told = Shell.Read(Folder, "stat -c '%u %g %.9Z' f").Split(' ');
        var answer = await InfoAsync(path);
        Assert.That((double)answer["created"]!, Is.EqualTo(double.Parse(told[2])).Within(1e-6));
        answer.Remove("created");
        var expected = new JsonObject
        {
            ["path"] = path,
            ["exists"] = true,
            ["is_file"] = true,
            ["is_dir"] = false,
            ["is_symlink"] = false,
            ["size"] = 5,
            ["modified"] = 1100000000.5,
            ["accessed"] = 1000000000.25,
            ["permissions"] = "640",
            ["owner_uid"] = int.Parse(told[0]),
            ["group_gid"] = int.Parse(told[1]),
        };
        Assert.That(answer.ToJsonString(), Is.EqualTo(expected.ToJsonString()));
    }

    [Test]
    public async Task Info_OfALink_IsOfWhatItLeadsTo()
    {
        Write("f", "12345");
        MakeDirectory("d");
        var file = await InfoAsync(Link("to-f", "f"));
        Assert.That(((bool)file["is_symlink"]!, (bool)file["is_file"]!, (long)file["size"]!), Is.EqualTo((true, true, 5)));
        var folder = await InfoAsync(Link("to-d", "d"));
        Assert.That(((bool)folder["is_symlink"]!, (bool)folder["is_dir"]!, (bool)folder["is_file"]!), Is.EqualTo((true, true, false)));
    }

    [Test]
    public async Task Info_OfALinkThatLeadsNowhere_IsOfTheLink()
    {
        var answer = await InfoAsync(Link("broken", "nowhere"));
        Assert.That(
            ((bool)answer["exists"]!, (bool)answer["is_symlink"]!, (bool)answer["is_file"]!, (bool)answer["is_dir"]!, (long)answer["size"]!),
            Is.EqualTo((true, true, false, false, "nowhere".Length)));
    }

    [Test]
    public async Task Info_OfWhatIsNoFileOrFolder_IsNeither()
    {
        foreach (var path in new[] { Pipe("pipe"), "/dev/null" })
        {
            var answer = await InfoAsync(path);
            Assert.That(((bool)answer["exists"]!, (bool)answer["is_file"]!, (bool)answer["is_dir"]!), Is.EqualTo((true, false, false)));
        }
    }

    [Test]
    public async Task Info_OfNothing_IsThatItDoesNotExist()
    {
        foreach (var path in new[] { In("missing"), In("no/such"), Path.Join(Write("f", "x"), "below") })
            Assert.That((await InfoAsync(path)).ToJsonString(), Is.EqualTo(new JsonObject { ["path"] = path, ["exists"] = false }.ToJsonString()));
    }

    [Test]
    public async Task Info_OfTheTop_IsAFolder() => Assert.That((bool)(await InfoAsync("/"))["is_dir"]!, Is.True);

    [Test]
    public void Info_WithoutRights_IsDenied()
    {
        var path = Write("closed/f", "x");
        SetMode(In("closed"), "0");
        var words = RefusalAsNobody(() => Actions.Info(Request(At(path))));
        SetMode(In("closed"), "755");
        Assert.That(words, Is.EqualTo($"Permission denied: {path}"));
    }

    [TestCase("file_info")]
    [TestCase("file_delete")]
    public async Task Path_ThatIsNone_IsRefused(string action)
    {
        Assert.That(await RefusalAsync(action, []), Is.EqualTo("path parameter is required"));
        Assert.That(await RefusalAsync(action, new JsonObject { ["path"] = 0 }), Is.EqualTo("path parameter must be a string"));
        Assert.That(await RefusalAsync(action, new JsonObject { ["path"] = "a\0b" }), Is.EqualTo("Invalid path: it holds a NUL character"));
    }

    [Test]
    public async Task Delete_File_RemovesIt()
    {
        var path = Write("f", "x");
        Assert.That((await DeleteAsync(path)).ToJsonString(), Is.EqualTo(new JsonObject { ["path"] = path, ["deleted_type"] = "file", ["success"] = true }.ToJsonString()));
        Assert.That(Names(), Is.Empty);
    }

    [TestCase(null)]
    [TestCase(false)]
    [TestCase(true)]
    public async Task Delete_EmptyFolder_RemovesIt(bool? recursive)
    {
        var path = MakeDirectory("d");
        Assert.That((string?)(await DeleteAsync(path, recursive))["deleted_type"], Is.EqualTo("directory"));
        Assert.That(Names(), Is.Empty);
    }

    [Test]
    public async Task Delete_FolderWithSomethingInIt_OnlyWhenAllOfItIsMeant()
    {
        var path = MakeDirectory("d");
        Write("d/e/f", "x");
        Write("kept", "x");
        Link("d/link", "../kept");
        Link("d/out", "..");
        Pipe("d/pipe");
        Assert.That(await RefusedAsync(path), Is.EqualTo($"Directory not empty (use recursive=True): {path}"));
        Assert.That(await RefusedAsync(path, recursive: false), Is.EqualTo($"Directory not empty (use recursive=True): {path}"));
        Assert.That(Names(), Has.Length.EqualTo(7));
        Assert.That((string?)(await DeleteAsync(path, recursive: true))["deleted_type"], Is.EqualTo("directory"));
        Assert.That(Names(), Is.EqualTo(new[] { "kept" }));
    }

    [TestCase("f")]
    [TestCase("d")]
    [TestCase("nowhere")]
    [TestCase("link")]
    public async Task Delete_Link_RemovesTheLinkOnly(string target)
    {
        Write("f", "x");
        Write("d/f", "x");
        var path = Link("link", target);
        Assert.That((string?)(await DeleteAsync(path, recursive: true))["deleted_type"], Is.EqualTo("file"));
        Assert.That(Names(), Is.EqualTo(new[] { "d/", "d/f", "f" }));
    }

    [Test]
    public async Task Delete_Nothing_SaysSo()
    {
        foreach (var path in new[] { In("missing"), In("no/such"), Path.Join(Write("f", "x"), "below") })
            Assert.That(await RefusedAsync(path, recursive: true), Is.EqualTo($"Path does not exist: {path}"));
    }

    [Test]
    public async Task Delete_TheWholeDevice_IsDenied()
    {
        foreach (var path in new[] { "/", "//", "/.", "/tmp/.." })
            Assert.That(await RefusedAsync(path, recursive: true), Is.EqualTo($"Permission denied: {path}"));
    }

    [Test]
    public async Task Delete_WhatTheSystemDoesNotLetGo_SaysWhy()
    {
        // The rights are there, for root at least, but nothing can be removed from /proc.
        var path = $"/proc/{Environment.ProcessId}/comm";
        Assert.That(await RefusedAsync(path), Is.EqualTo($"Permission denied: {path}").Or.StartWith("Failed to delete: [Errno "));
    }

    [Test]
    public void Delete_WithoutRights_IsDeniedAndChangesNothing()
    {
        var file = Write("closed/f", "x");
        var folder = MakeDirectory("closed/d");
        SetMode(In("closed"), "555");
        try
        {
            foreach (var (path, recursive) in new[] { (file, false), (folder, false), (folder, true), (In("closed"), true) })
                Assert.That(RefusalAsNobody(() => Actions.Delete(Request(At(path, recursive)))), Is.EqualTo($"Permission denied: {path}"), $"{path} {recursive}");
            Assert.That(Names(), Is.EqualTo(new[] { "closed/", "closed/d/", "closed/f" }));
        }
        finally
        {
            SetMode(In("closed"), "755");
        }
    }
}
