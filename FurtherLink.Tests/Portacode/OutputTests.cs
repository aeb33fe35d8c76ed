using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Portacode;

/// <summary>Output of terminals: raw or as events, cut anywhere, with offsets, again, and over several connections.</summary>
[TestFixture(Spelling.Document)]
[TestFixture(Spelling.Legacy)]
[TestFixture(Spelling.Current)]
internal sealed class OutputTests(Spelling spelling) : DeviceFixture
{
    private const string Text = "aß€😀\u0301\"\\\u001b[0m\u0000\u007fz";

    [Test]
    public async Task Output_CutAtEachByte_IsWhole([Values] bool announced)
    {
        var gateway = await ConnectAsync(spelling);
        if (announced)
            await AnnounceAsync(gateway);
        var program = await StartFakeAsync();
        var id = (string)(await gateway.UntilAsync("terminal_started"))["terminal_id"]!;
        var bytes = Encoding.UTF8.GetBytes(Text);
        var offset = 0L;
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            await program.PrintAsync(bytes.AsMemory(0, cut));
            // What is whole has come before the rest is printed, so that each is a piece of its own.
            var whole = Encoding.UTF8.GetString(bytes.AsSpan(0, WholeLength(bytes.AsSpan(0, cut))));
            var text = await ReadAsync(gateway, id, whole.Length, offset);
            Assert.That(text, Is.EqualTo(whole), $"cut at {cut}");
            offset += Encoding.UTF8.GetByteCount(whole);
            await program.PrintAsync(bytes.AsMemory(cut));
            text += await ReadAsync(gateway, id, Text.Length - text.Length, offset);
            Assert.That(text, Is.EqualTo(Text), $"cut at {cut}");
            offset += bytes.Length - Encoding.UTF8.GetByteCount(whole);
        }

        foreach (var one in bytes)
            await program.PrintAsync(new[] { one });
        Assert.That(await ReadAsync(gateway, id, Text.Length, offset), Is.EqualTo(Text), "byte by byte");
    }

    [TestCase(new byte[] { 0x61, 0xFF, 0x62 }, "a\uFFFDb")]
    [TestCase(new byte[] { 0xE2, 0x82, 0x62 }, "\uFFFDb")]
    [TestCase(new byte[] { 0xC0, 0xAF, 0x62 }, "\uFFFD\uFFFDb")]
    [TestCase(new byte[] { 0xF0, 0x9F, 0x98, 0xE2, 0x82, 0xAC }, "\uFFFD€")]
    [TestCase(new byte[] { 0xED, 0xA0, 0x80, 0x62 }, "\uFFFD\uFFFD\uFFFDb")]
    public async Task Output_ThatIsNoUtf8_IsReplaced(byte[] bytes, string text)
    {
        var gateway = await ConnectAsync(spelling);
        var program = await StartFakeAsync();
        var id = (string)(await gateway.UntilAsync("terminal_started"))["terminal_id"]!;
        foreach (var one in bytes)
            await program.PrintAsync(new[] { one });
        Assert.That(await ReadAsync(gateway, id, text.Length, null), Is.EqualTo(text));
    }

    [Test]
    public async Task Output_ThatEndsWithinACharacter_IsToldBeforeTheExit()
    {
        var gateway = await ConnectAsync(spelling);
        var program = await StartFakeAsync();
        var id = (string)(await gateway.UntilAsync("terminal_started"))["terminal_id"]!;
        await program.PrintAsync(new byte[] { 0x61, 0xE2, 0x82 });
        program.Exit(5);
        var frames = await gateway.CollectAsync(payload => (string?)payload["event"] == "terminal_exit");
        Assert.That(string.Concat(frames.Select(frame => GatewayClient.OutputOf(frame, id))), Is.EqualTo("a\uFFFD"));
        Assert.That((int)frames[^1]["payload"]!["returncode"]!, Is.EqualTo(5));
    }

    [Test]
    public async Task Output_BecomesEvents_OnceASessionIsAnnounced()
    {
        var gateway = await ConnectAsync(spelling);
        var id = await gateway.StartAsync("/bin/cat", new JsonObject { ["project_id"] = "p" });
        await gateway.TypeAsync(id, "raw\n");
        var frames = await gateway.CollectAsync(_ => true);
        while (string.Concat(frames.Select(frame => GatewayClient.OutputOf(frame, id))).Length < 10)
            frames.Add((await gateway.NextAsync())!.AsObject());
        var raw = frames.Where(frame => GatewayClient.OutputOf(frame, id) is not null).ToList();
        Assert.That(raw, Is.Not.Empty);
        foreach (var frame in raw)
            Assert.That((frame.Count, (string?)frame["channel"], (string?)frame["device_channel"], frame["payload"] is JsonValue), Is.EqualTo((3, id, id, true)));
        await AnnounceAsync(gateway);
        await gateway.TypeAsync(id, "told\n");
        var data = await gateway.UntilAsync("terminal_data");
        Assert.That(
            ((string?)data["terminal_id"], (string?)data["channel"], (string?)data["project_id"], (long)data["offset"]!, (string?)data["client_channels"]![0]),
            Is.EqualTo((id, id, "p", 10L, "all")));
    }

    [Test]
    public async Task Input_OnATerminalsChannel_IsTyped([Values("channel", "device_channel")] string member)
    {
        var gateway = await ConnectAsync(spelling);
        var id = await gateway.StartAsync("/bin/cat");
        await gateway.SendAsync(new JsonObject { [member] = id, ["payload"] = "tüped 😀\n" });
        await gateway.OutputUntilAsync(id, "tüped 😀\r\ntüped 😀\r\n");
        Assert.That(await gateway.DrainAsync(), Is.Empty, "it has no answer");
    }

    [Test]
    public async Task Input_KeepsItsOrder()
    {
        var gateway = await ConnectAsync(spelling);
        var id = await gateway.StartAsync();
        await gateway.TypeAsync(id, "stty -echo -onlcr; PS1=; echo re''ady; cat\n");
        await gateway.OutputUntilAsync(id, "ready\n");
        var expected = new StringBuilder();
        for (var i = 0; i < 500; i++)
        {
            expected.Append(i).Append('\n');
            await gateway.TypeAsync(id, $"{i}\n");
        }

        Assert.That(await gateway.OutputUntilAsync(id, "\n499\n"), Is.EqualTo(expected.ToString()));
    }

    [Test]
    public async Task Output_OfOneTerminal_ReachesTwoGateways()
    {
        var first = await ConnectAsync(spelling);
        var second = await ConnectAsync(spelling);
        var id = await first.StartAsync("/bin/cat");
        Assert.That((string?)(await second.UntilAsync("terminal_started"))["terminal_id"], Is.EqualTo(id));
        await second.TypeAsync(id, "both\n");
        await first.OutputUntilAsync(id, "both\r\nboth\r\n");
        await second.OutputUntilAsync(id, "both\r\nboth\r\n");
        await first.TypeAsync(id, "\u0004");
        Assert.That((string?)(await second.UntilAsync("terminal_exit"))["terminal_id"], Is.EqualTo(id));
        Assert.That((string?)(await first.UntilAsync("terminal_exit"))["terminal_id"], Is.EqualTo(id));
    }

    [Test]
    public async Task Replay_FromEachOffset_GivesTheRest()
    {
        var gateway = await ConnectAsync(spelling);
        await AnnounceAsync(gateway);
        var program = await StartFakeAsync();
        var id = (string)(await gateway.UntilAsync("terminal_started"))["terminal_id"]!;
        await program.PrintAsync("plain text");
        await ReadAsync(gateway, id, 10, 0);
        for (var from = 0; from <= 10; from++)
        {
            var replayed = await gateway.AnswerAsync("terminal_replay", new JsonObject { ["terminal_id"] = id, ["from"] = from }, "terminal_data");
            Assert.That(((string?)replayed["data"], (long)replayed["offset"]!, (string?)replayed["client_channels"]![0]), Is.EqualTo(("plain text"[from..], (long)from, "A")));
        }

        foreach (var from in new[] { "-1", "11", "1e30", "\"0\"", "0.5", "[]" })
            Assert.That((string?)(await gateway.ErrorAsync("terminal_replay", new JsonObject { ["terminal_id"] = id, ["from"] = JsonNode.Parse(from) }))["message"], Does.StartWith("from parameter must be"));
    }

    [Test]
    public async Task Buffer_OfALoudTerminal_EndsWithTheNewestAndStaysShort()
    {
        var gateway = await ConnectAsync(spelling);
        var id = await gateway.StartAsync();
        await gateway.TypeAsync(id, "stty -echo -onlcr; PS1=; seq 1 200000; echo en''d\n");
        await gateway.OutputUntilAsync(id, "\nend\n");
        var row = (await gateway.AnswerAsync("terminal_list", null, "terminal_list"))["sessions"]!.AsArray().Single()!;
        Assert.That((string?)row["buffer"], Has.Length.LessThan(400_000).And.EndsWith("199999\n200000\nend\n"));
    }

    [Test]
    public async Task Row_OfATerminal_HasItsFields()
    {
        var gateway = await ConnectAsync(spelling);
        var started = await gateway.AnswerAsync("terminal_start", new JsonObject { ["shell"] = "/bin/cat", ["cwd"] = "/usr", ["cols"] = 100, ["rows"] = 40 }, "terminal_started");
        var id = (string?)started["terminal_id"];
        Assert.That(((int)started["cols"]!, (int)started["rows"]!), Is.EqualTo((100, 40)));
        Assert.That((started.ContainsKey("project_id"), started["project_id"]), Is.EqualTo((true, (JsonNode?)null)));
        var row = (await gateway.AnswerAsync("terminal_list", null, "terminal_list"))["sessions"]!.AsArray().Single()!.AsObject();
        Assert.That(
            ((string?)row["terminal_id"], (string?)row["channel"], (string?)row["device_channel"], (int)row["pid"]!, (string?)row["buffer"], (string?)row["status"], (string?)row["shell"], (string?)row["cwd"]),
            Is.EqualTo((id, id, id, (int)started["pid"]!, "", "active", "/bin/cat", "/usr")));
        foreach (var name in new[] { "returncode", "project_id" })
            Assert.That((row.ContainsKey(name), row[name]), Is.EqualTo((true, (JsonNode?)null)), name);
        Assert.That((double)row["created_at"]!, Is.GreaterThan(1.6e9));
    }

    private static async Task AnnounceAsync(GatewayClient gateway) => await gateway.AnswerAsync(
        "session_subscribe", new JsonObject { ["client_channel"] = "all", ["action"] = "connect", ["filters"] = new JsonArray(new JsonObject()) }, "session_subscribe_ack");

    private async Task<FakeProcess> StartFakeAsync()
    {
        await Host.Sessions.StartAsync(new RunRequest("fake") { Terminal = new TerminalSize(24, 80) });
        return await Host.Runner.NextAsync();
    }

    private static int WholeLength(ReadOnlySpan<byte> bytes)
    {
        var length = bytes.Length;
        while (length > 0 && Rune.DecodeLastFromUtf8(bytes[..length], out _, out _) is not System.Buffers.OperationStatus.Done)
            length--;
        return length;
    }

    /// <summary>Reads so many characters of a terminal's output, whose offsets must follow on each other where they are told.</summary>
    private static async Task<string> ReadAsync(GatewayClient gateway, string terminal, int length, long? offset)
    {
        var text = "";
        while (text.Length < length)
        {
            var frame = (await gateway.NextAsync())!;
            if (GatewayClient.OutputOf(frame, terminal) is not { } piece)
                continue;
            if (frame["payload"] is JsonObject data && offset is not null)
            {
                Assert.That((long)data["offset"]!, Is.EqualTo(offset));
                offset = (long)data["next_offset"]!;
            }

            text += piece;
        }

        return text;
    }
}
