using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Portacode;

/// <summary>A gateway that goes and comes back: what terminals print goes on where it was cut, and every end is told once.</summary>
[TestFixture(Spelling.Document)]
[TestFixture(Spelling.Legacy)]
[TestFixture(Spelling.Current)]
internal sealed class ComebackTests(Spelling spelling) : DeviceFixture
{
    [Test]
    public async Task Exit_WhileTheGatewayIsAway_IsToldOnceAfterItsOutput()
    {
        var device = MakeGateway();
        var gateway = await ConnectAsync(spelling, device);
        await Host.Sessions.StartAsync(new RunRequest("fake") { Terminal = new TerminalSize(24, 80) });
        var program = await Host.Runner.NextAsync();
        var id = (string)(await gateway.UntilAsync("terminal_started"))["terminal_id"]!;
        await program.PrintAsync("before ");
        await gateway.OutputUntilAsync(id, "before ");
        await CutAsync(gateway);
        await program.PrintAsync("meanwhile");
        program.Exit(4);
        await Patience.UntilAsync(() => Host.Sessions.Find(id)?.Info.Exit is not null, "the exit");
        gateway = await ConnectAsync(spelling, device);
        var frames = await gateway.CollectAsync(payload => (string?)payload["event"] == "terminal_exit");
        Assert.That(string.Concat(frames.Select(frame => GatewayClient.OutputOf(frame, id))), Is.EqualTo("meanwhile"));
        Assert.That(((string?)frames[^1]["payload"]!["terminal_id"], (int)frames[^1]["payload"]!["returncode"]!), Is.EqualTo((id, 4)));
        Assert.That(await gateway.DrainAsync(), Is.Empty);
        await CutAsync(gateway);
        gateway = await ConnectAsync(spelling, device);
        Assert.That(await gateway.DrainAsync(), Is.Empty);
    }

    [Test]
    public async Task Stop_CutBeforeItIsOver_IsToldAsAnExitLater()
    {
        var device = MakeGateway();
        var gateway = await ConnectAsync(spelling, device);
        var id = await gateway.StartAsync("/bin/cat");
        await gateway.AskAsync("terminal_stop", new JsonObject { ["terminal_id"] = id });
        await CutAsync(gateway);
        await Patience.UntilAsync(() => Host.Sessions.Find(id)?.Info.Exit is not null || Host.Sessions.Find(id) is null, "the exit");
        gateway = await ConnectAsync(spelling, device);
        Assert.That((string?)(await gateway.UntilAsync("terminal_exit"))["terminal_id"], Is.EqualTo(id));
        Assert.That((await gateway.DrainAsync()).Select(frame => (string?)(frame["payload"] as JsonObject)?["event"]), Has.None.EqualTo("terminal_exit"));
        var list = await gateway.AnswerAsync("terminal_list", null, "terminal_list");
        Assert.That(list["sessions"]!.AsArray(), Is.Empty);
    }

    [Test]
    public async Task Terminal_AfterAReconnect_IsListedAndTakesInput()
    {
        var device = MakeGateway();
        var gateway = await ConnectAsync(spelling, device);
        var id = await gateway.StartAsync("/bin/cat", new JsonObject { ["project_id"] = "p" });
        await gateway.TypeAsync(id, "one\n");
        await gateway.OutputUntilAsync(id, "one\r\none\r\n");
        await CutAsync(gateway);
        gateway = await ConnectAsync(spelling, device);
        var row = (await gateway.AnswerAsync("terminal_list", new JsonObject { ["project_id"] = "p" }, "terminal_list"))["sessions"]!.AsArray().Single()!;
        Assert.That(((string?)row["terminal_id"], (string?)row["buffer"]), Is.EqualTo((id, "one\r\none\r\n")));
        await gateway.TypeAsync(id, "two\n");
        Assert.That(await gateway.OutputUntilAsync(id, "two\r\ntwo\r\n"), Is.EqualTo("two\r\ntwo\r\n"), "nothing comes twice");
    }

    private static async Task CutAsync(GatewayClient gateway)
    {
        await gateway.Wire.CutAsync();
        await ((MemoryWire)gateway.Wire).Serving.WaitAsync(Patience.Long);
    }
}
