using System.Text.Json.Nodes;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Tests.Portacode.Files;

[TestFixture]
internal sealed class FileSearchTests : FilesFixture
{
    private readonly SearchActions _actions = new(new DevicePaths(null), TimeProvider.System);

    private JsonObject For(string query, string more = "{}")
    {
        var arguments = JsonNode.Parse(more)!.AsObject();
        arguments["root_path"] = Folder;
        arguments["query"] = query;
        return arguments;
    }

    private Task<JsonObject> SearchAsync(string query, string more = "{}") => FileRig.AskAsync(_actions, "file_search", For(query, more));

    private Task<string> RefusedAsync(JsonObject arguments) => FileRig.RefusalAsync(_actions, "file_search", arguments);

    private static string[] Found(JsonObject answer) =>
        [.. answer["matches"]!.AsArray().Select(match => $"{match!["relative_path"]}:{match["line_number"]}:{match["match_spans"]!.ToJsonString()}")];

    [Test]
    public async Task Search_Answer_TellsTheMatchesAndTheOptionsInForce()
    {
        Write("d/f", "one\r\nTwo two\nthree\n");
        Write("g", "none");
        var answer = await SearchAsync("two");
        var expected = new JsonObject
        {
            ["root_path"] = Folder,
            ["query"] = "two",
            ["match_case"] = false,
            ["regex"] = false,
            ["whole_word"] = false,
            ["include_hidden"] = false,
            ["include_patterns"] = new JsonArray(),
            ["exclude_patterns"] = new JsonArray(),
            ["max_results"] = 40,
            ["max_matches_per_file"] = 5,
            ["max_file_size"] = 1048576,
            ["max_line_length"] = 200,
            ["matches"] = new JsonArray(new JsonObject
            {
                ["relative_path"] = "d/f",
                ["path"] = In("d/f"),
                ["line_number"] = 2,
                ["line"] = "Two two",
                ["match_spans"] = new JsonArray(new JsonArray(0, 3), new JsonArray(4, 7)),
                ["match_count"] = 2,
                ["line_truncated"] = false,
            }),
            ["matches_returned"] = 1,
            ["total_matches"] = 1,
            ["files_scanned"] = 2,
            ["truncated"] = false,
        };
        Assert.That(answer.ToJsonString(), Is.EqualTo(expected.ToJsonString()));
    }

    // Query and options; then what is found in "Foo foo_bar foobar (foo) FOO".
    [TestCase("foo", "{}", "[[0,3],[4,7],[12,15],[20,23],[25,28]]")]
    [TestCase("foo", """{"match_case":true}""", "[[4,7],[12,15],[20,23]]")]
    [TestCase("foo", """{"whole_word":true}""", "[[0,3],[20,23],[25,28]]")]
    [TestCase("foo", """{"whole_word":true,"match_case":true}""", "[[20,23]]")]
    [TestCase("(foo)", """{"whole_word":true}""", "[[19,24]]")]
    [TestCase("f.o", "{}", null)]
    [TestCase("f.o", """{"regex":true}""", "[[0,3],[4,7],[12,15],[20,23],[25,28]]")]
    [TestCase("fo+", """{"regex":true,"match_case":true}""", "[[4,7],[12,15],[20,23]]")]
    [TestCase("foo|foobar", """{"regex":true,"whole_word":true}""", "[[0,3],[12,18],[20,23],[25,28]]")]
    [TestCase("^foo|foo$", """{"regex":true}""", "[[0,3],[25,28]]")]
    [TestCase("x*", """{"regex":true}""", null)]
    [TestCase("(?<=\\()foo", """{"regex":true}""", "[[20,23]]")]
    [TestCase("(o)\\1_", """{"regex":true}""", "[[5,8]]")]
    [TestCase("foo\n", "{}", null)]
    public async Task Search_Options_ChangeWhatIsFound(string query, string options, string? spans)
    {
        Write("f", "Foo foo_bar foobar (foo) FOO");
        Assert.That(Found(await SearchAsync(query, options)), Is.EqualTo(spans is null ? [] : new[] { $"f:1:{spans}" }));
    }

    [Test]
    public async Task Search_Overlaps_AreFoundOnceAndWordsAfterPartsOfWords()
    {
        Write("f", "aaaa\nxa a");
        Assert.That(Found(await SearchAsync("aa")), Is.EqualTo(new[] { "f:1:[[0,2],[2,4]]" }));
        Assert.That(Found(await SearchAsync("a", """{"whole_word":true}""")), Is.EqualTo(new[] { "f:2:[[3,4]]" }));
    }

    [TestCase("{}", "a.py d/b.py d/c.txt d/e/f.py")]
    [TestCase("""{"include_hidden":true}""", ".h/a.py .x.py a.py d/b.py d/c.txt d/e/f.py")]
    [TestCase("""{"include_patterns":["*.py"]}""", "a.py d/b.py d/e/f.py")]
    [TestCase("""{"include_patterns":["*.txt","a.*"]}""", "a.py d/c.txt")]
    [TestCase("""{"include_patterns":["d/*.py"]}""", "d/b.py")]
    [TestCase("""{"include_patterns":["d"]}""", "d/b.py d/c.txt d/e/f.py")]
    [TestCase("""{"exclude_patterns":["*.py"]}""", "d/c.txt")]
    [TestCase("""{"exclude_patterns":["e","*.txt"]}""", "a.py d/b.py")]
    [TestCase("""{"exclude_patterns":["d/**"]}""", "a.py")]
    [TestCase("""{"include_patterns":["**/*.py"],"exclude_patterns":["d/e"]}""", "a.py d/b.py")]
    [TestCase("""{"include_patterns":[],"exclude_patterns":null}""", "a.py d/b.py d/c.txt d/e/f.py")]
    public async Task Search_Patterns_ChooseTheFiles(string options, string files)
    {
        foreach (var name in new[] { "a.py", "d/b.py", "d/c.txt", "d/e/f.py", ".x.py", ".h/a.py" })
            Write(name, "x");
        var answer = await SearchAsync("x", options);
        Assert.That(answer["matches"]!.AsArray().Select(match => (string?)match!["relative_path"]).Order(StringComparer.Ordinal), Is.EqualTo(files.Split(' ')));
        Assert.That((int)answer["files_scanned"]!, Is.EqualTo(files.Split(' ').Length));
    }

    [Test]
    public async Task Search_Limits_CutWhatIsToldAndSaySo()
    {
        Write("a", string.Concat(Enumerable.Repeat("x\n", 60)));
        Write("b", "x\nx\n");
        Write("c", "x\n");
        Write("d", "x\n");

        var answer = await SearchAsync("x");
        Assert.That(((int)answer["matches_returned"]!, (long)answer["total_matches"]!, (bool)answer["truncated"]!, (long)answer["truncated_count"]!), Is.EqualTo((9, 64, true, 55)));

        answer = await SearchAsync("x", """{"max_matches_per_file":1000000}""");
        Assert.That(((int)answer["max_matches_per_file"]!, (int)answer["matches_returned"]!), Is.EqualTo((50, 40)));

        // All that is told has been found in "a" and "b"; one more file shows that there is more, the last is not looked at.
        answer = await SearchAsync("x", """{"max_results":3,"max_matches_per_file":1,"include_patterns":["b","c","d"]}""");
        Assert.That(Found(answer), Is.EqualTo(new[] { "b:1:[[0,1]]", "c:1:[[0,1]]", "d:1:[[0,1]]" }));
        answer = await SearchAsync("x", """{"max_results":2,"include_patterns":["b","c","d"]}""");
        Assert.That(((int)answer["files_scanned"]!, (bool)answer["truncated"]!, (long)answer["truncated_count"]!), Is.EqualTo((2, true, 1)));
        answer = await SearchAsync("x", """{"max_results":2,"include_patterns":["b"]}""");
        Assert.That(((bool)answer["truncated"]!, answer.ContainsKey("truncated_count")), Is.EqualTo((false, false)));

        answer = await SearchAsync("x", """{"max_results":1000000,"max_file_size":999999999,"max_line_length":999999}""");
        Assert.That(((int)answer["max_results"]!, (int)answer["max_file_size"]!, (int)answer["max_line_length"]!), Is.EqualTo((500, 64 << 20, 10_000)));
    }

    [Test]
    public async Task Search_LongLines_AreCutWithTheirMatches()
    {
        Write("f", "ab-ab😀ab");
        var match = (await SearchAsync("ab", """{"max_line_length":4}"""))["matches"]![0]!;
        Assert.That(((string?)match["line"], match["match_spans"]!.ToJsonString(), (int)match["match_count"]!, (bool)match["line_truncated"]!), Is.EqualTo(("ab-a", "[[0,2],[3,4]]", 3, true)));
        // The sixth unit is half of the picture.
        match = (await SearchAsync("ab", """{"max_line_length":6}"""))["matches"]![0]!;
        Assert.That(((string?)match["line"], (bool)match["line_truncated"]!), Is.EqualTo(("ab-ab", true)));
        match = (await SearchAsync("ab", """{"max_line_length":9}"""))["matches"]![0]!;
        Assert.That(((string?)match["line"], (bool)match["line_truncated"]!), Is.EqualTo(("ab-ab😀ab", false)));
    }

    [Test]
    public async Task Search_WhatIsNoTextOrTooLarge_IsPassedOver()
    {
        Write("binary", "x\0x");
        Write("large", new string('x', 101));
        Write("fits", new string('x', 100));
        Write("empty", "");
        Write("latin", [0xFF, (byte)'x']);
        Write("marked", "\uFEFFx");
        Pipe("pipe");
        var answer = await SearchAsync("x", """{"max_file_size":100}""");
        Assert.That(answer["matches"]!.AsArray().Select(match => (string?)match!["relative_path"]), Is.EqualTo(new[] { "fits", "latin", "marked" }));
        Assert.That((int)answer["files_scanned"]!, Is.EqualTo(4));
        Assert.That(Found(await SearchAsync("^x$", """{"regex":true}""")), Is.EqualTo(new[] { "marked:1:[[0,1]]" }));
    }

    [Test]
    public async Task Search_Links_AreFollowedToFilesAndNotToFolders()
    {
        Write("d/f", "x");
        Link("d/up", "..");
        Link("d/self", ".");
        Link("file", "d/f");
        Link("pipe", Pipe("p"));
        Link("broken", "nowhere");
        var answer = await SearchAsync("x");
        Assert.That(Found(answer), Is.EqualTo(new[] { "file:1:[[0,1]]", "d/f:1:[[0,1]]" }));
        Assert.That(answer.ContainsKey("errors"), Is.False);
    }

    [Test]
    public void Search_WhatMayNotBeRead_IsToldInBounds()
    {
        Write("f", "x");
        for (var i = 0; i < 30; i++)
            SetMode(Write($"closed{i:D2}", "x"), "0");
        Write("folder/f", "x");
        SetMode(In("folder"), "0");
        try
        {
            var answer = AsNobody(() => _actions.Search(Request(For("x")), default));
            Assert.That(Found(answer), Is.EqualTo(new[] { "f:1:[[0,1]]" }));
            Assert.That(answer["errors"]!.AsArray(), Has.Count.EqualTo(20));
            Assert.That((string?)answer["errors"]![0], Is.EqualTo($"Permission denied: {In("closed00")}"));
            answer = AsNobody(() => _actions.Search(Request(For("x", """{"exclude_patterns":["closed*"]}""")), default));
            Assert.That(answer["errors"]!.AsArray().Select(error => (string?)error), Is.EqualTo(new[] { $"Permission denied: {In("folder")}" }));
        }
        finally
        {
            SetMode(In("folder"), "755");
        }
    }

    [Test]
    public async Task Search_ExpressionThatWouldTakeForEver_EndsInTime()
    {
        Write("f", new string('a', 50_000) + "!\nb");
        // Without looking around it takes no time at all.
        Assert.That(Found(await SearchAsync("^(a+)+$", """{"regex":true}""")), Is.Empty);
        Assert.That((await SearchAsync("((a{1,99}b?){1,99}b?){1,99}b", """{"regex":true,"whole_word":true}""")).ContainsKey("matches"), Is.True);
        var answer = await SearchAsync("^(?=a)(a+)+$", """{"regex":true}""");
        Assert.That(answer["errors"]!.AsArray().Select(error => (string?)error), Is.EqualTo(new[] { $"Search took too long: {In("f")}" }));
    }

    [Test]
    public async Task Search_OverItsTime_TellsWhatItHas()
    {
        for (var i = 0; i < 5; i++)
            Write($"{i}", "x\nx\nx\n");
        var actions = new SearchActions(new DevicePaths(null), new HurriedTime(TimeSpan.FromSeconds(1)));
        var answer = await FileRig.AskAsync(actions, "file_search", For("x"));
        Assert.That(((bool)answer["truncated"]!, (int)answer["files_scanned"]!), Is.EqualTo((true, 2)));
        Assert.That(answer["matches"]!.AsArray(), Is.Not.Empty);
    }

    [Test]
    public async Task Search_WhereNoFolderIs_SaysSo()
    {
        var file = Write("f", "x");
        foreach (var (path, words) in new[] { (In("missing"), "Directory not found"), (Path.Join(file, "below"), "Directory not found"), (file, "Path is not a directory") })
            Assert.That(await RefusedAsync(new JsonObject { ["root_path"] = path, ["query"] = "x" }), Is.EqualTo($"{words}: {path}"));
    }

    [TestCase("{}", "root_path parameter is required")]
    [TestCase("""{"root_path":"/tmp"}""", "query parameter is required")]
    [TestCase("""{"root_path":"/tmp","query":""}""", "query parameter is required")]
    [TestCase("""{"root_path":7,"query":"x"}""", "root_path parameter must be a string")]
    [TestCase("""{"root_path":"/tmp","query":"x","regex":1}""", "regex parameter must be true or false")]
    [TestCase("""{"root_path":"/tmp","query":"x","max_results":0}""", "max_results parameter must be 1 to 9223372036854775807")]
    [TestCase("""{"root_path":"/tmp","query":"x","include_patterns":"*.py"}""", "include_patterns parameter must be a list of strings")]
    [TestCase("""{"root_path":"/tmp","query":"x","exclude_patterns":[1]}""", "exclude_patterns parameter must be a list of strings")]
    [TestCase("""{"root_path":"/tmp","query":"x","exclude_patterns":[""]}""", "Invalid pattern (1 to 1000 characters): ")]
    public async Task Search_ArgumentsThatMakeNoSense_AreRefused(string arguments, string words) =>
        Assert.That(await RefusedAsync(JsonNode.Parse(arguments)!.AsObject()), Is.EqualTo(words));

    [TestCase("(")]
    [TestCase("[a")]
    [TestCase("*")]
    [TestCase("a)|(b")]
    public async Task Search_ForWhatIsNoExpression_IsRefused(string query)
    {
        Assert.That(await RefusedAsync(For(query, """{"regex":true}""")), Does.StartWith("Invalid regular expression: "));
        Assert.That(await RefusedAsync(For(query, """{"regex":true,"whole_word":true}""")), Does.StartWith("Invalid regular expression: "));
        Assert.That(Found(await SearchAsync(query)), Is.Empty);
    }

    [Test]
    public async Task Search_ForVeryMuch_IsRefused()
    {
        Assert.That(await RefusedAsync(For(new string('x', 4097))), Does.StartWith("query parameter must not be longer"));
        var patterns = new JsonArray([.. Enumerable.Range(0, 101).Select(i => (JsonNode)$"{i}")]);
        var arguments = For("x");
        arguments["include_patterns"] = patterns;
        Assert.That(await RefusedAsync(arguments), Does.StartWith("include_patterns parameter must not hold more than"));
    }

    [Test]
    public void Search_GivenUp_Ends() =>
        Assert.That(() => _actions.Search(Request(new JsonObject { ["root_path"] = "/usr", ["query"] = "x" }), new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());

    /// <summary>Time that passes whenever somebody looks.</summary>
    private sealed class HurriedTime(TimeSpan step) : TimeProvider
    {
        private long _looks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Increment(ref _looks) * step.Ticks;
    }
}
