using System.Text.Json.Nodes;

namespace FurtherLink.Tests.Portacode;

/// <summary>Which client sessions are told what, by the gateway's list of them.</summary>
[TestFixture(Spelling.Document)]
[TestFixture(Spelling.Legacy)]
[TestFixture(Spelling.Current)]
internal sealed class ClientListTests(Spelling spelling) : DeviceFixture
{
    [Test]
    public async Task Session_NewInTheList_IsGreetedOnce()
    {
        var gateway = await ConnectAsync(spelling);
        await UpdateAsync(gateway, ("D", null));
        await GreetedAsync(gateway, "D");
        await UpdateAsync(gateway, ("D", null), ("P", "p1"), ("P", "p1"));
        await GreetedAsync(gateway, "P");
        await UpdateAsync(gateway, ("P", "p1"));
        await UpdateAsync(gateway, ("P", "p1"), ("D", null));
        await GreetedAsync(gateway, "D");
        Assert.That(await gateway.DrainAsync(), Is.Empty);
    }

    [Test]
    public async Task Event_OfAProject_GoesToItsSessions_AndOneWithoutToAll()
    {
        var gateway = await ConnectAsync(spelling);
        var inside = await gateway.StartAsync("/bin/cat", new JsonObject { ["project_id"] = "p1" });
        var outside = await gateway.StartAsync("/bin/cat");
        await UpdateAsync(gateway, ("D", null), ("P1", "p1"), ("P1b", "p1"), ("P2", "p2"));
        await gateway.TypeAsync(inside, "x\n");
        await ExpectAsync(gateway, "terminal_data", inside, "P1", "P1b");
        await gateway.TypeAsync(outside, "x\n");
        await ExpectAsync(gateway, "terminal_data", outside, "D", "P1", "P1b", "P2");
        await gateway.AskAsync("terminal_stop", new JsonObject { ["terminal_id"] = inside });
        await ExpectAsync(gateway, "terminal_exit", inside, "P1", "P1b");
        await ExpectAsync(gateway, "terminal_stop_completed", inside, "P1", "P1b");
        await gateway.TypeAsync(outside, "\u0004");
        await ExpectAsync(gateway, "terminal_exit", outside, "D", "P1", "P1b", "P2");
    }

    [Test]
    public async Task Answer_ThatNamesAProjectNobodyIsIn_GoesToWhoAsked()
    {
        var gateway = await ConnectAsync(spelling);
        await UpdateAsync(gateway, ("A", null));
        await GreetedAsync(gateway, "A");
        var started = await gateway.AnswerAsync("terminal_start", new JsonObject { ["shell"] = "/bin/cat", ["project_id"] = "lonely" }, "terminal_started");
        Assert.That(Names(started, "client_channels"), Is.EqualTo(new[] { "A" }));
        Assert.That(Names(started, "client_sessions"), Is.EqualTo(new[] { "A" }));
        var list = await gateway.AnswerAsync("terminal_list", new JsonObject { ["project_id"] = "lonely" }, "terminal_list");
        Assert.That(Names(list, "client_sessions"), Is.EqualTo(new[] { "A" }));
        Assert.That(list["sessions"]!.AsArray(), Has.Count.EqualTo(1));
        var error = await gateway.ErrorAsync("no_such", new JsonObject { ["project_id"] = "lonely" }, "unlisted");
        Assert.That(Names(error, "client_sessions"), Is.EqualTo(new[] { "unlisted" }));
    }

    [Test]
    public async Task Output_WithAnEmptyList_IsNotSent_AndIsThereLater()
    {
        var gateway = await ConnectAsync(spelling);
        await UpdateAsync(gateway);
        var id = await gateway.StartAsync("/bin/cat");
        await gateway.TypeAsync(id, "kept\n");
        await Support.Patience.UntilAsync(() => Host.Sessions.Find(id)!.Output.End >= 12, "the output");
        foreach (var frame in await gateway.DrainAsync())
            Assert.That((string?)frame["payload"]!["event"], Is.EqualTo("terminal_send_ack"));
        var row = (await gateway.AnswerAsync("terminal_list", null, "terminal_list"))["sessions"]!.AsArray().Single()!;
        Assert.That((string?)row["buffer"], Is.EqualTo("kept\r\nkept\r\n"));
        var replayed = await gateway.AnswerAsync("terminal_replay", new JsonObject { ["terminal_id"] = id, ["from"] = 6 }, "terminal_data");
        Assert.That((string?)replayed["data"], Is.EqualTo("kept\r\n"));
    }

    [TestCase("{}")]
    [TestCase("""{"sessions":null}""")]
    [TestCase("""{"sessions":{}}""")]
    [TestCase("""{"sessions":["A"]}""")]
    [TestCase("""{"sessions":[{}]}""")]
    [TestCase("""{"sessions":[{"channel_name":""}]}""")]
    [TestCase("""{"sessions":[{"channel_name":"A","project_id":17}]}""")]
    [TestCase("""{"sessions":[{"channel_name":"A"},null]}""")]
    public async Task List_ThatMakesNoSense_IsAnErrorAndChangesNothing(string arguments)
    {
        var gateway = await ConnectAsync(spelling);
        Assert.That((string?)(await gateway.ErrorAsync("client_sessions_update", JsonNode.Parse(arguments)!.AsObject()))["message"], Is.Not.Empty);
        var id = await gateway.StartAsync("/bin/cat");
        await gateway.TypeAsync(id, "x\n");
        var frames = new List<JsonNode>();
        do
            frames.Add((await gateway.NextAsync())!);
        while (frames[^1]["payload"] is JsonObject);
        Assert.That((string?)frames[^1]["channel"], Is.EqualTo(id), "the output is raw: nobody was announced");
    }

    [Test]
    public async Task List_OfAGatewayThatComesBack_IsKeptUntilItIsRenewed()
    {
        var device = MakeGateway();
        var gateway = await ConnectAsync(spelling, device);
        await UpdateAsync(gateway, ("D", null));
        await GreetedAsync(gateway, "D");
        await gateway.Wire.CutAsync();
        gateway = await ConnectAsync(spelling, device);
        var id = await gateway.StartAsync("/bin/cat");
        await gateway.TypeAsync(id, "x\n");
        await ExpectAsync(gateway, "terminal_data", id, "D");
        await UpdateAsync(gateway);
        await gateway.TypeAsync(id, "y\n");
        await Support.Patience.UntilAsync(() => Host.Sessions.Find(id)!.Output.End >= 12, "the output");
        var frames = await gateway.DrainAsync();
        Assert.That(frames.Where(frame => (string?)frame["payload"]!["event"] == "terminal_data").Select(frame => (string?)frame["payload"]!["data"]), Has.None.Contains("y"));
    }

    private static async Task GreetedAsync(GatewayClient gateway, string name)
    {
        var events = new List<string>();
        while (events.Count < 2)
        {
            var payload = (await gateway.NextAsync())!["payload"]!.AsObject();
            Assert.That(Names(payload, "client_sessions"), Is.EqualTo(new[] { name }));
            Assert.That(Names(payload, "client_channels"), Is.EqualTo(new[] { name }));
            events.Add((string)payload["event"]!);
        }

        Assert.That(events, Is.EquivalentTo(new[] { "system_info", "terminal_list" }));
    }

    private static async Task ExpectAsync(GatewayClient gateway, string name, string terminal, params string[] clients)
    {
        var payload = await gateway.UntilAsync(name, payload => (string?)payload["terminal_id"] == terminal);
        Assert.That(Names(payload, "client_channels"), Is.EquivalentTo(clients));
        Assert.That(Names(payload, "client_sessions"), Is.EquivalentTo(clients));
    }

    private static string[] Names(JsonObject payload, string list) => [.. payload[list]!.AsArray().Select(name => (string)name!)];

    private static Task UpdateAsync(GatewayClient gateway, params (string Name, string? Project)[] sessions) =>
        gateway.AskAsync("client_sessions_update", new JsonObject
        {
            ["sessions"] = new JsonArray([.. sessions.Select(session => new JsonObject
            {
                ["channel_name"] = session.Name,
                ["connection_type"] = session.Project is null ? "dashboard" : "project",
                ["project_id"] = session.Project,
                ["user_id"] = 7,
            })]),
        });
}
