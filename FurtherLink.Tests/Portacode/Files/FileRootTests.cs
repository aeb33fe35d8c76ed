using System.Text.Json.Nodes;
using FurtherLink.Device;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode;
using FurtherLink.Transports.Portacode.Files;
using FurtherLink.Transports.Portacode.Transfers;

namespace FurtherLink.Tests.Portacode.Files;

/// <summary>Actions that are kept in a folder: "root" of the fixture's; what is beside it is out of reach.</summary>
[TestFixture]
internal sealed class FileRootTests : FilesFixture
{
    private DevicePaths _paths = null!;
    private IActions[] _actions = [];

    [SetUp]
    public void MakeRoot()
    {
        MakeDirectory("root/d");
        Write("root/f", "inside");
        Write("root/d/f", "inside");
        Write("outside/f", "outside");
        Write("root-evil/f", "outside");
        _paths = new DevicePaths(In("root"));
        _actions = [new FileActions(_paths, new PortacodeOptions(), new ContentStore()), new DirectoryActions(_paths), new SearchActions(_paths, TimeProvider.System)];
    }

    private Task<JsonObject> RootAskAsync(string action, JsonObject arguments) => FileRig.AskAsync(_actions.Single(some => some.Handlers.ContainsKey(action)), action, arguments);

    private Task<string> RootRefusalAsync(string action, JsonObject arguments) => FileRig.RefusalAsync(_actions.Single(some => some.Handlers.ContainsKey(action)), action, arguments);

    private async Task<string?> ReadAsync(string path) => (string?)(await RootAskAsync("file_read", new JsonObject { ["path"] = path }))["content"];

    private static JsonObject Arguments(string action, string path) => action switch
    {
        "file_write" => new JsonObject { ["path"] = path, ["content"] = "changed" },
        "file_delete" => new JsonObject { ["path"] = path, ["recursive"] = true },
        "file_create" => new JsonObject { ["parent_path"] = path, ["file_name"] = "new" },
        "folder_create" => new JsonObject { ["parent_path"] = path, ["folder_name"] = "new" },
        "file_rename" => new JsonObject { ["old_path"] = path, ["new_name"] = "new" },
        "move_from" => new JsonObject { ["source_path"] = path, ["destination_path"] = "d" },
        "move_to" => new JsonObject { ["source_path"] = "f", ["destination_path"] = path },
        "copy_from" => new JsonObject { ["source_path"] = path, ["destination_path"] = "d", ["operation"] = "copy" },
        "file_search" => new JsonObject { ["root_path"] = path, ["query"] = "outside" },
        _ => new JsonObject { ["path"] = path },
    };

    private static string ActionOf(string name) => name is "move_from" or "move_to" or "copy_from" ? "file_move_copy" : name;

    [Test]
    public async Task Path_Relative_BeginsAtTheRoot()
    {
        Assert.That(await ReadAsync("f"), Is.EqualTo("inside"));
        Assert.That(await ReadAsync("./d/../d/f"), Is.EqualTo("inside"));
        var list = await RootAskAsync("directory_list", []);
        Assert.That(list["items"]!.AsArray().Select(item => (string?)item!["name"]), Is.EqualTo(new[] { "d", "f" }));
    }

    [Test]
    public void Path_Resolved_IsAbsoluteWithoutLinksOrDenied()
    {
        Link("root/in", "d");
        Link("root/out", "../outside");
        Assert.That(_paths.Resolve("in/../f"), Is.EqualTo(In("root/f")));
        Assert.That(_paths.Resolve("in/new"), Is.EqualTo(In("root/d/new")));
        Assert.That(() => _paths.Resolve("out/f"), Throws.InstanceOf<LinkException>().With.Message.EqualTo("Permission denied: out/f"));
        Assert.That(new DevicePaths(null).Resolve(In("root/./out") + "/"), Is.EqualTo(In("root/out")));
    }

    [Test]
    public async Task Path_Absolute_IsTheDevices()
    {
        Assert.That(await ReadAsync(In("root/d/f")), Is.EqualTo("inside"));
        Assert.That(await ReadAsync(In("root/../root/f")), Is.EqualTo("inside"));
        Assert.That(await ReadAsync(In("root") + "//f"), Is.EqualTo("inside"));
        Assert.That((bool)(await RootAskAsync("file_info", new JsonObject { ["path"] = In("root") }))["is_dir"]!, Is.True);
    }

    [Test]
    public async Task Path_ThroughALinkToTheRoot_IsInIt()
    {
        Link("alias", "root");
        Assert.That(await ReadAsync(In("root/f")), Is.EqualTo("inside"));
        _actions = [new FileActions(new DevicePaths(In("alias/")), new PortacodeOptions(), new ContentStore())];
        Link("root/absolute", In("alias/d"));
        foreach (var path in new[] { "f", In("alias/f"), In("root/f"), "absolute/f", In("alias/absolute/f") })
            Assert.That(await ReadAsync(path), Is.EqualTo("inside"), path);
    }

    [Test]
    public async Task Path_Outside_IsDeniedToEveryActionAndNothingChanges(
        [Values("file_read", "file_write", "file_info", "file_delete", "file_create", "folder_create", "file_rename", "move_from", "move_to", "copy_from", "directory_list", "file_search")]
        string action)
    {
        Link("root/out", "../outside");
        Link("root/out-absolute", In("outside"));
        Link("root/d/top", "/");
        var before = Names();
        foreach (var path in new[]
        {
            "..", "../outside", "../outside/f", "../root-evil", "../root-evil/f", "d/../../outside/f", "/", "/etc", "/etc/passwd", "/no/such", "../no/such/thing",
            In("outside"), In("outside/f"), In("root-evil/f"), Folder, In("root/../outside/f"),
            "out/f", "out/d/..", "out-absolute/f", "d/top/etc/passwd", "out/../root-evil/f", "d/top" + In("outside/f"), In("root/out/f"), "out/missing",
        })
            Assert.That(await RootRefusalAsync(ActionOf(action), Arguments(action, path)), Is.EqualTo($"Permission denied: {path}"), path);
        Assert.That(Names(), Is.EqualTo(before));
        Assert.That((Read("outside/f"), Read("root-evil/f")), Is.EqualTo(("outside", "outside")));
    }

    [Test]
    public async Task Link_Out_IsDeniedWhereItIsFollowed(
        [Values("file_read", "file_write", "file_info", "file_create", "folder_create", "move_to", "directory_list", "file_search")] string action)
    {
        Link("root/out", action is "file_read" or "file_write" or "file_info" ? "../outside/f" : "../outside");
        var before = Names();
        Assert.That(await RootRefusalAsync(ActionOf(action), Arguments(action, "out")), Is.EqualTo("Permission denied: out"));
        Assert.That(Names(), Is.EqualTo(before));
        Assert.That(Read("outside/f"), Is.EqualTo("outside"));
    }

    [Test]
    public async Task Link_Out_IsRenamedMovedCopiedAndDeletedAsALink()
    {
        Link("root/out", "../outside");
        await RootAskAsync("file_rename", new JsonObject { ["old_path"] = "out", ["new_name"] = "renamed" });
        await RootAskAsync("file_move_copy", new JsonObject { ["source_path"] = "renamed", ["destination_path"] = "d" });
        await RootAskAsync("file_move_copy", new JsonObject { ["source_path"] = "d/renamed", ["destination_path"] = ".", ["operation"] = "copy" });
        Assert.That((new FileInfo(In("root/renamed")).LinkTarget, new FileInfo(In("root/d/renamed")).LinkTarget), Is.EqualTo(("../outside", "../outside")));
        await RootAskAsync("file_delete", new JsonObject { ["path"] = "renamed", ["recursive"] = true });
        await RootAskAsync("file_delete", new JsonObject { ["path"] = "d", ["recursive"] = true });
        Assert.That(Names(), Is.EqualTo(new[] { "outside/", "outside/f", "root-evil/", "root-evil/f", "root/", "root/f" }));
    }

    [Test]
    public async Task Link_Inside_IsFollowed()
    {
        Link("root/in", "d");
        Link("root/absolute", In("root/d"));
        Link("root/round", "../root/d/f");
        foreach (var path in new[] { "in/f", "absolute/f", "round", "in/../f" })
            Assert.That(await ReadAsync(path), Is.EqualTo("inside"), path);
        await RootAskAsync("file_write", new JsonObject { ["path"] = "round", ["content"] = "new" });
        Assert.That((Read("root/d/f"), new FileInfo(In("root/round")).LinkTarget), Is.EqualTo(("new", "../root/d/f")));
    }

    [Test]
    public async Task Link_InACircle_IsRefused()
    {
        Link("root/a", "b");
        Link("root/b", "a");
        Assert.That(await RootRefusalAsync("file_read", new JsonObject { ["path"] = "a" }), Does.StartWith("[Errno 40] "));
    }

    [Test]
    public async Task List_OfLinksOut_TellsNothingOfWhatIsThere()
    {
        Link("root/l-out", "../outside");
        Link("root/l-out-file", "../outside/f");
        Link("root/l-in", "d");
        var items = (await RootAskAsync("directory_list", []))["items"]!.AsArray();
        Assert.That(
            items.Select(item => ((string?)item!["name"], (bool)item["is_dir"]!, (bool)item["is_file"]!)),
            Is.EqualTo(new[] { ("d", true, false), ("f", false, true), ("l-in", true, false), ("l-out", false, false), ("l-out-file", false, false) }));
        Assert.That((long)items[4]!["size"]!, Is.EqualTo("../outside/f".Length));
    }

    [Test]
    public async Task Search_OfLinksOut_FindsNothingThere()
    {
        Link("root/out", "../outside");
        Link("root/out-file", "../outside/f");
        Link("root/d/in", "../f");
        var answer = await RootAskAsync("file_search", new JsonObject { ["root_path"] = ".", ["query"] = "side" });
        Assert.That(answer["matches"]!.AsArray().Select(match => (string?)match!["path"]), Is.EqualTo(new[] { "./f", "./d/f", "./d/in" }));
        Assert.That(answer.ContainsKey("errors"), Is.False);
    }

    [Test]
    public async Task Write_InMissingFolders_MakesThemInside()
    {
        await RootAskAsync("file_write", new JsonObject { ["path"] = "a/b/../c/f", ["content"] = "x" });
        Assert.That(Read("root/a/c/f"), Is.EqualTo("x"));
        Assert.That(await RootRefusalAsync("file_write", new JsonObject { ["path"] = "f/below", ["content"] = "x" }), Is.EqualTo("Failed to write file: [Errno 20] Not a directory: 'f/below'"));
    }

    [Test]
    public async Task Path_ToNothing_IsSaidAsAnywhere()
    {
        foreach (var path in new[] { "missing", "no/such", "f/below" })
        {
            Assert.That(await RootRefusalAsync("file_read", new JsonObject { ["path"] = path }), Is.EqualTo($"File not found: {path}"));
            Assert.That((bool)(await RootAskAsync("file_info", new JsonObject { ["path"] = path }))["exists"]!, Is.False);
            Assert.That(await RootRefusalAsync("file_delete", new JsonObject { ["path"] = path }), Is.EqualTo($"Path does not exist: {path}"));
            Assert.That(await RootRefusalAsync("directory_list", new JsonObject { ["path"] = path }), Is.EqualTo($"Directory not found: {path}"));
            Assert.That(await RootRefusalAsync("folder_create", Arguments("folder_create", path)), Is.EqualTo($"Directory not found: {path}"));
        }
    }

    [Test]
    public async Task Root_Itself_IsNeitherDeletedNorRenamedNorMoved()
    {
        foreach (var path in new[] { ".", "d/..", In("root") })
        {
            foreach (var action in new[] { "file_delete", "file_rename", "move_from" })
                Assert.That(await RootRefusalAsync(ActionOf(action), Arguments(action, path)), Is.EqualTo($"Permission denied: {path}"));
        }
        Assert.That(Read("root/f"), Is.EqualTo("inside"));
    }

    [Test]
    public async Task Root_ThatIsMissing_HoldsNothing()
    {
        Directory.Delete(In("root"), recursive: true);
        Assert.That(await RootRefusalAsync("file_read", new JsonObject { ["path"] = "f" }), Is.EqualTo("File not found: f"));
        Assert.That(await RootRefusalAsync("directory_list", []), Is.EqualTo("Directory not found: ."));
    }

    [Test]
    public async Task Actions_InTheRoot_WorkAsAnywhere()
    {
        await RootAskAsync("folder_create", new JsonObject { ["parent_path"] = ".", ["folder_name"] = "new" });
        var made = await RootAskAsync("file_create", new JsonObject { ["parent_path"] = "new", ["file_name"] = "g", ["content"] = "x" });
        Assert.That((string?)made["file_path"], Is.EqualTo("new/g"));
        var renamed = await RootAskAsync("file_rename", new JsonObject { ["old_path"] = "new/g", ["new_name"] = "h" });
        Assert.That((string?)renamed["new_path"], Is.EqualTo("new/h"));
        await RootAskAsync("file_move_copy", new JsonObject { ["source_path"] = "new", ["destination_path"] = In("root/d"), ["operation"] = "copy" });
        Assert.That((string?)(await RootAskAsync("file_info", new JsonObject { ["path"] = "d/new/h" }))["permissions"], Has.Length.EqualTo(3));
        await RootAskAsync("file_delete", new JsonObject { ["path"] = "new", ["recursive"] = true });
        Assert.That(Names().Where(name => name.StartsWith("root/", StringComparison.Ordinal)), Is.EqualTo(new[] { "root/", "root/d/", "root/d/f", "root/d/new/", "root/d/new/h", "root/f" }));
    }

    [Test]
    public void Folder_SwappedForALinkOut_IsNotFollowed()
    {
        using var reading = _paths.Find("d/f");
        using var writing = _paths.Find("d/f");
        // Held before the swap, "d" stays itself wherever it is moved.
        _ = reading.Full;
        Directory.Move(In("root/d"), In("root/moved"));
        Link("root/d", "../outside");
        using (var file = reading.OpenToRead())
        {
            var bytes = new byte[100];
            Assert.That(Utf8.GetString(bytes, 0, RandomAccess.Read(file, bytes, 0)), Is.EqualTo("inside"));
        }
        // Not held yet, the path is found to lead elsewhere than it did.
        Assert.That(() => writing.OpenToWrite(), Throws.InstanceOf<LinkException>().With.Message.EqualTo("Permission denied: d/f"));
    }

    [Test]
    public void Folder_MovedOutOfTheRoot_IsOutOfReach()
    {
        using var path = _paths.Find("d/f");
        _ = path.Full;
        Directory.Move(In("root/d"), In("gone"));
        Assert.That(() => path.OpenToRead(), Throws.InstanceOf<LinkException>().With.Message.EqualTo("Permission denied: d/f"));
    }

    [Test]
    public void File_SwappedForALinkOut_IsNotOpened()
    {
        using var path = _paths.Find("f");
        _ = path.Full;
        File.Delete(In("root/f"));
        Link("root/f", "../outside/f");
        Assert.That(() => path.OpenToRead(), Throws.InstanceOf<LinkException>());
        Assert.That(() => path.OpenToWrite(), Throws.InstanceOf<LinkException>());
        Assert.That(path.Look(), Has.Property("IsLink").True);
    }

    [Test]
    public async Task Folder_SwappedAllTheTime_NeverLeadsOut()
    {
        var seed = Environment.TickCount;
        await TestContext.Out.WriteLineAsync($"Seed {seed}");
        var random = new Random(seed);
        Link("root/out", "../outside");
        using var stop = new CancellationTokenSource();
        var swapper = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
                Assert.That(DeviceFiles.TryExchange(In("root/d"), In("root/out")), Is.True);
        });
        var answered = 0;
        try
        {
            for (var i = 0; i < 3000; i++)
            {
                var action = new[] { "file_read", "file_write", "file_create", "directory_list", "file_search", "file_info" }[random.Next(6)];
                var arguments = Arguments(action, action is "file_create" or "directory_list" or "file_search" ? "d" : "d/f");
                if (action == "file_create")
                    arguments["file_name"] = $"new{i}";
                try
                {
                    var answer = await RootAskAsync(action, arguments);
                    Assert.That(answer["content"]?.ToString() ?? answer["matches"]?.ToJsonString() ?? "", Does.Not.Contain("outside"));
                    answered++;
                }
                catch (LinkException e)
                {
                    Assert.That(e.Message, Does.StartWith("Permission denied: ").Or.StartWith("Path is not a directory: ").Or.StartWith("Not a regular file: "));
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
            await swapper;
        }
        Assert.That(Read("outside/f"), Is.EqualTo("outside"));
        Assert.That(Directory.GetFileSystemEntries(In("outside")), Has.Length.EqualTo(1));
        Assert.That(answered, Is.Positive);
    }
}
