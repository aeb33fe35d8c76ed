using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Portacode;

/// <summary>Terminals of a gateway, in each spelling.</summary>
[TestFixture(Spelling.Document)]
[TestFixture(Spelling.Legacy)]
[TestFixture(Spelling.Current)]
internal sealed class TerminalTests(Spelling spelling) : DeviceFixture
{
    [Test]
    public async Task Terminal_FromStartToExit_TellsEverythingInOrder()
    {
        var gateway = await ConnectAsync(spelling);
        var started = await gateway.AnswerAsync("terminal_start", new JsonObject { ["shell"] = "/bin/sh", ["cwd"] = "/", ["project_id"] = "p1" }, "terminal_started");
        var id = (string)started["terminal_id"]!;
        Assert.That(id, Does.Match("^[0-9a-f]{32}$"));
        Assert.That(((string?)started["channel"], (string?)started["device_channel"], (string?)started["project_id"]), Is.EqualTo((id, id, "p1")));
        Assert.That(((string?)started["shell"], (string?)started["cwd"], (int)started["cols"]!, (int)started["rows"]!), Is.EqualTo(("/bin/sh", "/", 80, 24)));
        Assert.That((int)started["pid"]!, Is.GreaterThan(0));

        await gateway.TypeAsync(id, "stty size; echo $((6*7)); exit 3\n");
        var ack = await gateway.UntilAsync("terminal_send_ack");
        Assert.That(Names(ack["client_channels"]), Is.EqualTo(new[] { "A" }));
        Assert.That(ack.ContainsKey("reply_channel"), Is.EqualTo(spelling is Spelling.Legacy));
        var output = new StringBuilder();
        while (true)
        {
            var frame = (await gateway.NextAsync())!;
            output.Append(GatewayClient.OutputOf(frame, id));
            if ((string?)(frame["payload"] as JsonObject)?["event"] != "terminal_exit")
                continue;
            var exit = frame["payload"]!.AsObject();
            Assert.That(((string?)exit["terminal_id"], (int)exit["returncode"]!, (string?)exit["project_id"]), Is.EqualTo((id, 3, "p1")));
            Assert.That(exit.ContainsKey("client_channels"), Is.False);
            break;
        }

        Assert.That(output.ToString(), Does.Contain("24 80\r\n42\r\n"));
        var list = await gateway.AnswerAsync("terminal_list", new JsonObject { ["project_id"] = "all" }, "terminal_list");
        Assert.That(list["sessions"]!.AsArray(), Is.Empty);
    }

    [Test]
    public async Task Output_OnceSessionsAreAnnounced_IsAnEventWithOffsets()
    {
        var gateway = await ConnectAsync(spelling);
        await SubscribeAsync(gateway, "A", """[{"event":"terminal_*"}]""");
        var id = await gateway.StartAsync("/bin/cat");
        await gateway.TypeAsync(id, "héllo\n");
        long next = 0;
        var output = "";
        while (!output.Contains("héllo\r\nhéllo\r\n", StringComparison.Ordinal))
        {
            var data = await gateway.UntilAsync("terminal_data");
            Assert.That((long)data["offset"]!, Is.EqualTo(next));
            Assert.That(Names(data["client_channels"]), Is.EqualTo(new[] { "A" }));
            next = (long)data["next_offset"]!;
            output += (string)data["data"]!;
        }

        Assert.That(next, Is.EqualTo(Encoding.UTF8.GetByteCount(output)));
        var replayed = await gateway.AnswerAsync("terminal_replay", new JsonObject { ["terminal_id"] = id, ["from"] = 0 }, "terminal_data");
        Assert.That(((string?)replayed["data"], (long)replayed["offset"]!, (bool)replayed["replay"]!), Is.EqualTo((output, 0L, true)));
        replayed = await gateway.AnswerAsync("terminal_replay", new JsonObject { ["terminal_id"] = id, ["from"] = 1, ["to"] = 4 }, "terminal_data");
        Assert.That(((string?)replayed["data"], (long)replayed["next_offset"]!, (bool)replayed["has_more"]!), Is.EqualTo(("él", 4L, false)));
    }

    [Test]
    public async Task Stop_OfAShellThatIgnoresTerm_TellsExitBeforeCompletion()
    {
        var gateway = await ConnectAsync(spelling);
        var id = await gateway.StartAsync("/bin/bash");
        await gateway.TypeAsync(id, "trap '' TERM HUP; echo rea''dy\n");
        await gateway.OutputUntilAsync(id, "ready");
        var since = Stopwatch.GetTimestamp();
        await gateway.AskAsync("terminal_stop", new JsonObject { ["terminal_id"] = id });
        var stopped = await gateway.UntilAsync("terminal_stopped");
        Assert.That(((string?)stopped["status"], (string?)stopped["message"]), Is.EqualTo(("stopping", "Terminal stop process initiated")));
        var list = await gateway.AnswerAsync("terminal_list", null, "terminal_list");
        Assert.That(list["sessions"]!.AsArray(), Is.Empty);
        var exit = await gateway.UntilAsync("terminal_exit");
        Assert.That((int)exit["returncode"]!, Is.LessThan(0));
        var completed = await gateway.UntilAsync("terminal_stop_completed");
        Assert.That(((string?)completed["terminal_id"], (string?)completed["status"]), Is.EqualTo((id, "success")));
        await TestContext.Out.WriteLineAsync($"{Stopwatch.GetElapsedTime(since).TotalSeconds:0.00} s");
        Assert.That(Stopwatch.GetElapsedTime(since), Is.LessThan(TimeSpan.FromSeconds(SoakSize.Of(shortForm: 6, longForm: 2))), "2 s, and what a busy machine adds");
        await gateway.AskAsync("terminal_stop", new JsonObject { ["terminal_id"] = id });
        Assert.That((string?)(await gateway.UntilAsync("terminal_stopped"))["status"], Is.EqualTo("not_found"));
        Assert.That((string?)(await gateway.UntilAsync("terminal_stop_completed"))["message"], Is.EqualTo("Terminal was not found or already stopped"));
    }

    [Test]
    public async Task Exec_Prints_AndTellsItsResult()
    {
        var gateway = await ConnectAsync(spelling);
        await gateway.AskAsync("terminal_exec", new JsonObject { ["command"] = "echo out; echo err >&2; echo $X; exit 4", ["cwd"] = "/", ["env"] = new JsonObject { ["X"] = "y" } });
        var printed = await gateway.UntilAsync("terminal_exec_output");
        Assert.That(printed.ContainsKey("stdout") || printed.ContainsKey("stderr"), Is.True);
        var result = await gateway.UntilAsync("terminal_exec_result");
        Assert.That(((string?)result["stdout"], (string?)result["stderr"], (int)result["returncode"]!, (string?)result["cwd"]), Is.EqualTo(("out\ny\n", "err\n", 4, "/")));
        Assert.That((string?)result["command"], Does.StartWith("echo out"));
    }

    [Test]
    public async Task Exec_OverItsTime_IsEndedAndSaysSo()
    {
        var gateway = await ConnectAsync(spelling);
        await gateway.AskAsync("terminal_exec", new JsonObject { ["command"] = "sleep 1000 & sleep 1000", ["timeout"] = 0.2 });
        Assert.That((string?)(await gateway.UntilAsync("error"))["message"], Is.EqualTo("timed out after 0.2 seconds"));
    }

    [Test]
    public async Task Terminal_ThatCannotStart_SaysWhatTheSystemSays()
    {
        var gateway = await ConnectAsync(spelling);
        foreach (var (arguments, message) in new[]
        {
            ("""{"shell":"/no/such"}""", "[Errno 2] No such file or directory: '/no/such'"),
            ("""{"cwd":"/no/such"}""", "[Errno 2] No such file or directory: '/no/such'"),
            ("""{"cwd":"/etc/passwd"}""", "[Errno 20] Not a directory: '/etc/passwd'"),
        })
        {
            await gateway.AskAsync("terminal_start", JsonNode.Parse(arguments)!.AsObject(), requestId: 17);
            var error = await gateway.UntilAsync("error");
            Assert.That(((string?)error["message"], (int)error["request_id"]!, Names(error["client_channels"]).Single()), Is.EqualTo((message, 17, "A")));
        }

        var list = await gateway.AnswerAsync("terminal_list", null, "terminal_list");
        Assert.That(list["sessions"]!.AsArray(), Is.Empty);
    }

    [Test]
    public async Task Terminal_OfANativeClient_IsListedAndCanBeUsed()
    {
        var gateway = await ConnectAsync(spelling);
        await using var native = Host.Connect();
        await native.SendAsync("start", "1", new { runner = "shell" });
        await native.UntilAsync("started");
        var list = await gateway.AnswerAsync("terminal_list", null, "terminal_list");
        Assert.That(list["sessions"]!.AsArray(), Is.Empty, "it has pipes");
        var session = await Host.Sessions.StartAsync(new RunRequest("program") { Arguments = ["/bin/cat"], Terminal = new TerminalSize(5, 50), Session = new SessionOptions { Name = "mine" } });
        var started = await gateway.UntilAsync("terminal_started");
        Assert.That((string?)started["terminal_id"], Is.EqualTo(session.Id));
        await gateway.TypeAsync(session.Id, "seen\n");
        await gateway.OutputUntilAsync(session.Id, "seen\r\nseen\r\n");
        var row = (await gateway.AnswerAsync("terminal_list", null, "terminal_list"))["sessions"]!.AsArray().Single()!;
        Assert.That(((string?)row["terminal_id"], (string?)row["name"], (string?)row["status"], (string?)row["buffer"]), Is.EqualTo((session.Id, "mine", "active", "seen\r\nseen\r\n")));
        await Host.Sessions.RemoveAsync(session.Id);
        Assert.That((string?)(await gateway.UntilAsync("terminal_exit"))["terminal_id"], Is.EqualTo(session.Id));
    }

    [Test]
    public async Task Terminal_OfAGateway_IsListedAndDrivenByANativeClientToo()
    {
        var gateway = await ConnectAsync(spelling);
        var id = await gateway.StartAsync("/bin/cat", new JsonObject { ["project_id"] = "p" });
        await using var native = Host.Connect();
        await native.SendAsync("list");
        var listed = (await native.UntilAsync("sessions"))["data"]!["sessions"]!.AsArray().Single()!;
        Assert.That(((string?)listed["id"], (string?)listed["runner"]), Is.EqualTo((id, "program")));
        await native.SendAsync("attach", "t", new { session = id, from = "start" });
        await native.UntilAsync("attached");
        await native.InputAsync("t", "from the native client\n");
        await gateway.OutputUntilAsync(id, "from the native client\r\nfrom the native client\r\n");
        await gateway.TypeAsync(id, "from the gateway\n");
        await native.OutputUntilAsync("from the gateway\r\nfrom the gateway\r\n");
        await gateway.AskAsync("terminal_stop", new JsonObject { ["terminal_id"] = id });
        await native.UntilAsync("stopped");
    }

    [Test]
    public async Task Output_OfFifteenMegabytes_IsComplete()
    {
        var gateway = await ConnectAsync(spelling);
        var id = await gateway.StartAsync();
        await gateway.TypeAsync(id, "stty -echo -onlcr; PS1=; echo go\n");
        await gateway.OutputUntilAsync(id, "go\n");
        await gateway.TypeAsync(id, "seq 1 2000000; echo en''d\n");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var rest = "";
        while (!rest.EndsWith("end\n", StringComparison.Ordinal))
        {
            var text = GatewayClient.OutputOf((await gateway.NextAsync())!, id) ?? "";
            hash.AppendData(Encoding.UTF8.GetBytes(text));
            rest = (rest + text)[^Math.Min(rest.Length + text.Length, 10)..];
        }

        var expected = new StringBuilder();
        for (var i = 1; i <= 2_000_000; i++)
            expected.Append(i).Append('\n');
        expected.Append("end\n");
        Assert.That(hash.GetHashAndReset(), Is.EqualTo(SHA256.HashData(Encoding.UTF8.GetBytes(expected.ToString()))));
    }

    private static async Task SubscribeAsync(GatewayClient gateway, string client, string filters)
    {
        var ack = await gateway.AnswerAsync(
            "session_subscribe", new JsonObject { ["client_channel"] = client, ["action"] = "connect", ["filters"] = JsonNode.Parse(filters) }, "session_subscribe_ack");
        Assert.That((string?)ack["action"], Is.EqualTo("connect"));
    }

    private static IEnumerable<string> Names(JsonNode? list) => list!.AsArray().Select(name => (string)name!);
}
