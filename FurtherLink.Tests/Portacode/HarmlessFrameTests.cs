using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Codecs;

namespace FurtherLink.Tests.Portacode;

/// <summary>Whatever a gateway sends, the connection and the terminals live on.</summary>
[TestFixture(Spelling.Document)]
[TestFixture(Spelling.Legacy)]
[TestFixture(Spelling.Current)]
internal sealed class HarmlessFrameTests(Spelling spelling) : DeviceFixture
{
    private const int Deep = 100_000;

    private static IEnumerable<string> Nonsense =>
    [
        "", " ", "null", "true", "17", "-0", "1e999", "\"x\"", "[]", "{}", "[1,2", "{\"channel\":0", "nul", "{]", "\u0000", "ok", "{\"challenge\":\"x\"}",
        """{"channel":0}""", """{"payload":{}}""", """{"channel":0,"payload":null}""", """{"channel":0,"payload":17}""", """{"channel":0,"payload":[]}""",
        """{"channel":0,"payload":"x"}""", """{"channel":0,"payload":""}""", """{"channel":0,"payload":"null"}""", """{"channel":0,"payload":"[1]"}""",
        """{"channel":0,"payload":"\"{}\""}""", """{"channel":0,"payload":{}}""", """{"channel":0,"payload":{"cmd":null}}""",
        """{"channel":0,"payload":{"cmd":17}}""", """{"channel":0,"payload":{"cmd":{"a":1}}}""", """{"channel":0,"payload":{"cmd":"\ud800"}}""",
        """{"channel":0,"payload":{"event":"terminal_list"}}""", """{"channel":0,"payload":{"event":"error","message":"x"}}""",
        """{"channel":"no-such-terminal","payload":"typed"}""", """{"channel":"no-such-terminal","payload":{"cmd":"terminal_list"}}""",
        """{"channel":1,"payload":{"cmd":"terminal_list"}}""", """{"channel":-1,"payload":"x"}""", """{"channel":1e400,"payload":"x"}""",
        """{"channel":0.5,"payload":"x"}""", """{"channel":"\ud800","payload":"x"}""", """{"channel":"","payload":"x"}""",
        """{"\ud800":0,"payload":"x"}""", """{"channel":0,"\udfff":1}""", """{"channel":0,"payload":{"\ud800":"terminal_list"}}""",
        """{"channel":0,"payload":"{\"cmd\":17}"}""", """{"channel":0,"payload":"\ud800"}""",
        """{"channel":0,"channel":0,"payload":{},"payload":17}""",
        new string('[', Deep), new string('{', Deep), new string('[', Deep) + new string(']', Deep), Nest("{\"a\":", "1", "}"),
        Nest("{\"payload\":", "1", "}"), $$$"""{"channel":{{{new string('[', Deep)}}}{{{new string(']', Deep)}}},"payload":"x"}""",
        $$$"""{"channel":0,"payload":{{{new string('[', Deep)}}}{{{new string(']', Deep)}}}}""", $$$"""{"channel":0,"payload":{{{Nest("{\"payload\":", "1", "}")}}}}""",
        $$$"""{"channel":0,"payload":{"event":"x","deep":{{{Nest("[", "1", "]")}}}}}""",
    ];

    private static IEnumerable<string> Answered =>
    [
        """{"channel":{"a":1},"payload":{"cmd":"terminal_start","shell":"/bin/cat"}}""",
        """{"channel":[0],"payload":{"cmd":"terminal_start"}}""",
        """{"channel":null,"payload":{"cmd":"terminal_start"}}""",
        """{"payload":{"cmd":"terminal_start"}}""",
        """{"channel":0,"payload":{"cmd":""}}""",
        """{"channel":0,"payload":{"cmd":"open"}}""",
        """{"channel":0,"payload":{"cmd":"refused"}}""",
        """{"channel":0,"payload":{"cmd":"exit"}}""",
        """{"channel":0,"payload":{"cmd":"../x"}}""",
        """{"channel":0,"payload":{"cmd":"a.b"}}""",
        """{"channel":0,"payload":{"cmd":"x\u0000\u001b[31m"}}""",
        """{"channel":0,"payload":{"cmd":"terminal_send"}}""",
        """{"channel":0,"payload":{"cmd":"terminal_send","terminal_id":17,"data":"x"}}""",
        """{"channel":0,"payload":{"cmd":"terminal_send","terminal_id":"x","data":"\ud800"}}""",
        """{"channel":0,"payload":{"cmd":"terminal_send","terminal_id":"\ud800","data":"x"}}""",
        """{"channel":0,"payload":{"cmd":"terminal_send","terminal_id":"x","data":{"a":1}}}""",
        """{"channel":0,"payload":{"cmd":"terminal_send","terminal_id":"x","\ud800":"x"}}""",
        """{"channel":0,"payload":{"cmd":"terminal_stop","terminal_id":[]}}""",
        """{"channel":0,"payload":{"cmd":"terminal_start","shell":17}}""",
        """{"channel":0,"payload":{"cmd":"terminal_start","shell":"a\u0000b"}}""",
        """{"channel":0,"payload":{"cmd":"terminal_start","cwd":"a\u0000b"}}""",
        """{"channel":0,"payload":{"cmd":"terminal_start","cwd":"\udc00"}}""",
        """{"channel":0,"payload":{"cmd":"terminal_start","cols":0}}""",
        """{"channel":0,"payload":{"cmd":"terminal_start","rows":1e99}}""",
        """{"channel":0,"payload":{"cmd":"terminal_start","project_id":{"a":[]}}}""",
        """{"channel":0,"payload":{"cmd":"terminal_list","project_id":5}}""",
        """{"channel":0,"payload":{"cmd":"terminal_exec"}}""",
        """{"channel":0,"payload":{"cmd":"terminal_exec","command":""}}""",
        """{"channel":0,"payload":{"cmd":"terminal_exec","command":"true","env":[]}}""",
        """{"channel":0,"payload":{"cmd":"terminal_exec","command":"true","env":{"a=b":"x"}}}""",
        """{"channel":0,"payload":{"cmd":"terminal_exec","command":"true","timeout":-1}}""",
        """{"channel":0,"payload":{"cmd":"terminal_exec","command":"true","timeout":1e308}}""",
        """{"channel":0,"payload":{"cmd":"session_subscribe","action":"connect","client_channel":"A","filters":[{"\ud800":1}]}}""",
        """{"channel":0,"payload":{"cmd":"session_subscribe","action":"connect","client_channel":"A","filters":[17]}}""",
        """{"channel":0,"payload":{"cmd":"client_sessions_update","sessions":{}}}""",
        """{"channel":0,"payload":{"cmd":"client_sessions_update","sessions":[{"channel_name":17}]}}""",
        $$$"""{"channel":0,"payload":{"cmd":"terminal_start","shell":{{{Nest("[", "1", "]")}}}}}""",
        $$$"""{"channel":0,"payload":{"cmd":"no_such","deep":{{{Nest("{\"a\":", "1", "}")}}}}}""",
    ];

    [Test]
    public async Task Frame_ThatAsksForNothing_IsPassedOver()
    {
        var gateway = await ConnectAsync(spelling);
        foreach (var text in Nonsense)
        {
            await gateway.Wire.SendAsync(FrameKind.Text, Encoding.UTF8.GetBytes(text));
            Assert.That(await gateway.DrainAsync(), Is.Empty, Short(text));
        }
    }

    [Test]
    public async Task Frame_ThatMakesNoSenseButNamesAnAction_IsAnsweredByAnError()
    {
        var gateway = await ConnectAsync(spelling);
        foreach (var text in Answered)
        {
            await gateway.Wire.SendAsync(FrameKind.Text, Encoding.UTF8.GetBytes(text));
            var frame = (await gateway.NextAsync())!;
            Assert.That((string?)frame["payload"]!["event"], Is.EqualTo("error"), $"{Short(text)} gave {frame.ToJsonString()}");
            Assert.That((string?)frame["payload"]!["message"], Is.Not.Empty.And.Not.Contain("fault"), Short(text));
            Assert.That(await gateway.DrainAsync(), Is.Empty, Short(text));
        }
    }

    [Test]
    public async Task Frame_WithAnUnknownAction_SaysSo([Values("no_such", "open", "refused", "Terminal_list", "", "a.b")] string action)
    {
        var gateway = await ConnectAsync(spelling);
        var error = await gateway.ErrorAsync(action);
        Assert.That((string?)error["message"], Is.EqualTo($"Unknown cmd: {action}"));
    }

    [Test]
    public async Task Request_CutAtEachByte_IsPassedOver()
    {
        var gateway = await ConnectAsync(spelling);
        var request = spelling is Spelling.Document
            ? """{"device_channel":0,"payload":{"command":"no_such","payload":{"path":"/tmp/é\u00e9","n":-1.5e3},"client_channel":"A"}}"""
            : """{"channel":0,"payload":{"cmd":"no_such","path":"/tmp/é\u00e9","n":-1.5e3,"reply_channel":"A"}}""";
        var bytes = Encoding.UTF8.GetBytes(request);
        for (var length = 0; length < bytes.Length; length++)
            await gateway.Wire.SendAsync(FrameKind.Text, bytes.AsMemory(0, length));
        Assert.That(await gateway.DrainAsync(), Is.Empty);
        await gateway.Wire.SendAsync(FrameKind.Text, bytes);
        Assert.That((string?)(await gateway.UntilAsync("error"))["message"], Is.EqualTo("Unknown cmd: no_such"));
    }

    [Test]
    public async Task Request_WithBytesChangedAtRandom_DoesNoHarm()
    {
        var gateway = await ConnectAsync(spelling);
        var seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var bytes = Encoding.UTF8.GetBytes("""{"channel":0,"payload":{"cmd":"terminal_send","terminal_id":"\u0041","data":"\ud83d\ude00é","request_id":"7","client_channel":"A"}}""");
        for (var i = 0; i < 3000; i++)
        {
            var changed = bytes.ToArray();
            for (var change = random.Next(1, 5); change > 0; change--)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            await gateway.Wire.SendAsync(random.Next(2) == 0 ? FrameKind.Text : FrameKind.Binary, changed);
            if (i % 100 != 99)
                continue;
            foreach (var frame in await gateway.DrainAsync())
            {
                Assert.That((string?)frame["payload"]!["event"], Is.EqualTo("error"));
                Assert.That((string?)frame["payload"]!["message"], Does.Not.Contain("fault"));
            }
        }
    }

    [Test]
    public async Task Request_InAText_IsTaken()
    {
        var gateway = await ConnectAsync(spelling);
        await gateway.SendAsync(new JsonObject { ["channel"] = 0, ["payload"] = """{"cmd":"no_such","reply_channel":"A"}""" });
        Assert.That((string?)(await gateway.UntilAsync("error"))["message"], Is.EqualTo("Unknown cmd: no_such"));
        await gateway.SendAsync(new JsonObject { ["device_channel"] = "0", ["payload"] = """{"command":"no_such","payload":{},"client_channel":"B"}""" });
        Assert.That((string?)(await gateway.UntilAsync("error"))["client_channels"]![0], Is.EqualTo("B"));
    }

    [Test]
    public async Task Request_NestedDeeply_IsAnsweredAtOnce([Values("[|]", "{\"a\":|}", "[0,|,0]", "[[],|]")] string level)
    {
        var gateway = await ConnectAsync(spelling);
        var (open, close) = (level.Split('|')[0], level.Split('|')[1]);
        const int Levels = 500_000;
        var text = new StringBuilder("""{"channel":0,"payload":{"cmd":"no_such","deep":""").Insert(47, open, Levels).Append("17");
        text.Insert(text.Length, close, Levels).Append(""","n":5,"request_id":"last"}}""");
        await gateway.Wire.SendAsync(FrameKind.Text, Encoding.UTF8.GetBytes(text.ToString()));
        Assert.That((string?)(await gateway.UntilAsync("error"))["request_id"], Is.EqualTo("last"));
    }

    [Test]
    public async Task Request_OfMegabytes_IsTaken()
    {
        var gateway = await ConnectAsync(spelling);
        var error = await gateway.ErrorAsync("no_such", new JsonObject { ["content"] = new string('x', 3 * 1024 * 1024) });
        Assert.That((string?)error["message"], Is.EqualTo("Unknown cmd: no_such"));
    }

    private static string Nest(string open, string inside, string close) =>
        new StringBuilder().Insert(0, open, Deep).Append(inside).Insert(Deep * open.Length + inside.Length, close, Deep).ToString();

    private static string Short(string text) => text.Length <= 200 ? text : text[..200] + "...";
}
