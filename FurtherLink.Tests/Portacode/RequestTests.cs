using System.Text.Json.Nodes;
using FurtherLink.Tests.Host;

namespace FurtherLink.Tests.Portacode;

/// <summary>What answers carry back of the request, and what errors say, in each spelling.</summary>
[TestFixture(Spelling.Document)]
[TestFixture(Spelling.Legacy)]
[TestFixture(Spelling.Current)]
internal sealed class RequestTests(Spelling spelling) : DeviceFixture
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    private static IEnumerable<TestCaseData> Actions =>
    [
        new("terminal_start", """{"shell":"/bin/cat"}""", "terminal_started"),
        new("terminal_send", """{"terminal_id":"ID","data":""}""", "terminal_send_ack"),
        new("terminal_send", """{"terminal_id":"ID"}""", "terminal_send_ack"),
        new("terminal_resize", """{"terminal_id":"ID","cols":90,"rows":30}""", "terminal_resized"),
        new("terminal_replay", """{"terminal_id":"ID","from":0}""", "terminal_data"),
        new("terminal_list", "{}", "terminal_list"),
        new("terminal_exec", """{"command":"true"}""", "terminal_exec_result"),
        new("terminal_exec", """{"command":"echo x"}""", "terminal_exec_output"),
        new("terminal_stop", """{"terminal_id":"ID"}""", "terminal_stopped"),
        new("terminal_stop", """{"terminal_id":"no-such"}""", "terminal_stopped"),
        new("system_info", "{}", "system_info"),
        new("session_subscribe", """{"action":"connect","client_channel":"A","filters":[]}""", "session_subscribe_ack"),
        new("file_read", """{"path":"FOLDER/file"}""", "file_read_response"),
        new("file_write", """{"path":"FOLDER/new/file","content":"x"}""", "file_write_response"),
        new("directory_list", """{"path":"FOLDER"}""", "directory_list_response"),
        new("file_info", """{"path":"FOLDER/file"}""", "file_info_response"),
        new("file_delete", """{"path":"FOLDER/file"}""", "file_delete_response"),
        new("file_read", "{}", "error"),
        new("no_such", "{}", "error"),
        new("terminal_send", "{}", "error"),
        new("terminal_stop", "{}", "error"),
        new("terminal_start", """{"cwd":"/no/such"}""", "error"),
    ];

    private static IEnumerable<TestCaseData> Errors =>
    [
        new("terminal_send", """{"data":"x"}""", "terminal_id is required"),
        new("terminal_send", """{"terminal_id":"","data":"x"}""", "terminal_id is required"),
        new("terminal_send", """{"terminal_id":null,"data":"x"}""", "terminal_id is required"),
        new("terminal_send", """{"terminal_id":"no-such","data":"x"}""", "terminal_id no-such not found"),
        new("terminal_stop", "{}", "terminal_id is required"),
        new("terminal_stop", """{"terminal_id":""}""", "terminal_id is required"),
        new("terminal_resize", "{}", "terminal_id is required"),
        new("terminal_resize", """{"terminal_id":"no-such","cols":80,"rows":24}""", "terminal_id no-such not found"),
        new("terminal_replay", "{}", "terminal_id is required"),
        new("terminal_replay", """{"terminal_id":"no-such"}""", "terminal_id no-such not found"),
        new("terminal_start", """{"cwd":"/no/such"}""", "[Errno 2] No such file or directory: '/no/such'"),
        new("terminal_start", """{"shell":"no-such-shell"}""", "[Errno 2] No such file or directory: 'no-such-shell'"),
        new("file_read", "{}", "path parameter is required"),
        new("file_read", """{"path":""}""", "path parameter is required"),
        new("file_read", """{"path":"FOLDER/no"}""", "File not found: FOLDER/no"),
        new("file_read", """{"path":"FOLDER/file/no"}""", "File not found: FOLDER/file/no"),
        new("file_read", """{"path":"FOLDER/binary"}""", "File is not text or uses unsupported encoding: FOLDER/binary"),
        new("file_write", """{"content":"x"}""", "path parameter is required"),
        new("file_write", """{"path":"FOLDER/file"}""", "content parameter is required"),
        new("directory_list", """{"path":"FOLDER/no"}""", "Directory not found: FOLDER/no"),
        new("directory_list", """{"path":"FOLDER/file"}""", "Path is not a directory: FOLDER/file"),
        new("file_info", "{}", "path parameter is required"),
        new("file_delete", "{}", "path parameter is required"),
        new("file_delete", """{"path":"FOLDER/no"}""", "Path does not exist: FOLDER/no"),
        new("file_delete", """{"path":"FOLDER/full"}""", "Directory not empty (use recursive=True): FOLDER/full"),
        new("terminal_exec", "{}", "command parameter is required"),
    ];

    [TestCaseSource(nameof(Actions))]
    public async Task Answer_ToARequest_GoesToWhoAskedWithItsId(string action, string arguments, string answer)
    {
        var gateway = await PrepareAsync();
        foreach (var (client, id) in new (string?, JsonNode?)[] { ("A", "r-1"), ("é\"\\", JsonValue.Create(17)), (null, "only"), ("B", null), (null, null) })
        {
            var fields = await ArgumentsAsync(gateway, arguments);
            await gateway.AskAsync(action, fields, client, id?.DeepClone());
            var frame = (await gateway.CollectAsync(payload => (string?)payload["event"] == answer))[^1];
            var payload = frame["payload"]!.AsObject();
            Assert.That((frame["channel"]!.ToJsonString(), frame["device_channel"]!.ToJsonString()), Is.EqualTo(("0", "0")));
            Assert.That(payload["request_id"]?.ToJsonString(), Is.EqualTo(id?.ToJsonString()));
            // What manages a session names it as an argument, and where nobody else is named that one asks.
            var asks = client ?? (string?)fields["client_channel"];
            Assert.That(payload["client_channels"]?.AsArray().Select(name => (string?)name), Is.EqualTo(asks is null ? null : new[] { asks }));
            Assert.That((string?)payload["reply_channel"], Is.EqualTo(spelling is Spelling.Legacy ? client : null));
            Assert.That(payload.ContainsKey("client_sessions"), Is.False);
        }
    }

    [TestCaseSource(nameof(Errors))]
    public async Task Error_OfARequest_SaysWhatIsWrong(string action, string arguments, string message)
    {
        var gateway = await PrepareAsync();
        await gateway.AskAsync(action, await ArgumentsAsync(gateway, arguments), "A", "id");
        var frame = (await gateway.NextAsync())!;
        var payload = frame["payload"]!.AsObject();
        Assert.That(((string?)payload["event"], (string?)payload["message"]), Is.EqualTo(("error", message.Replace("FOLDER", _folder.Path, StringComparison.Ordinal))));
        Assert.That(((string?)payload["request_id"], (string?)payload["client_channels"]![0]), Is.EqualTo(("id", "A")));
        Assert.That(await gateway.DrainAsync(), Is.Empty);
    }

    [TestCase("""{"action":"connect","filters":[]}""")]
    [TestCase("""{"client_channel":"","action":"connect","filters":[]}""")]
    [TestCase("""{"client_channel":"S","filters":[]}""")]
    [TestCase("""{"client_channel":"S","action":"subscribe","filters":[]}""")]
    [TestCase("""{"client_channel":"S","action":17,"filters":[]}""")]
    [TestCase("""{"client_channel":"S","action":"connect"}""")]
    [TestCase("""{"client_channel":"S","action":"connect","filters":null}""")]
    [TestCase("""{"client_channel":"S","action":"connect","filters":{}}""")]
    [TestCase("""{"client_channel":"S","action":"connect","filters":"*"}""")]
    [TestCase("""{"client_channel":"S","action":"connect","filters":[{},"*"]}""")]
    [TestCase("""{"client_channel":"S","action":"connect","filters":[null]}""")]
    [TestCase("""{"client_channel":"S","action":"update"}""")]
    [TestCase("""{"client_channel":"S","action":"update","filters":[[]]}""")]
    public async Task Subscription_ThatMakesNoSense_IsAnErrorAndChangesNothing(string arguments)
    {
        var gateway = await ConnectAsync(spelling);
        Assert.That((string?)(await gateway.ErrorAsync("session_subscribe", JsonNode.Parse(arguments)!.AsObject(), client: null))["message"], Is.Not.Empty);
        var ack = await gateway.AnswerAsync(
            "session_subscribe", new JsonObject { ["client_channel"] = "T", ["action"] = "connect", ["filters"] = new JsonArray() }, "session_subscribe_ack");
        Assert.That((int)ack["active_sessions"]!, Is.EqualTo(1));
    }

    [Test]
    public async Task Connection_AtItsBeginning_AsksForSessionsAndListsTerminals()
    {
        var first = await ConnectAsync(spelling);
        var id = await first.StartAsync("/bin/cat");
        await first.StartAsync("/bin/cat", new JsonObject { ["project_id"] = "p" });
        var second = Connect(spelling);
        var frames = await second.CollectAsync(payload => (string?)payload["event"] == "terminal_list");
        Assert.That(frames.Select(frame => (string?)frame["payload"]!["event"]), Is.EqualTo(new[] { "request_client_sessions", "terminal_list" }));
        var list = frames[^1]["payload"]!.AsObject();
        Assert.That(list["sessions"]!.AsArray().Select(row => (string?)row!["terminal_id"]), Is.EqualTo(new[] { id }));
        Assert.That(list.ContainsKey("client_channels"), Is.False);
    }

    [TestCase(null, "none")]
    [TestCase("p1", "p1,p1b")]
    [TestCase("p2", "p2")]
    [TestCase("no", "")]
    [TestCase("*", "")]
    [TestCase("all", "none,p1,p1b,p2")]
    public async Task List_OfAProject_HasItsTerminalsOnly(string? project, string expected)
    {
        var gateway = await ConnectAsync(spelling);
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, of) in new (string, string?)[] { ("none", null), ("p1", "p1"), ("p1b", "p1"), ("p2", "p2") })
            names[await gateway.StartAsync("/bin/cat", new JsonObject { ["project_id"] = of })] = name;
        var list = await gateway.AnswerAsync("terminal_list", new JsonObject { ["project_id"] = project }, "terminal_list");
        Assert.That(string.Join(',', list["sessions"]!.AsArray().Select(row => names[(string)row!["terminal_id"]!]).Order()), Is.EqualTo(expected));
        Assert.That((list.ContainsKey("project_id"), (string?)list["project_id"]), Is.EqualTo((true, project)));
    }

    private async Task<GatewayClient> PrepareAsync()
    {
        _folder.Write("file", "text");
        _folder.Write("full/file", "text");
        File.WriteAllBytes(_folder["binary"], [0x61, 0xFF, 0xFE]);
        return await ConnectAsync(spelling);
    }

    private async Task<JsonObject> ArgumentsAsync(GatewayClient gateway, string arguments)
    {
        if (!File.Exists(_folder["file"]))
            _folder.Write("file", "text");
        if (arguments.Contains("\"ID\"", StringComparison.Ordinal))
            arguments = arguments.Replace("ID", await gateway.StartAsync("/bin/cat"), StringComparison.Ordinal);
        return JsonNode.Parse(arguments.Replace("FOLDER", _folder.Path, StringComparison.Ordinal))!.AsObject();
    }
}
