using System.Text.Json.Nodes;
using FurtherLink.Transports.Portacode;
using FurtherLink.Transports.Portacode.Files;
using FurtherLink.Transports.Portacode.Transfers;

namespace FurtherLink.Tests.Portacode.Files;

[TestFixture]
internal sealed class FileReadTests : FilesFixture
{
    private Task<JsonObject> ReadAsync(string path) => AskAsync("file_read", new JsonObject { ["path"] = path });

    private Task<string> RefusedAsync(string path) => RefusalAsync("file_read", new JsonObject { ["path"] = path });

    [TestCase("")]
    [TestCase("a\r\nb\rc\n\n")]
    [TestCase("\uFEFFmarked")]
    [TestCase("ä€😀\0\u0001\u2028")]
    public async Task Read_Text_IsGivenAsItIsWithItsSizeInBytes(string content)
    {
        var path = Write("f", content);
        var answer = await ReadAsync(path);
        Assert.That(answer.Select(field => field.Key), Is.EqualTo(new[] { "path", "content", "size" }));
        Assert.That(((string?)answer["path"], (string?)answer["content"], (int?)answer["size"]), Is.EqualTo((path, content, Utf8.GetByteCount(content))));
    }

    [Test]
    public async Task Read_Answer_IsCalledAfterTheAction()
    {
        var events = await FileRig.AskAllAsync(Actions, "file_read", new JsonObject { ["path"] = Write("f", "x") });
        Assert.That(events.Select(answer => answer.Name), Is.EqualTo(new[] { "file_read_response" }));
    }

    [Test]
    public async Task Read_TextCutAtEveryByte_IsTextOnlyBetweenCharacters()
    {
        const string Text = "aä€😀z";
        var bytes = Utf8.GetBytes(Text);
        for (var length = 0; length <= bytes.Length; length++)
        {
            var path = Write("f", bytes[..length]);
            var whole = Text.EnumerateRunes().Aggregate((Taken: 0, Text: ""), (state, rune) => state.Taken + rune.Utf8SequenceLength <= length ? (state.Taken + rune.Utf8SequenceLength, state.Text + rune) : (int.MaxValue / 2, state.Text));
            if (Utf8.GetByteCount(whole.Text) == length)
                Assert.That((string?)(await ReadAsync(path))["content"], Is.EqualTo(whole.Text), $"{length} bytes");
            else
                Assert.That(await RefusedAsync(path), Is.EqualTo($"File is not text or uses unsupported encoding: {path}"), $"{length} bytes");
        }
    }

    [TestCase(new byte[] { 0xFF })]
    [TestCase(new byte[] { 0xC0, 0x80 })]
    [TestCase(new byte[] { 0xED, 0xA0, 0x80 })]
    [TestCase(new byte[] { 0xF4, 0x90, 0x80, 0x80 })]
    [TestCase(new byte[] { 0x80 })]
    public async Task Read_WhatIsNoUtf8_IsRefusedWholeAndByPages(byte[] bytes)
    {
        var path = Write("f", [(byte)'a', (byte)'\n', .. bytes]);
        var words = $"File is not text or uses unsupported encoding: {path}";
        Assert.That(await RefusedAsync(path), Is.EqualTo(words));
        Assert.That(await RefusalAsync("file_read", new JsonObject { ["path"] = path, ["max_lines"] = 1 }), Is.EqualTo(words));
    }

    [Test]
    public async Task Read_NothingThere_IsNotFound()
    {
        var file = Write("f", "x");
        foreach (var path in new[] { In("missing"), In("no/such"), Path.Join(file, "below"), Link("broken", "nowhere"), Link("circle", "circle") })
            Assert.That(await RefusedAsync(path), Is.EqualTo($"File not found: {path}"));
    }

    [Test]
    public async Task Read_WhatIsNoFile_IsRefusedWithoutWaiting()
    {
        Assert.That(await RefusedAsync(Folder), Is.EqualTo($"[Errno 21] Is a directory: '{Folder}'"));
        foreach (var path in new[] { Pipe("pipe"), "/dev/zero", "/dev/tty", Link("to-pipe", "pipe") })
            Assert.That(await RefusedAsync(path), Is.EqualTo($"Not a regular file: {path}"));
    }

    [TestCase("{}", "path parameter is required")]
    [TestCase("""{"path":""}""", "path parameter is required")]
    [TestCase("""{"path":null}""", "path parameter is required")]
    [TestCase("""{"path":0}""", "path parameter must be a string")]
    [TestCase("""{"path":["/etc/passwd"]}""", "path parameter must be a string")]
    [TestCase("""{"path":"/etc/passwd\u0000x"}""", "Invalid path: it holds a NUL character")]
    [TestCase("""{"path":"/etc/passwd","encoding":"klingon"}""", "Unknown encoding: klingon")]
    [TestCase("""{"path":"/etc/passwd","start_line":"1"}""", "start_line parameter must be a whole number")]
    [TestCase("""{"path":"/etc/passwd","end_line":1.5}""", "end_line parameter must be a whole number")]
    [TestCase("""{"path":"/etc/passwd","max_lines":0}""", "max_lines parameter must be 1 to 9223372036854775807")]
    public async Task Read_ArgumentsThatMakeNoSense_AreRefused(string arguments, string words) =>
        Assert.That(await RefusalAsync("file_read", JsonNode.Parse(arguments)!.AsObject()), Is.EqualTo(words));

    [Test]
    public async Task Read_NamesTooLong_AreRefusedInTheSystemsWords()
    {
        foreach (var path in new[] { In(new string('n', 300)), "/" + string.Concat(Enumerable.Repeat("d/", 3000)) + "f" })
            Assert.That(await RefusedAsync(path), Does.StartWith("[Errno 36] File name too long"));
    }

    [Test]
    public void Read_WithoutRights_IsDenied()
    {
        var closed = Write("closed", "x");
        SetMode(closed, "0");
        var below = Write("folder/f", "x");
        SetMode(In("folder"), "0");
        try
        {
            foreach (var path in new[] { closed, below })
                Assert.That(RefusalAsNobody(() => Actions.Read(Request(new JsonObject { ["path"] = path }), default)), Is.EqualTo($"Permission denied: {path}"));
        }
        finally
        {
            SetMode(In("folder"), "755");
        }
    }

    [Test]
    public async Task Read_InPieces_IsPutTogetherAgain_AndFoundByItsHash()
    {
        var text = string.Concat(Enumerable.Repeat("Zeile € 😀\n", 20_000));
        var contents = new ContentStore();
        var actions = new FileActions(new DevicePaths(null), new PortacodeOptions(), contents);
        var answers = (await FileRig.AskAllAsync(actions, "file_read", new JsonObject { ["path"] = Write("long", text), ["chunked"] = true })).Select(answer => answer.Fields).ToList();
        Assert.That(answers, Has.Count.GreaterThan(4));
        Assert.That(string.Concat(answers.Select(answer => (string)answer["content"]!)), Is.EqualTo(text));
        Assert.That(answers.Select(answer => (int)answer["chunk_index"]!), Is.EqualTo(Enumerable.Range(0, answers.Count)));
        Assert.That(answers.Select(answer => (bool)answer["is_final_chunk"]!).Count(isFinal => isFinal), Is.EqualTo(1));
        Assert.That(contents.TryGet((string)answers[0]["content_hash"]!, out var kept) && kept.AsSpan().SequenceEqual(Utf8.GetBytes(text)), Is.True);
        Assert.That((string?)answers[0]["path"], Is.EqualTo(In("long")));
    }

    [Test]
    public async Task Read_OverTheLimit_SaysSo()
    {
        var actions = new FileActions(new DevicePaths(null), new PortacodeOptions { FileReadLimit = 4096 }, new ContentStore());
        var fits = Write("fits", new string('x', 4096));
        var large = Write("large", new string('x', 4097));
        Assert.That((int?)(await FileRig.AskAsync(actions, "file_read", new JsonObject { ["path"] = fits }))["size"], Is.EqualTo(4096));
        foreach (var paged in new[] { false, true })
        {
            var arguments = new JsonObject { ["path"] = large };
            if (paged)
                arguments["start_line"] = 1;
            Assert.That(await FileRig.RefusalAsync(actions, "file_read", arguments), Is.EqualTo($"File is too large to read (more than 4096 bytes): {large}"));
        }

        var lines = Write("lines", string.Concat(Enumerable.Repeat("0123456789\n", 10_000)));
        var page = await FileRig.AskAsync(actions, "file_read", new JsonObject { ["path"] = lines, ["start_line"] = 9_999 });
        Assert.That(((string?)page["content"], (long?)page["size"]), Is.EqualTo(("0123456789\n0123456789\n", 110_000)));
    }

    [TestCase(0)]
    [TestCase(4095)]
    [TestCase(134217729)]
    public void ReadLimit_OutOfRange_IsRefused(int limit) =>
        Assert.That(() => new PortacodeOptions { FileReadLimit = limit }, Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public async Task Read_FileThatSaysItIsEmptyAndIsNot_IsRead()
    {
        var answer = await ReadAsync("/proc/self/stat");
        Assert.That((string?)answer["content"], Does.StartWith($"{Environment.ProcessId} ("));
        Assert.That((int?)answer["size"], Is.GreaterThan(0));
    }

    [Test]
    public async Task Read_RelativePath_BeginsAtTheWorkingDirectory()
    {
        var path = Path.GetRelativePath(Environment.CurrentDirectory, Write("f", "found"));
        Assert.That(path, Does.StartWith("../"));
        var answer = await ReadAsync(path);
        Assert.That(((string?)answer["content"], (string?)answer["path"]), Is.EqualTo(("found", path)));
    }

    [Test]
    public async Task Read_DotsBehindALink_GoUpFromWhereItLeads()
    {
        Write("a/b/f", "");
        Write("a/x", "behind the link");
        Write("x", "before the link");
        Link("link", "a/b");
        Assert.That((string?)(await ReadAsync(In("link/../x")))["content"], Is.EqualTo("behind the link"));
    }

    [TestCase("latin-1", new byte[] { 0xE4, 0x0A }, "ä\n", "latin-1")]
    [TestCase("ISO_8859_1", new byte[] { 0xE4 }, "ä", "latin-1")]
    [TestCase("utf-16-le", new byte[] { 0xE4, 0, 0x0A, 0 }, "ä\n", "utf-16-le")]
    [TestCase("UTF-16BE", new byte[] { 0, 0xE4 }, "ä", "utf-16-be")]
    [TestCase("ascii", new byte[] { 0x41 }, "A", "ascii")]
    [TestCase("UTF8", new byte[] { 0xC3, 0xA4 }, "ä", "utf-8")]
    public async Task Read_OtherEncodings_AreRead(string name, byte[] bytes, string content, string shown)
    {
        var path = Write("f", bytes);
        var whole = await AskAsync("file_read", new JsonObject { ["path"] = path, ["encoding"] = name });
        Assert.That((string?)whole["content"], Is.EqualTo(content));
        var page = await AskAsync("file_read", new JsonObject { ["path"] = path, ["encoding"] = name, ["start_line"] = 1 });
        Assert.That(((string?)page["content"], (string?)page["encoding"]), Is.EqualTo((content, shown)));
    }

    [TestCase("ascii", new byte[] { 0x80 })]
    [TestCase("utf-16-le", new byte[] { 0x00, 0xD8 })]
    [TestCase("utf-16-le", new byte[] { 0x41 })]
    public async Task Read_WhatIsNoTextOfAnEncoding_IsRefused(string name, byte[] bytes)
    {
        var path = Write("f", bytes);
        foreach (var paged in new[] { false, true })
        {
            var arguments = new JsonObject { ["path"] = path, ["encoding"] = name };
            if (paged)
                arguments["max_lines"] = 5;
            Assert.That(await RefusalAsync("file_read", arguments), Is.EqualTo($"File is not text or uses unsupported encoding: {path}"));
        }
    }
}
