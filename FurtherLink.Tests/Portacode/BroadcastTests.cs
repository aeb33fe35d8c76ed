using System.Text.Json.Nodes;

namespace FurtherLink.Tests.Portacode;

/// <summary>Which client sessions are told what, by their subscriptions, in each spelling.</summary>
[TestFixture(Spelling.Document)]
[TestFixture(Spelling.Legacy)]
[TestFixture(Spelling.Current)]
internal sealed class BroadcastTests(Spelling spelling) : DeviceFixture
{
    // Of the end of a terminal of project "p1" with the return code 3.
    private static readonly string[] Matching =
    [
        """[{"event":"terminal_exit"}]""", """[{"event":"terminal_*"}]""", """[{"event":"*"}]""", """[{"event":"*exit"}]""", """[{"event":"t*m*l_*t"}]""",
        """[{"event":"*terminal_exit*"}]""", """[{"event":"**"}]""", """[{"event":"*_*_*"},{"event":"*_*"}]""", "[{}]",
        """[{"event":"*","project_id":"p1"}]""", """[{"project_id":"p*"}]""", """[{"terminal_id":"ID"}]""", """[{"terminal_id":"*"}]""",
        """[{"returncode":3}]""", """[{"returncode":3.0}]""", """[{"returncode":"3"}]""", """[{"returncode":"*"}]""",
        """[{"event":"nothing"},{"event":"terminal_exit"}]""", """[{"event":"terminal_exit"},{"event":"terminal_*"},{}]""",
    ];

    private static readonly string[] Others =
    [
        "[]", """[{"event":"terminal"}]""", """[{"event":"exit"}]""", """[{"event":"Terminal_exit"}]""", """[{"event":"terminal_?xit"}]""",
        """[{"event":"terminal_[e]xit"}]""", """[{"event":"terminal.exit"}]""", """[{"event":"terminal_exit "}]""", """[{"event":""}]""",
        """[{"event":"*x"}]""", """[{"event":"exit*"}]""", """[{"event":"terminal_*","project_id":"p2"}]""", """[{"no_such":"*"}]""",
        """[{"event":"terminal_exit","no_such":"*"}]""", """[{"returncode":4}]""", """[{"returncode":"4"}]""", """[{"returncode":true}]""",
        """[{"returncode":[3]}]""", """[{"returncode":{"a":3}}]""", """[{"project_id":null}]""", """[{"event":null}]""", """[{"event":["terminal_exit"]}]""",
        """[{"event":"terminal_exit*exit"}]""", """[{"":"*"}]""",
    ];

    [Test]
    public async Task Broadcast_GoesToThoseWhomAFilterMatches_Once()
    {
        var gateway = await ConnectAsync(spelling);
        var id = await gateway.StartAsync(more: new JsonObject { ["project_id"] = "p1" });
        foreach (var filters in Matching.Concat(Others))
            await SubscribeAsync(gateway, filters, filters.Replace("ID", id, StringComparison.Ordinal));
        await gateway.TypeAsync(id, "exit 3\n");
        var exit = await gateway.UntilAsync("terminal_exit");
        Assert.That(Clients(exit), Is.EquivalentTo(Matching));
        Assert.That(exit.ContainsKey("client_sessions"), Is.False);
        Assert.That((await gateway.DrainAsync()).Select(Event), Has.None.EqualTo("terminal_exit"));
    }

    [Test]
    public async Task Output_OfOneTerminal_GoesToThoseWhoWantIt()
    {
        var gateway = await ConnectAsync(spelling);
        var first = await gateway.StartAsync("/bin/cat", new JsonObject { ["project_id"] = "p1" });
        var second = await gateway.StartAsync("/bin/cat");
        await SubscribeAsync(gateway, "one", $$"""[{"event":"terminal_data","terminal_id":"{{first}}"}]""");
        await SubscribeAsync(gateway, "two", $$"""[{"event":"terminal_data","terminal_id":"{{second}}"}]""");
        await SubscribeAsync(gateway, "project", """[{"event":"terminal_*","project_id":"p1"}]""");
        await SubscribeAsync(gateway, "loud", """[{"data":"*LOUD*"}]""");
        await SubscribeAsync(gateway, "exits", """[{"event":"terminal_exit"}]""");
        await gateway.TypeAsync(first, "quiet\n");
        await ExpectAsync(gateway, first, "quiet\r\nquiet\r\n", "one", "project");
        await gateway.TypeAsync(second, "quiet\n");
        await ExpectAsync(gateway, second, "quiet\r\nquiet\r\n", "two");
        await gateway.TypeAsync(second, "LOUD\n");
        await ExpectAsync(gateway, second, "LOUD\r\nLOUD\r\n", "two", "loud");
    }

    [Test]
    public async Task Broadcast_ThatInterestsNobody_IsNotSent_AndAnswersAre()
    {
        var device = MakeGateway();
        var gateway = await ConnectAsync(spelling, device);
        await SubscribeAsync(gateway, "A", "[]");
        await SubscribeAsync(gateway, "B", """[{"event":"system_info"}]""");
        var id = await gateway.StartAsync("/bin/cat");
        await gateway.TypeAsync(id, "hello\n");
        await gateway.AskAsync("terminal_stop", new JsonObject { ["terminal_id"] = id });
        Assert.That(Clients(await gateway.UntilAsync("terminal_stopped")), Is.EqualTo(new[] { "A" }));
        // The end has come, and was kept to itself.
        await Support.Patience.UntilAsync(() => device.Terminals.IsEmpty, "the end of the terminal");
        var seen = await gateway.DrainAsync();
        Assert.That(seen, Is.Empty);
        await gateway.AskAsync("no_such", client: "B");
        Assert.That(Clients(await gateway.UntilAsync("error")), Is.EqualTo(new[] { "B" }));
    }

    [Test]
    public async Task Subscription_ConnectedUpdatedAndDisconnected_CountsAndCounts()
    {
        var gateway = await ConnectAsync(spelling);
        await SubscribeAsync(gateway, "A", """[{"event":"terminal_*"},{"event":"x"}]""", sessions: 1, count: 2);
        await SubscribeAsync(gateway, "B", "[]", sessions: 2, count: 0);
        await SubscribeAsync(gateway, "B", """[{}]""", sessions: 2, count: 1);
        await SubscribeAsync(gateway, "B", """[{"event":"terminal_data"},{"event":"a"},{"event":"b"}]""", "update", sessions: 2, count: 3);
        await SubscribeAsync(gateway, "C", null, "disconnect", sessions: 2, count: 0);
        var id = await gateway.StartAsync("/bin/cat");
        await gateway.TypeAsync(id, "x\n");
        await ExpectAsync(gateway, id, "x\r\nx\r\n", "A", "B");
        await SubscribeAsync(gateway, "B", """[{"event":"terminal_exit"}]""", "update", sessions: 2, count: 1);
        await gateway.TypeAsync(id, "y\n");
        await ExpectAsync(gateway, id, "y\r\ny\r\n", "A");
        await SubscribeAsync(gateway, "A", null, "disconnect", sessions: 1, count: 0);
        await SubscribeAsync(gateway, "A", null, "disconnect", sessions: 1, count: 0);
        await gateway.TypeAsync(id, "\u0004");
        var frames = await gateway.CollectAsync(payload => (string?)payload["event"] == "terminal_exit");
        Assert.That(Clients(frames[^1]["payload"]!.AsObject()), Is.EqualTo(new[] { "B" }));
        Assert.That(frames.Select(Event), Has.None.EqualTo("terminal_data"));
    }

    [Test]
    public async Task Subscription_OfAnotherSession_IsAnsweredToWhoAsked()
    {
        var gateway = await ConnectAsync(spelling);
        var ack = await gateway.AnswerAsync(
            "session_subscribe", new JsonObject { ["client_channel"] = "managed", ["action"] = "connect", ["filters"] = new JsonArray(new JsonObject()) }, "session_subscribe_ack", "asker");
        Assert.That(Clients(ack), Is.EqualTo(new[] { "asker" }));
        var id = await gateway.StartAsync("/bin/cat");
        await gateway.TypeAsync(id, "x\n");
        await ExpectAsync(gateway, id, "x\r\nx\r\n", "managed");
    }

    [Test]
    public async Task Subscriptions_OfAGatewayThatComesBack_AreKept()
    {
        var device = MakeGateway();
        var gateway = await ConnectAsync(spelling, device);
        await SubscribeAsync(gateway, "A", """[{"event":"terminal_data"}]""");
        await gateway.Wire.CutAsync();
        gateway = await ConnectAsync(spelling, device);
        var id = await gateway.StartAsync("/bin/cat");
        await gateway.TypeAsync(id, "x\n");
        await ExpectAsync(gateway, id, "x\r\nx\r\n", "A");
        await SubscribeAsync(gateway, "B", "[]", sessions: 2, count: 0);
    }

    private static string? Event(JsonNode frame) => frame["payload"] is JsonObject payload ? (string?)payload["event"] : "raw output";

    private static string[] Clients(JsonObject payload) => [.. payload["client_channels"]!.AsArray().Select(name => (string)name!)];

    private static async Task ExpectAsync(GatewayClient gateway, string id, string text, params string[] clients)
    {
        var output = "";
        while (output.Length < text.Length)
        {
            var data = await gateway.UntilAsync("terminal_data");
            Assert.That((string?)data["terminal_id"], Is.EqualTo(id));
            output += (string?)data["data"];
            if (clients.Contains("loud"))
                continue;
            Assert.That(Clients(data), Is.EquivalentTo(clients), output);
        }

        Assert.That(output, Is.EqualTo(text));
    }

    private static async Task SubscribeAsync(
        GatewayClient gateway, string client, string? filters, string action = "connect", int? sessions = null, int? count = null)
    {
        var arguments = new JsonObject { ["client_channel"] = client, ["action"] = action };
        if (filters is not null)
            arguments["filters"] = JsonNode.Parse(filters);
        var ack = await gateway.AnswerAsync("session_subscribe", arguments, "session_subscribe_ack");
        Assert.That((string?)ack["action"], Is.EqualTo(action));
        if (sessions is not null)
            Assert.That(((int)ack["active_sessions"]!, (int)ack["filter_count"]!), Is.EqualTo((sessions, count)));
    }
}
