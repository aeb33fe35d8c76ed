using System.Text.Json.Nodes;
using FurtherLink.Tests.Device;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Tests.Portacode.Files;

[TestFixture]
internal sealed class DirectoryActionsTests : FilesFixture
{
    private readonly DirectoryActions _actions = new(new DevicePaths(null));

    private static JsonObject At(string path, string more = "{}")
    {
        var arguments = JsonNode.Parse(more)!.AsObject();
        arguments["path"] = path;
        return arguments;
    }

    private Task<JsonObject> ListAsync(string path, string more = "{}") => FileRig.AskAsync(_actions, "directory_list", At(path, more));

    private Task<string> RefusedAsync(JsonObject arguments) => FileRig.RefusalAsync(_actions, "directory_list", arguments);

    private static IEnumerable<string?> NamesOf(JsonObject answer) => answer["items"]!.AsArray().Select(item => (string?)item!["name"]);

    [Test]
    public async Task List_OfAFolder_IsSortedAndTellsWhatEntriesAre()
    {
        Write("b", "12345");
        SetMode(In("b"), "640");
        MakeDirectory("a");
        SetMode(In("a"), "1751");
        Assert.That(Shell.Run(Folder, "touch -d @1100000000.5 b && touch -d @1200000000 a"), Is.Zero);
        var size = long.Parse(Shell.Read(Folder, "stat -c %s a"));
        var answer = await ListAsync(Folder);
        var expected = new JsonObject
        {
            ["path"] = Folder,
            ["items"] = new JsonArray(
                new JsonObject { ["name"] = "a", ["is_dir"] = true, ["is_file"] = false, ["size"] = size, ["modified"] = 1200000000.0, ["permissions"] = "751" },
                new JsonObject { ["name"] = "b", ["is_dir"] = false, ["is_file"] = true, ["size"] = 5, ["modified"] = 1100000000.5, ["permissions"] = "640" }),
            ["count"] = 2,
        };
        Assert.That(answer.ToJsonString(), Is.EqualTo(expected.ToJsonString()));
    }

    [Test]
    public async Task List_OfNames_IsInOrdinalOrderWithoutHiddenOnes()
    {
        foreach (var name in new[] { "b", "B", "a", ".h", "ä", "-", "..." })
            Write(name, "");
        Assert.That(NamesOf(await ListAsync(Folder)), Is.EqualTo(new[] { "-", "B", "a", "b", "ä" }));
        Assert.That(NamesOf(await ListAsync(Folder, """{"show_hidden":true}""")), Is.EqualTo(new[] { "-", "...", ".h", "B", "a", "b", "ä" }));
    }

    [Test]
    public async Task List_OfLinks_TellsWhatTheyLeadTo()
    {
        Write("z/f", "123");
        Link("1-file", "z/f");
        Link("2-folder", "z");
        Link("3-broken", "nowhere");
        Link("4-circle", "4-circle");
        Pipe("5-pipe");
        var items = (await ListAsync(Folder))["items"]!.AsArray();
        Assert.That(
            items.Select(item => ((string?)item!["name"], (bool)item["is_file"]!, (bool)item["is_dir"]!)),
            Is.EqualTo(new[] { ("1-file", true, false), ("2-folder", false, true), ("3-broken", false, false), ("4-circle", false, false), ("5-pipe", false, false), ("z", false, true) }));
        Assert.That((long)items[0]!["size"]!, Is.EqualTo(3));
    }

    [Test]
    public async Task List_OfANameThatIsNoText_IsShownAsNeither()
    {
        Assert.That(Shell.Run(Folder, "touch \"$(printf 'a\\377b')\" c"), Is.Zero);
        var items = (await ListAsync(Folder))["items"]!.AsArray();
        Assert.That(items.Select(item => (bool)item!["is_file"]!), Is.EquivalentTo(new[] { true, false }));
        Assert.That(Shell.Run(Folder, "rm a*"), Is.Zero);
    }

    // Arguments; then the names, offset, limit, more.
    [TestCase("""{"limit":2}""", "a b", 0, 2, true)]
    [TestCase("""{"limit":2,"offset":2}""", "c d", 2, 2, true)]
    [TestCase("""{"limit":2,"offset":4}""", "e", 4, 2, false)]
    [TestCase("""{"limit":5}""", "a b c d e", 0, 5, false)]
    [TestCase("""{"limit":4,"offset":1}""", "b c d e", 1, 4, false)]
    [TestCase("""{"offset":3}""", "d e", 3, 1000, false)]
    [TestCase("""{"offset":0}""", "a b c d e", 0, 1000, false)]
    [TestCase("""{"offset":5}""", "", 5, 1000, false)]
    [TestCase("""{"offset":9223372036854775807}""", "", 9223372036854775807, 1000, false)]
    [TestCase("""{"limit":9223372036854775807}""", "a b c d e", 0, 1000, false)]
    [TestCase("""{"limit":2,"offset":5,"show_hidden":true}""", "e", 5, 2, false)]
    public async Task List_ByPages_IsTheEntriesAskedFor(string arguments, string names, long offset, int limit, bool more)
    {
        foreach (var name in new[] { "c", "a", "e", "b", "d", ".h" })
            Write(name, "");
        var answer = await ListAsync(Folder, arguments);
        var expected = names.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(NamesOf(answer), Is.EqualTo(expected));
        var total = arguments.Contains("hidden", StringComparison.Ordinal) ? 6 : 5;
        Assert.That(
            ((int)answer["count"]!, (int)answer["total_count"]!, (long)answer["offset"]!, (int)answer["limit"]!, (bool)answer["has_more"]!),
            Is.EqualTo((expected.Length, total, offset, limit, more)));
    }

    [Test]
    public async Task List_OfManyEntries_IsWholeUnlessPagesAreAskedFor()
    {
        for (var i = 0; i < 1100; i++)
            Write($"{i:D4}", "");
        var whole = await ListAsync(Folder);
        Assert.That(((int)whole["count"]!, whole.ContainsKey("has_more")), Is.EqualTo((1100, false)));
        var page = await ListAsync(Folder, """{"limit":5000}""");
        Assert.That(((int)page["count"]!, (bool)page["has_more"]!, (int)page["total_count"]!), Is.EqualTo((1000, true, 1100)));
    }

    [TestCase("{}")]
    [TestCase("""{"path":null}""")]
    [TestCase("""{"path":""}""")]
    [TestCase("""{"path":"."}""")]
    public async Task List_WithoutAPath_IsOfTheWorkingDirectory(string arguments)
    {
        var answer = await FileRig.AskAsync(_actions, "directory_list", JsonNode.Parse(arguments)!.AsObject());
        Assert.That((string?)answer["path"], Is.EqualTo("."));
        Assert.That(NamesOf(answer), Does.Contain("FurtherLink.Tests.dll"));
    }

    [Test]
    public async Task List_OfWhatIsNoFolder_SaysSo()
    {
        var file = Write("f", "x");
        foreach (var path in new[] { In("missing"), Path.Join(file, "below"), Link("broken", "nowhere") })
            Assert.That(await RefusedAsync(At(path)), Is.EqualTo($"Directory not found: {path}"));
        Assert.That(await RefusedAsync(At(file)), Is.EqualTo($"Path is not a directory: {file}"));
        Assert.That(NamesOf(await ListAsync(Link("link", "/"))), Does.Contain("proc"));
    }

    [Test]
    public void List_WithoutRights_IsDeniedOrOfWhatCanBeSeen()
    {
        Write("closed/f", "x");
        SetMode(In("closed"), "0");
        Assert.That(RefusalAsNobody(() => _actions.List(Request(At(In("closed"))), default)), Is.EqualTo($"Permission denied: {In("closed")}"));
        SetMode(In("closed"), "744");
        // Names may be read, but nothing looked at.
        if (Environment.IsPrivilegedProcess)
            Assert.That(AsNobody(() => _actions.List(Request(At(In("closed"))), default))["items"]!.ToJsonString(), Does.Contain("\"f\"").And.Contain("\"000\""));
        SetMode(In("closed"), "755");
    }

    [TestCase("""{"path":4}""", "path parameter must be a string")]
    [TestCase("""{"path":"a\u0000"}""", "Invalid path: it holds a NUL character")]
    [TestCase("""{"show_hidden":"yes"}""", "show_hidden parameter must be true or false")]
    [TestCase("""{"limit":0}""", "limit parameter must be 1 to 9223372036854775807")]
    [TestCase("""{"limit":"all"}""", "limit parameter must be a whole number")]
    [TestCase("""{"offset":-1}""", "offset parameter must be 0 to 9223372036854775807")]
    public async Task List_ArgumentsThatMakeNoSense_AreRefused(string arguments, string words) =>
        Assert.That(await RefusedAsync(JsonNode.Parse(arguments)!.AsObject()), Is.EqualTo(words));
}
