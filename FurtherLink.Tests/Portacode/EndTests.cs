using System.Text.Json.Nodes;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Portacode;

/// <summary>Ends of terminals and of commands, and what else goes on meanwhile.</summary>
[TestFixture(Spelling.Document)]
[TestFixture(Spelling.Legacy)]
[TestFixture(Spelling.Current)]
internal sealed class EndTests(Spelling spelling) : DeviceFixture
{
    [Test]
    public async Task Stop_OfAShellThatSaysGoodbye_TellsThatBeforeItsExit()
    {
        var gateway = await ConnectAsync(spelling);
        var id = await gateway.StartAsync(more: new JsonObject { ["project_id"] = "p" });
        await gateway.TypeAsync(id, "trap 'echo good''bye; exit 7' HUP TERM; echo re''ady; while :; do sleep 0.01; done\n");
        await gateway.OutputUntilAsync(id, "ready\r\n");
        await gateway.AskAsync("terminal_stop", new JsonObject { ["terminal_id"] = id }, "A", 5);
        var frames = await gateway.CollectAsync(payload => (string?)payload["event"] == "terminal_stop_completed");
        var what = frames.Select(frame => GatewayClient.OutputOf(frame, id)?.Contains("goodbye", StringComparison.Ordinal) == true ? "output" : (string?)(frame["payload"] as JsonObject)?["event"])
            .Where(name => name is "output" or "terminal_stopped" or "terminal_exit" or "terminal_stop_completed");
        Assert.That(what, Is.EqualTo(new[] { "terminal_stopped", "output", "terminal_exit", "terminal_stop_completed" }));
        JsonObject Of(string name) => frames.Select(frame => frame["payload"]).OfType<JsonObject>().Single(payload => (string?)payload["event"] == name);
        Assert.That(
            ((string?)Of("terminal_stopped")["status"], (string?)Of("terminal_stopped")["message"], (string?)Of("terminal_stopped")["project_id"], (int)Of("terminal_stopped")["request_id"]!),
            Is.EqualTo(("stopping", "Terminal stop process initiated", "p", 5)));
        Assert.That(((int)Of("terminal_exit")["returncode"]!, (string?)Of("terminal_exit")["project_id"]), Is.EqualTo((7, "p")));
        var completed = Of("terminal_stop_completed");
        Assert.That(((string?)completed["terminal_id"], (string?)completed["status"], (string?)completed["project_id"]), Is.EqualTo((id, "success", "p")));
        Assert.That((string?)completed["message"], Is.Not.Empty);
        Assert.That(completed.ContainsKey("client_channels"), Is.False, "it is for all");
    }

    [Test]
    public async Task Stop_EndsEveryProcessOfTheSession()
    {
        using var folder = new TemporaryFolder();
        var gateway = await ConnectAsync(spelling);
        var id = await gateway.StartAsync("/bin/bash");
        await gateway.TypeAsync(id, $"(trap '' HUP TERM INT; while :; do sleep 0.05; done) & echo $! > {folder["pid"]}; set +m; trap '' HUP TERM; echo re''ady\n");
        await gateway.OutputUntilAsync(id, "ready\r\n");
        var pid = File.ReadAllText(folder["pid"]).Trim();
        Assert.That(Directory.Exists($"/proc/{pid}"), Is.True);
        await gateway.AskAsync("terminal_stop", new JsonObject { ["terminal_id"] = id });
        Assert.That((int)(await gateway.UntilAsync("terminal_exit"))["returncode"]!, Is.EqualTo(-9));
        Assert.That((string?)(await gateway.UntilAsync("terminal_stop_completed"))["status"], Is.EqualTo("success"));
        await Patience.UntilAsync(() => !Directory.Exists($"/proc/{pid}"), "the end of a child that ignores signals");
    }

    [Test]
    public async Task Stop_OfAnUnknownTerminal_IsNoError()
    {
        var gateway = await ConnectAsync(spelling);
        await gateway.AskAsync("terminal_stop", new JsonObject { ["terminal_id"] = "gone" });
        foreach (var name in new[] { "terminal_stopped", "terminal_stop_completed" })
        {
            var payload = (await gateway.NextAsync())!["payload"]!.AsObject();
            Assert.That(
                ((string?)payload["event"], (string?)payload["terminal_id"], (string?)payload["status"], (string?)payload["message"]),
                Is.EqualTo((name, "gone", "not_found", "Terminal was not found or already stopped")));
            Assert.That((payload.ContainsKey("project_id"), payload["project_id"]), Is.EqualTo((true, (JsonNode?)null)));
        }

        Assert.That(await gateway.DrainAsync(), Is.Empty);
    }

    [Test]
    public async Task Stop_AskedForTwice_IsToldOnce()
    {
        var gateway = await ConnectAsync(spelling);
        var id = await gateway.StartAsync("/bin/cat");
        await gateway.AskAsync("terminal_stop", new JsonObject { ["terminal_id"] = id });
        await gateway.AskAsync("terminal_stop", new JsonObject { ["terminal_id"] = id });
        var frames = await gateway.CollectAsync(payload => (string?)payload["event"] == "terminal_stop_completed" && (string?)payload["status"] == "success");
        var told = frames.Select(frame => frame["payload"]).OfType<JsonObject>().Where(payload => (string?)payload["event"] == "terminal_stopped").Select(payload => (string?)payload["status"]);
        Assert.That(told, Is.EquivalentTo(new[] { "stopping", "not_found" }));
        Assert.That(frames.Count(frame => (string?)(frame["payload"] as JsonObject)?["event"] == "terminal_exit"), Is.EqualTo(1));
    }

    [Test]
    public async Task Send_ToATerminalThatHasEnded_IsAnError()
    {
        var gateway = await ConnectAsync(spelling);
        var id = await gateway.StartAsync("/bin/true");
        Assert.That((int)(await gateway.UntilAsync("terminal_exit"))["returncode"]!, Is.Zero);
        Assert.That((string?)(await gateway.ErrorAsync("terminal_send", new JsonObject { ["terminal_id"] = id, ["data"] = "x" }))["message"], Is.EqualTo($"terminal_id {id} not found"));
    }

    [Test]
    public async Task Exit_BySignal_IsANegativeNumber()
    {
        var gateway = await ConnectAsync(spelling);
        var id = await gateway.StartAsync();
        await gateway.TypeAsync(id, "kill -9 $$\n");
        Assert.That((int)(await gateway.UntilAsync("terminal_exit"))["returncode"]!, Is.EqualTo(-9));
    }

    [Test]
    public async Task Resize_IsSeenByTheProgram()
    {
        var gateway = await ConnectAsync(spelling);
        var id = await gateway.StartAsync();
        var resized = await gateway.AnswerAsync("terminal_resize", new JsonObject { ["terminal_id"] = id, ["cols"] = 132, ["rows"] = 50 }, "terminal_resized");
        Assert.That((string?)resized["terminal_id"], Is.EqualTo(id));
        await gateway.TypeAsync(id, "stty size\n");
        await gateway.OutputUntilAsync(id, "50 132\r\n");
        foreach (var size in new[] { """{"cols":0,"rows":24}""", """{"cols":80}""", """{"cols":80,"rows":65536}""", """{"cols":"80","rows":24}""", """{"cols":80.5,"rows":24}""" })
        {
            var arguments = JsonNode.Parse(size)!.AsObject();
            arguments["terminal_id"] = id;
            Assert.That((string?)(await gateway.ErrorAsync("terminal_resize", arguments))["message"], Does.Contain("parameter"), size);
        }
    }

    [Test]
    public async Task Exec_IsHeardWhileItRuns_AndHoldsNothingUp()
    {
        using var folder = new TemporaryFolder();
        var gateway = await ConnectAsync(spelling);
        await gateway.AskAsync("terminal_exec", new JsonObject
        {
            ["command"] = $"echo begun; while ! [ -e {folder["go"]} ]; do sleep 0.01; done; echo ended; echo wrong >&2; exit 9",
            ["cwd"] = folder.Path,
            ["project_id"] = "p",
        });
        var begun = await gateway.UntilAsync("terminal_exec_output");
        Assert.That(((string?)begun["stdout"], (string?)begun["project_id"]), Is.EqualTo(("begun\n", "p")));
        Assert.That((string?)begun["command"], Does.StartWith("echo begun"));
        await gateway.AnswerAsync("terminal_list", null, "terminal_list");
        await gateway.AnswerAsync("system_info", null, "system_info");
        folder.Write("go", "");
        var frames = await gateway.CollectAsync(payload => (string?)payload["event"] == "terminal_exec_result");
        string Printed(string stream) => string.Concat(frames.Select(frame => frame["payload"]).OfType<JsonObject>()
            .Where(payload => (string?)payload["event"] == "terminal_exec_output").Select(payload => (string?)payload[stream]));
        Assert.That((Printed("stdout"), Printed("stderr")), Is.EqualTo(("ended\n", "wrong\n")), "new text only");
        var result = frames[^1]["payload"]!.AsObject();
        Assert.That(
            ((string?)result["stdout"], (string?)result["stderr"], (int)result["returncode"]!, (string?)result["cwd"], (string?)result["project_id"]),
            Is.EqualTo(("begun\nended\n", "wrong\n", 9, folder.Path, "p")));
        Assert.That((double)result["duration_s"]!, Is.GreaterThan(0));
    }

    [Test]
    public async Task Exec_OverItsTime_EndsTheWholeTree()
    {
        using var folder = new TemporaryFolder();
        var gateway = await ConnectAsync(spelling);
        var error = await gateway.ErrorAsync("terminal_exec", new JsonObject
        {
            ["command"] = $"(trap '' HUP TERM; echo $$ >{folder["shell"]}; sleep 1000 & echo $! >{folder["child"]}; wait)",
            ["timeout"] = 1,
        }, "A", "x");
        Assert.That(((string?)error["message"], (string?)error["request_id"]), Is.EqualTo(("timed out after 1 seconds", "x")));
        foreach (var name in new[] { "shell", "child" })
        {
            var pid = File.ReadAllText(folder[name]).Trim();
            await Patience.UntilAsync(() => !Directory.Exists($"/proc/{pid}"), $"the end of the {name}");
        }
    }
}
