using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FurtherLink.Security;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Conformance;

/// <summary>What a client library asks of the native dialect, with real programs.</summary>
internal sealed class ClientExtensionTests
{
    private TestHost _host = null!;
    private FurtherTestClient _client = null!;

    [SetUp]
    public void SetUp()
    {
        _host = new TestHost(configure: options => options.InputCapacity = 123_456);
        _client = _host.Connect();
    }

    [TearDown]
    public async Task TearDown()
    {
        await _client.DisposeAsync();
        await _host.DisposeAsync();
    }

    [Test]
    public async Task Hello_IsAnsweredByWhatTheServerIs([Values("memory", "websocket")] string transport)
    {
        await using var client = transport == "memory" ? _host.Connect() : await _host.ConnectWebSocketAsync("/run?client=before");
        await client.Wire.SendAsync("{\"type\":\"hello\",\"data\":{\"extensions\":[\"sessions\"],\"client\":\"laptop\"},\"ref\":\"h\"}");
        var hello = (await client.NextAsync())!;
        Assert.Multiple(() =>
        {
            Assert.That((string?)hello["type"], Is.EqualTo("hello"));
            Assert.That((string?)hello["ref"], Is.EqualTo("h"));
            Assert.That((string?)hello["client"], Is.EqualTo("laptop"));
            Assert.That(hello["process"], Is.Null);
            Assert.That((string?)hello["data"]!["version"], Is.EqualTo(FurtherLinkVersion.Current));
            Assert.That((int?)hello["data"]!["inputCapacity"], Is.EqualTo(123_456));
            Assert.That((int?)hello["data"]!["maxMessage"], Is.EqualTo(4 * 1024 * 1024));
            Assert.That(hello["data"]!["extensions"]!.AsArray().Select(name => (string?)name), Is.SupersetOf(new[] { "missed", "sessions", "offsets", "ack", "bytes" }));
        });

        await client.StartAsync("1", "fake");
        var presence = await client.UntilAsync("presence");
        Assert.That((string?)presence["data"]!["members"]![0]!["name"], Is.EqualTo("laptop"));
        Assert.That((string?)presence["client"], Is.EqualTo("laptop"));
    }

    [Test]
    public async Task Hello_OfWhoMayDoNothing_IsRefused()
    {
        await using var nobody = new FurtherTestClient(new MemoryWire(_host.Server, pipe => new LinkConnection("nobody", "further", pipe)));
        await nobody.Wire.SendAsync("{\"type\":\"hello\",\"ref\":\"h\"}");
        var error = (await nobody.NextAsync())!;
        Assert.That(((string?)error["ref"], (string?)error["data"]!["code"]), Is.EqualTo(("h", "unauthenticated")));
    }

    [Test]
    public async Task Bytes_BothWays_AreExact([Values("stop", "keep")] string whenDetached)
    {
        var sent = new byte[100_000];
        new Random(5).NextBytes(sent);
        await using var client = _host.Connect();
        await client.Wire.SendAsync("{\"type\":\"hello\",\"data\":{\"extensions\":[\"bytes\",\"offsets\"]}}");
        await client.SendAsync("start", "1", new { runner = "program", args = new[] { "cat" }, path = "/tmp", session = new { whenDetached } });
        var typing = Task.Run(async () =>
        {
            foreach (var piece in sent.Chunk(4099))
                await client.SendAsync("stdin", "1", new { base64 = Convert.ToBase64String(piece) });
            await client.SendAsync("stdin", "1", new { end = true });
        });
        using var got = new MemoryStream();
        while (true)
        {
            var message = (await client.NextAsync())!;
            if ((string?)message["type"] == "stopped")
                break;
            if ((string?)message["type"] != "stdout")
                continue;
            var data = message["data"]!;
            Assert.That((long)data["from"]!, Is.EqualTo(got.Length));
            got.Write(data["base64"] is { } encoded ? Convert.FromBase64String((string)encoded!) : Encoding.UTF8.GetBytes((string)data["output"]!));
            Assert.That((long)data["to"]!, Is.EqualTo(got.Length));
        }

        await typing;
        Assert.That(got.ToArray().AsSpan().SequenceEqual(sent));
    }

    [Test]
    public async Task Start_WithArgsAndEnv_RunsThat()
    {
        await _client.SendAsync("start", "1", new
        {
            runner = "program",
            args = new[] { "sh", "-c", "printf '%s|' \"$A\" \"${HOME-none}\" \"$@\"", "sh", "a b", "", "é" },
            env = new Dictionary<string, string?> { ["A"] = "x=y", ["HOME"] = null },
            path = "/tmp",
        });
        Assert.That(await _client.RunAsync("1"), Is.EqualTo(new RunResult("x=y|none|a b||é|", "", 0)));

        await _client.SendAsync("start", "2", new { runner = "exec", code = "#!/bin/sh\necho \"$1$2\"", args = new[] { "one", "two" } });
        Assert.That((await _client.RunAsync("2")).Output, Is.EqualTo("onetwo\n"));
    }

    [TestCase("{\"runner\":\"program\",\"args\":[\"echo\",\"\\u0000\"]}", "badValue")]
    [TestCase("{\"runner\":\"program\",\"args\":[\"true\"],\"env\":{\"\":\"x\"}}", "badValue")]
    [TestCase("{\"runner\":\"program\",\"args\":[\"true\"],\"env\":{\"A=B\":\"x\"}}", "badValue")]
    [TestCase("{\"runner\":\"program\",\"args\":[\"true\"],\"env\":{\"A\":\"\\u0000\"}}", "badValue")]
    [TestCase("{\"runner\":\"program\",\"args\":[\"no-such-program-here\"]}", "programNotFound")]
    [TestCase("{\"runner\":\"program\",\"args\":[\"\\u0000\"]}", "programNotFound")]
    [TestCase("{\"runner\":\"program\",\"args\":[\"true\"],\"user\":\"no-such-user\"}", "failed")]
    [TestCase("{\"runner\":\"program\",\"args\":[\"true\"],\"user\":\"\"}", "failed")]
    [TestCase("{\"runner\":\"program\",\"args\":[\"true\"],\"terminal\":{\"rows\":1,\"cols\":65536}}", "badValue")]
    [TestCase("{\"runner\":\"cobol\"}", "notFound")]
    public async Task Start_ThatCannotBe_SaysWhyByItsRef(string data, string code)
    {
        await _client.Wire.SendAsync($"{{\"type\":\"start\",\"process\":\"1\",\"data\":{data},\"ref\":\"s\"}}");
        var error = (await _client.NextAsync())!;
        Assert.That(((string?)error["type"], (string?)error["ref"], (string?)error["data"]!["code"]), Is.EqualTo(("error", "s", code)), error.ToJsonString());
        await _client.SendAsync("start", "1", new { runner = "program", args = new[] { "true" }, path = "/tmp" });
        Assert.That((await _client.RunAsync("1")).ExitCode, Is.Zero, "the name is free");
    }

    [Test]
    public async Task Terminal_OfAStart_WinsOverTheConnections()
    {
        var inTerminal = new { runner = "program", args = new[] { "sh", "-c", "test -t 0 && stty size || echo pipes" }, path = "/tmp" };
        await using var terminal = new FurtherTestClient(new MemoryWire(_host.Server, pipe => new LinkConnection("terminal", "further", pipe)
        {
            Principal = Rights.Grant("test", Messages.Access.Own),
            Defaults = new RunDefaults { Terminal = Messages.TerminalSize.Default },
        }));
        foreach (var (client, choice, expected) in new[]
        {
            (terminal, (object?)null, "4 60"), (terminal, false, "pipes"), (terminal, new { rows = 25, cols = 80 }, "25 80"),
            (_client, null, "pipes"), (_client, false, "pipes"), (_client, new { rows = 7, cols = 33 }, "7 33"),
        })
        {
            await client.SendAsync("start", "1", new { inTerminal.runner, inTerminal.args, inTerminal.path, terminal = choice });
            Assert.That((await client.RunAsync("1")).Output.TrimEnd(), Is.EqualTo(expected));
        }
    }

    [Test]
    public async Task Id_OfASession_IsItsOwn()
    {
        await _client.SendAsync("start", "1", new { runner = "fake", session = new { id = "my-own_ID", name = "work" } });
        var started = await _client.UntilAsync("started");
        Assert.That((string?)started["data"]!["session"]!["id"], Is.EqualTo("my-own_ID"));
        Assert.That((long?)started["data"]!["session"]!["end"], Is.Zero);
        foreach (var taken in new[] { "my-own_ID", "work" })
        {
            await _client.Wire.SendAsync(JsonSerializer.Serialize(new { type = "start", process = "2", data = new { runner = "fake", session = new { id = taken } }, @ref = "2" }));
            var error = await _client.UntilAsync("error");
            Assert.That(((string?)error["ref"], (string?)error["data"]!["code"]), Is.EqualTo(("2", "alreadyExists")));
        }

        var program = await _host.Runner.NextAsync();
        await program.PrintAsync("12345");
        await _client.UntilAsync("stdout");
        await _client.SendAsync("list");
        var listed = (await _client.UntilAsync("sessions"))["data"]!["sessions"]!.AsArray().Single()!;
        Assert.That(((string?)listed["id"], (long)listed["end"]!), Is.EqualTo(("my-own_ID", 5L)));
    }

    [Test]
    public async Task Id_StartedTwiceAtOnce_IsGivenOnce()
    {
        for (var round = 0; round < 20; round++)
        {
            foreach (var process in new[] { "a", "b" })
                await _client.SendAsync("start", process, new { runner = "program", args = new[] { "cat" }, path = "/tmp", session = new { id = $"round{round}" } });
            var answers = new List<JsonNode>();
            while (answers.Count < 2)
            {
                var message = (await _client.NextAsync())!;
                if ((string?)message["type"] is "started" or "error")
                    answers.Add(message);
            }

            Assert.That(answers.Select(answer => (string?)answer["type"]), Is.EquivalentTo(new[] { "started", "error" }));
            var name = (string)answers.Single(answer => (string?)answer["type"] == "started")["process"]!;
            await _client.SendAsync("stop", name);
            await _client.UntilAsync("stopped", name);
        }
    }

    [Test]
    public async Task Signal_ReachesTheProgram()
    {
        const string Script = "#!/bin/sh\ntrap 'echo got; exit 3' USR1\necho ready\nwhile :; do sleep 0.05; done";
        await _client.StartAsync("1", "exec", Script);
        await _client.OutputUntilAsync("ready");
        await _client.SendAsync("signal", "1", new { signal = "SIGUSR1" });
        // What the shell says of its own child, which the signal reaches too, does not count.
        var ended = await _client.RunAsync("1");
        Assert.That((ended.Output, ended.ExitCode), Is.EqualTo(("got\n", 3)));

        await _client.StartAsync("2", "exec", Script);
        await _client.OutputUntilAsync("ready");
        await _client.SendAsync("signal", "2", new { signal = 9 });
        Assert.That((await _client.RunAsync("2")).ExitCode, Is.EqualTo(-9));

        await _client.Wire.SendAsync("{\"type\":\"signal\",\"process\":\"2\",\"data\":{\"signal\":9},\"ref\":\"late\"}");
        var error = (await _client.NextAsync())!;
        Assert.That(((string?)error["ref"], (string?)error["data"]!["code"], (string?)error["data"]!["process"]), Is.EqualTo(("late", "notFound", "2")));
    }

    [Test]
    public async Task Refs_OfAllRequests_ComeBack()
    {
        await SendAsync("list", null, null, "l");
        Assert.That((string?)(await _client.UntilAsync("sessions"))["ref"], Is.EqualTo("l"));
        await SendAsync("ping", null, null, "p");
        Assert.That((string?)(await _client.UntilAsync("pong"))["ref"], Is.EqualTo("p"));
        await SendAsync("start", "1", new { runner = "fake", clientId = "me", session = new { whenDetached = "keep", id = "here" } }, "s");
        Assert.That((string?)(await _client.UntilAsync("started"))["ref"], Is.EqualTo("s"));
        var program = await _host.Runner.NextAsync();
        await SendAsync("stdin", "1", new { input = "x", seq = 1 }, "i");
        await program.TakeAsync("x");
        Assert.That((string?)(await _client.UntilAsync("ack"))["ref"], Is.EqualTo("i"));
        await SendAsync("stdin", "1", new { input = "x", seq = 7 }, "wrong");
        Assert.That((string?)(await _client.UntilAsync("error"))["ref"], Is.EqualTo("wrong"));
        await SendAsync("detach", "1", null, "d");
        Assert.That((string?)(await _client.UntilAsync("detached"))["ref"], Is.EqualTo("d"));
        await SendAsync("attach", "2", new { session = "here" }, "a");
        Assert.That((string?)(await _client.UntilAsync("attached"))["ref"], Is.EqualTo("a"));
        await program.PrintAsync("unasked");
        Assert.That((await _client.UntilAsync("stdout")).AsObject().ContainsKey("ref"), Is.False);
        await SendAsync("nonsense", null, null, "n");
        Assert.That((string?)(await _client.UntilAsync("error"))["ref"], Is.EqualTo("n"));

        Task SendAsync(string type, string? process, object? data, string reference) =>
            _client.Wire.SendAsync(JsonSerializer.Serialize(new { type, process, data, @ref = reference }));
    }
}
