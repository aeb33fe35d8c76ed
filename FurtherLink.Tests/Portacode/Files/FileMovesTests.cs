using System.Text.Json.Nodes;
using FurtherLink.Tests.Device;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Tests.Portacode.Files;

[TestFixture]
internal sealed class FileMovesTests : FilesFixture
{
    private static JsonObject Create(string parent, string name, string? content = null)
    {
        var arguments = new JsonObject { ["parent_path"] = parent, ["file_name"] = name };
        if (content is not null)
            arguments["content"] = content;
        return arguments;
    }

    private static JsonObject MakeFolder(string parent, string name) => new() { ["parent_path"] = parent, ["folder_name"] = name };

    private static JsonObject Rename(string old, string name) => new() { ["old_path"] = old, ["new_name"] = name };

    private static JsonObject Move(string source, string destination, string? operation = null)
    {
        var arguments = new JsonObject { ["source_path"] = source, ["destination_path"] = destination };
        if (operation is not null)
            arguments["operation"] = operation;
        return arguments;
    }

    [Test]
    public async Task Create_File_IsMade()
    {
        var answer = await AskAsync("file_create", Create(Folder, "f", "ä\r\n"));
        var expected = new JsonObject { ["parent_path"] = Folder, ["file_name"] = "f", ["file_path"] = In("f"), ["success"] = true };
        Assert.That(answer.ToJsonString(), Is.EqualTo(expected.ToJsonString()));
        Assert.That(Read("f"), Is.EqualTo("ä\r\n"));
        Assert.That((string?)(await AskAsync("file_create", Create(Folder + "/", "empty")))["file_path"], Is.EqualTo(In("empty")));
        Assert.That(Read("empty"), Is.Empty);
    }

    [Test]
    public async Task Create_Folder_IsMade()
    {
        var answer = await AskAsync("folder_create", MakeFolder(Folder, "d"));
        var expected = new JsonObject { ["parent_path"] = Folder, ["folder_name"] = "d", ["folder_path"] = In("d"), ["success"] = true };
        Assert.That(answer.ToJsonString(), Is.EqualTo(expected.ToJsonString()));
        Assert.That(Names(), Is.EqualTo(new[] { "d/" }));
    }

    [TestCase("f")]
    [TestCase("d")]
    [TestCase("broken")]
    public async Task Create_WhatIsThere_IsRefusedAndStays(string name)
    {
        Write("f", "old");
        Write("d/f", "old");
        Link("broken", "nowhere");
        var words = $"File or directory already exists: {In(name)}";
        Assert.That(await RefusalAsync("file_create", Create(Folder, name, "new")), Is.EqualTo(words));
        Assert.That(await RefusalAsync("folder_create", MakeFolder(Folder, name)), Is.EqualTo(words));
        Assert.That(Names(), Is.EqualTo(new[] { "broken", "d/", "d/f", "f" }));
        Assert.That((Read("f"), Read("d/f")), Is.EqualTo(("old", "old")));
    }

    [Test]
    public async Task Create_WhereNothingCanBe_SaysWhy()
    {
        var file = Write("f", "x");
        var missing = In("missing");
        foreach (var (action, arguments) in new (string, Func<string, JsonObject>)[] { ("file_create", parent => Create(parent, "n")), ("folder_create", parent => MakeFolder(parent, "n")) })
        {
            Assert.That(await RefusalAsync(action, arguments(missing)), Is.EqualTo($"Directory not found: {missing}"));
            Assert.That(await RefusalAsync(action, arguments(file + "/d")), Is.EqualTo($"Directory not found: {file}/d"));
            Assert.That(await RefusalAsync(action, arguments(file)), Is.EqualTo($"Path is not a directory: {file}"));
        }
        Assert.That(Names(), Is.EqualTo(new[] { "f" }));
    }

    [Test]
    public void Create_WithoutRights_IsDenied()
    {
        MakeDirectory("closed");
        SetMode(In("closed"), "555");
        var words = $"Permission denied: {In("closed/n")}";
        Assert.That(RefusalAsNobody(() => Actions.CreateFile(Request(Create(In("closed"), "n")))), Is.EqualTo(words));
        Assert.That(RefusalAsNobody(() => Actions.CreateFolder(Request(MakeFolder(In("closed"), "n")))), Is.EqualTo(words));
        SetMode(In("closed"), "755");
    }

    [TestCase(".")]
    [TestCase("..")]
    [TestCase("a/b")]
    [TestCase("/a")]
    [TestCase("a/")]
    [TestCase("a\0")]
    public async Task Name_ThatIsNone_IsRefused(string name)
    {
        var file = Write("f", "x");
        var words = $"Invalid name: {name}";
        Assert.That(await RefusalAsync("file_create", Create(Folder, name)), Is.EqualTo(words));
        Assert.That(await RefusalAsync("folder_create", MakeFolder(Folder, name)), Is.EqualTo(words));
        Assert.That(await RefusalAsync("file_rename", Rename(file, name)), Is.EqualTo(words));
        Assert.That(Names(), Is.EqualTo(new[] { "f" }));
    }

    [TestCase("file_create", "{}", "parent_path parameter is required")]
    [TestCase("file_create", """{"parent_path":"/tmp"}""", "file_name parameter is required")]
    [TestCase("file_create", """{"parent_path":"/tmp","file_name":""}""", "file_name parameter is required")]
    [TestCase("file_create", """{"parent_path":3,"file_name":"f"}""", "parent_path parameter must be a string")]
    [TestCase("folder_create", "{}", "parent_path parameter is required")]
    [TestCase("folder_create", """{"parent_path":"/tmp"}""", "folder_name parameter is required")]
    [TestCase("file_rename", "{}", "old_path parameter is required")]
    [TestCase("file_rename", """{"old_path":"/tmp/f"}""", "new_name parameter is required")]
    [TestCase("file_move_copy", "{}", "source_path parameter is required")]
    [TestCase("file_move_copy", """{"source_path":"/tmp/f"}""", "destination_path parameter is required")]
    [TestCase("file_move_copy", """{"source_path":"/tmp/f","destination_path":"/tmp","operation":"link"}""", "Unknown operation: link")]
    public async Task Arguments_ThatAreMissingOrWrong_AreRefused(string action, string arguments, string words) =>
        Assert.That(await RefusalAsync(action, JsonNode.Parse(arguments)!.AsObject()), Is.EqualTo(words));

    [Test]
    public async Task Rename_FileFolderAndLink_KeepWhatTheyAre()
    {
        Write("f", "x");
        Write("d/f", "y");
        Link("link", "d");
        var answer = await AskAsync("file_rename", Rename(In("f"), "g"));
        var expected = new JsonObject { ["old_path"] = In("f"), ["new_path"] = In("g"), ["new_name"] = "g", ["is_directory"] = false, ["success"] = true };
        Assert.That(answer.ToJsonString(), Is.EqualTo(expected.ToJsonString()));
        Assert.That((bool)(await AskAsync("file_rename", Rename(In("d") + "/", "e")))["is_directory"]!, Is.True);
        Assert.That((bool)(await AskAsync("file_rename", Rename(In("link"), "m")))["is_directory"]!, Is.False);
        Assert.That(Names(), Is.EqualTo(new[] { "e/", "e/f", "g", "m" }));
        Assert.That((Read("g"), new FileInfo(In("m")).LinkTarget), Is.EqualTo(("x", "d")));
    }

    [TestCase("f")]
    [TestCase("g")]
    [TestCase("d")]
    [TestCase("broken")]
    public async Task Rename_ToWhatIsThere_IsRefusedAndStays(string name)
    {
        Write("f", "x");
        Write("g", "y");
        MakeDirectory("d");
        Link("broken", "nowhere");
        Assert.That(await RefusalAsync("file_rename", Rename(In("f"), name)), Is.EqualTo($"File or directory already exists: {In(name)}"));
        Assert.That((Read("f"), Read("g")), Is.EqualTo(("x", "y")));
        Assert.That(Names(), Is.EqualTo(new[] { "broken", "d/", "f", "g" }));
    }

    [Test]
    public async Task RenameAndMove_OfNothing_SaySo()
    {
        foreach (var path in new[] { In("missing"), Path.Join(Write("f", "x"), "below") })
        {
            Assert.That(await RefusalAsync("file_rename", Rename(path, "n")), Is.EqualTo($"Path does not exist: {path}"));
            Assert.That(await RefusalAsync("file_move_copy", Move(path, Folder)), Is.EqualTo($"Path does not exist: {path}"));
        }
        Assert.That(await RefusalAsync("file_rename", Rename("/", "n")), Is.EqualTo("Permission denied: /"));
        Assert.That(await RefusalAsync("file_move_copy", Move("/", Folder, "copy")), Is.EqualTo("Permission denied: /"));
    }

    [Test]
    public void RenameAndMove_WithoutRights_AreDenied()
    {
        var path = Write("closed/f", "x");
        MakeDirectory("open");
        SetMode(In("closed"), "555");
        SetMode(In("open"), "777");
        var moves = new FileMoves(new DevicePaths(null));
        try
        {
            Assert.That(RefusalAsNobody(() => moves.Rename(Request(Rename(path, "g")))), Is.EqualTo($"Permission denied: {path}"));
            Assert.That(RefusalAsNobody(() => moves.MoveOrCopy(Request(Move(path, In("open"))), default)), Is.EqualTo($"Permission denied: {path}"));
            Assert.That(Names(), Is.EqualTo(new[] { "closed/", "closed/f", "open/" }));
        }
        finally
        {
            SetMode(In("closed"), "755");
        }
    }

    [TestCase(null)]
    [TestCase("move")]
    public async Task Move_FileFolderAndLink_TakesThemAway(string? operation)
    {
        Write("f", "x");
        Write("d/e/f", "y");
        Link("link", "nowhere");
        MakeDirectory("to");
        var answer = await AskAsync("file_move_copy", Move(In("f"), In("to"), operation));
        var expected = new JsonObject
        {
            ["source_path"] = In("f"),
            ["destination_path"] = In("to"),
            ["target_path"] = In("to/f"),
            ["operation"] = "move",
            ["is_directory"] = false,
            ["success"] = true,
        };
        Assert.That(answer.ToJsonString(), Is.EqualTo(expected.ToJsonString()));
        Assert.That((bool)(await AskAsync("file_move_copy", Move(In("d"), In("to"), operation)))["is_directory"]!, Is.True);
        await AskAsync("file_move_copy", Move(In("link"), In("to"), operation));
        Assert.That(Names(), Is.EqualTo(new[] { "to/", "to/d/", "to/d/e/", "to/d/e/f", "to/f", "to/link" }));
        Assert.That((Read("to/f"), Read("to/d/e/f")), Is.EqualTo(("x", "y")));
    }

    [Test]
    public async Task Copy_Tree_CopiesContentsModesTimesAndLinks()
    {
        Write("d/e/f", string.Concat(Enumerable.Repeat("0123456789", 50_000)));
        Write("d/.hidden", "x");
        Link("d/link", "e/f");
        Link("d/broken", "nowhere");
        SetMode(In("d/e/f"), "4751");
        SetMode(In("d/e"), "500");
        Assert.That(Shell.Run(Folder, "touch -d @1100000000 d/e/f"), Is.Zero);
        MakeDirectory("to");
        await AskAsync("file_move_copy", Move(In("d"), In("to"), "copy"));
        SetMode(In("d/e"), "755");
        Assert.That(Mode(In("to/d/e")), Is.EqualTo("500"));
        SetMode(In("to/d/e"), "755");
        Assert.That(Names().Where(name => name.StartsWith("to/d/", StringComparison.Ordinal)).Select(name => name[3..]), Is.EqualTo(Names().Where(name => name.StartsWith("d/", StringComparison.Ordinal))));
        Assert.That((Read("to/d/e/f"), Read("to/d/.hidden")), Is.EqualTo((Read("d/e/f"), "x")));
        Assert.That((new FileInfo(In("to/d/link")).LinkTarget, new FileInfo(In("to/d/broken")).LinkTarget), Is.EqualTo(("e/f", "nowhere")));
        Assert.That((Mode(In("to/d/e/f")), File.GetLastWriteTimeUtc(In("to/d/e/f"))), Is.EqualTo(("751", DateTime.UnixEpoch.AddSeconds(1_100_000_000))));
    }

    [TestCase("move")]
    [TestCase("copy")]
    public async Task MoveOrCopy_ToWhereItCannotGo_IsRefusedAndChangesNothing(string operation)
    {
        Write("d/e/f", "x");
        Write("f", "x");
        Write("to/f", "y");
        Link("loop", "d/e");
        var before = Names();
        Assert.That(await RefusalAsync("file_move_copy", Move(In("f"), In("to"), operation)), Is.EqualTo($"File or directory already exists: {In("to/f")}"));
        foreach (var inside in new[] { In("d"), In("d/e"), In("loop") })
            Assert.That(await RefusalAsync("file_move_copy", Move(In("d"), inside, operation)), Is.EqualTo($"Cannot {operation} a directory into itself: {In("d")}"));
        Assert.That(await RefusalAsync("file_move_copy", Move(In("d"), Folder, operation)), Is.EqualTo($"File or directory already exists: {In("d")}"));
        Assert.That(await RefusalAsync("file_move_copy", Move(In("d"), In("missing"), operation)), Is.EqualTo($"Directory not found: {In("missing")}"));
        Assert.That(await RefusalAsync("file_move_copy", Move(In("d"), In("f"), operation)), Is.EqualTo($"Path is not a directory: {In("f")}"));
        Assert.That(Names(), Is.EqualTo(before));
        Assert.That(Read("to/f"), Is.EqualTo("y"));
    }

    [Test]
    public async Task Copy_ThatFailsHalfWay_LeavesNothing()
    {
        Write("d/a", "x");
        Write("d/b/c", "x");
        Pipe("d/b/pipe");
        MakeDirectory("to");
        Assert.That(await RefusalAsync("file_move_copy", Move(In("d"), In("to"), "copy")), Is.EqualTo($"Not a regular file: {In("d")}"));
        Assert.That(Names().Where(name => name.StartsWith("to", StringComparison.Ordinal)), Is.EqualTo(new[] { "to/" }));
    }

    [Test]
    public async Task Move_ToAnotherFileSystem_CopiesAndRemoves()
    {
        if (!Directory.Exists("/dev/shm") || Shell.Read("/", "stat -c %d /dev/shm") == Shell.Read(Folder, "stat -c %d ."))
            Assert.Ignore("There is no other file system here.");
        Write("d/e/f", "x");
        Link("d/link", "e");
        var other = Directory.CreateDirectory($"/dev/shm/fl-{Guid.NewGuid():N}").FullName;
        try
        {
            await AskAsync("file_move_copy", Move(In("d"), other));
            Assert.That(Names(), Is.Empty);
            Assert.That((await File.ReadAllTextAsync(Path.Join(other, "d/e/f")), new FileInfo(Path.Join(other, "d/link")).LinkTarget), Is.EqualTo(("x", "e")));
        }
        finally
        {
            Directory.Delete(other, recursive: true);
        }
    }
}
