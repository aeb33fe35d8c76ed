using System.Text.Json.Nodes;

namespace FurtherLink.Tests.Portacode;

/// <summary>Who is told what: answers, broadcasts, subscriptions, and lists of sessions.</summary>
[TestFixture(Spelling.Document)]
[TestFixture(Spelling.Legacy)]
[TestFixture(Spelling.Current)]
internal sealed class SubscriptionTests(Spelling spelling) : DeviceFixture
{
    [Test]
    public async Task Broadcast_GoesToThoseWhomItInterests_AndIsSentOnce()
    {
        var gateway = await ConnectAsync(spelling);
        await SubscribeAsync(gateway, "connect", "all", "[{},{\"event\":\"*\"}]", 1, 2);
        await SubscribeAsync(gateway, "connect", "exits", "[{\"event\":\"terminal_exit\"}]", 2, 1);
        await SubscribeAsync(gateway, "connect", "none", "[]", 3, 0);
        var id = await gateway.StartAsync("/bin/sh");
        await gateway.TypeAsync(id, "exit 0\n");
        Assert.That(Clients(await gateway.UntilAsync("terminal_data")), Is.EqualTo(new[] { "all" }));
        Assert.That(Clients(await gateway.UntilAsync("terminal_exit")), Is.EqualTo(new[] { "all", "exits" }));

        await SubscribeAsync(gateway, "update", "all", "[{\"project_id\":\"p\"}]", 3, 1);
        await SubscribeAsync(gateway, "disconnect", "exits", null, 2, 0);
        await SubscribeAsync(gateway, "disconnect", "unknown", null, 2, 0);
        var other = await gateway.StartAsync("/bin/cat");
        var mine = await gateway.StartAsync("/bin/cat", new JsonObject { ["project_id"] = "p" });
        foreach (var terminal in new[] { other, mine })
            await gateway.TypeAsync(terminal, "x\n");
        var data = await gateway.UntilAsync("terminal_data");
        Assert.That(((string?)data["terminal_id"], Clients(data)[0]), Is.EqualTo((mine, "all")), "what interests nobody is not sent");
    }

    [TestCase("""{"action":"connect"}""", "filters parameter is required")]
    [TestCase("""{"action":"update","filters":{}}""", "filters parameter must be a list")]
    [TestCase("""{"action":"connect","filters":[1]}""", "filter 0 must be an object")]
    [TestCase("""{"action":"other","filters":[]}""", "Unknown action: other; there are: connect, disconnect, update")]
    [TestCase("""{"filters":[]}""", "action parameter is required")]
    public async Task Subscription_ThatMakesNoSense_IsRefused(string arguments, string message)
    {
        var gateway = await ConnectAsync(spelling);
        await gateway.AskAsync("session_subscribe", JsonNode.Parse(arguments)!.AsObject());
        var error = await gateway.UntilAsync("error");
        Assert.That(((string?)error["message"], Clients(error)[0]), Is.EqualTo((message, "A")));
        var id = await gateway.StartAsync("/bin/cat");
        await gateway.SendAsync(new JsonObject { ["channel"] = id, ["payload"] = "raw\n" });
        var frame = await gateway.NextAsync();
        Assert.That((string?)frame!["channel"], Is.EqualTo(id), "nobody is announced, so output is raw");
    }

    [Test]
    public async Task List_OfSessions_TargetsByProject_AndGreetsTheNew()
    {
        var gateway = await ConnectAsync(spelling);
        var mine = await gateway.StartAsync("/bin/cat", new JsonObject { ["project_id"] = "p" });
        await gateway.AskAsync("client_sessions_update", new JsonObject
        {
            ["sessions"] = JsonNode.Parse("""[{"channel_name":"d","connection_type":"dashboard"},{"channel_name":"p","connection_type":"project","project_id":"p"},{"channel_name":"q","connection_type":"project","project_id":"q","extra":1}]"""),
        });
        var greetings = new Dictionary<string, JsonObject>();
        while (greetings.Count < 3)
        {
            var list = await gateway.UntilAsync("terminal_list");
            greetings[Clients(list).Single()] = list;
            Assert.That(list["client_sessions"]!.ToJsonString(), Is.EqualTo(list["client_channels"]!.ToJsonString()));
        }

        Assert.That(greetings["d"]["sessions"]!.AsArray(), Is.Empty);
        Assert.That((string?)greetings["p"]["sessions"]!.AsArray().Single()!["terminal_id"], Is.EqualTo(mine));
        await gateway.TypeAsync(mine, "x\n");
        Assert.That(Clients(await gateway.UntilAsync("terminal_data")), Is.EqualTo(new[] { "p" }));
        var free = await gateway.StartAsync("/bin/cat");
        await gateway.TypeAsync(free, "x\n");
        Assert.That(Clients(await gateway.UntilAsync("terminal_data", data => (string?)data["terminal_id"] == free)), Is.EqualTo(new[] { "d", "p", "q" }));

        // Who asks is answered, whatever the projects.
        await gateway.AskAsync("terminal_list", new JsonObject { ["project_id"] = "nobody" }, "Z");
        Assert.That(Clients(await gateway.UntilAsync("terminal_list")), Is.EqualTo(new[] { "Z" }));
    }

    [Test]
    public async Task Answer_CarriesWhatItsRequestWants([Values("text", "number", "none")] string kind)
    {
        var gateway = await ConnectAsync(spelling);
        JsonNode? id = kind switch { "text" => "q-1", "number" => 12, _ => null };
        await gateway.AskAsync("terminal_list", null, "A", id);
        var answer = await gateway.UntilAsync("terminal_list");
        Assert.That(JsonNode.DeepEquals(answer["request_id"], kind switch { "text" => "q-1", "number" => 12, _ => null }), Is.True);
        Assert.That(answer.ContainsKey("request_id"), Is.EqualTo(kind != "none"));
        Assert.That((string?)answer["reply_channel"], Is.EqualTo(spelling is Spelling.Legacy ? "A" : null));
        await gateway.AskAsync("no_such_thing", null, null);
        var error = await gateway.UntilAsync("error");
        Assert.That((string?)error["message"], Is.EqualTo("Unknown cmd: no_such_thing"));
        Assert.That(error.ContainsKey("client_channels") || error.ContainsKey("reply_channel"), Is.False);
    }

    private static async Task SubscribeAsync(GatewayClient gateway, string action, string client, string? filters, int sessions, int count)
    {
        var arguments = new JsonObject { ["client_channel"] = client, ["action"] = action };
        if (filters is not null)
            arguments["filters"] = JsonNode.Parse(filters);
        // In the document's spelling who asks differs from whom it is about.
        var ack = await gateway.AnswerAsync("session_subscribe", arguments, "session_subscribe_ack", gateway.Spelling is Spelling.Document ? "manager" : client);
        Assert.That(((string?)ack["action"], (int)ack["active_sessions"]!, (int)ack["filter_count"]!), Is.EqualTo((action, sessions, count)));
    }

    private static List<string> Clients(JsonObject payload) => [.. payload["client_channels"]!.AsArray().Select(name => (string)name!)];
}
