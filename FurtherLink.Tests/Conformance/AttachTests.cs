using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Conformance;

/// <summary>Sessions that outlive connections and are seen by several clients: what holds over every transport.</summary>
[TestFixture("memory")]
[TestFixture("websocket")]
internal sealed class AttachTests(string transport) : AttachFixture(transport)
{
    [Test]
    public async Task Output_AfterACut_GoesOnAtTheNextByte([Values("id", "name")] string by)
    {
        var first = await ConnectAsync();
        var (id, program) = await StartAsync(first, new { whenDetached = "keep", name = "work" });
        await program.PrintAsync("one € ");
        var seen = await first.UntilAsync("stdout");
        await first.Wire.CutAsync();
        await program.PrintAsync("two");

        var second = await ConnectAsync();
        var attached = await AttachAsync(second, "x", new { session = by == "id" ? id : "work", from = (long)seen["data"]!["to"]! });
        Assert.That((long)attached["from"]!, Is.EqualTo(8));
        var next = await second.UntilAsync("stdout", "x");
        Assert.That(((string?)next["data"]!["output"], (long)next["data"]!["from"]!), Is.EqualTo(("two", 8L)));

        await second.SendAsync("list");
        var listed = (await second.UntilAsync("sessions"))["data"]!["sessions"]!.AsArray().Single()!;
        Assert.That(((string?)listed["id"], (string?)listed["name"], (string?)listed["runner"]), Is.EqualTo((id, "work", "fake")));
    }

    [TestCase("start", "before")]
    [TestCase("now", "after")]
    public async Task From_AWord_IsThatPlace(string from, string expected)
    {
        var (id, program) = await StartAsync(await ConnectAsync(), new { whenDetached = "keep" });
        await program.PrintAsync("before");
        var second = await ConnectAsync();
        await AttachAsync(second, "x", new { session = id, from, mode = "view" });
        await program.PrintAsync("after");
        Assert.That((string?)(await second.UntilAsync("stdout"))["data"]!["output"], Does.StartWith(expected));
    }

    [Test]
    public async Task Output_FlushedAndNotAcknowledged_IsStillThereAfterACut()
    {
        var first = await ConnectAsync("ack");
        var (id, program) = await StartAsync(first, new { whenDetached = "pause" }, new { window = 8192 });
        var printing = Task.Run(async () =>
        {
            for (var i = 0; i < 20_000; i++)
                await program.PrintAsync($"{i:D9}\n");
        });
        long to = 0;
        while (to < 8192)
            to = (long)(await first.UntilAsync("stdout"))["data"]!["to"]!;
        Assert.That(to, Is.EqualTo(8192), "no more is under way than the window");
        await first.SendAsync("ack", "1", new { offset = 1000 });
        while (to < 9190)
            to = (long)(await first.UntilAsync("stdout"))["data"]!["to"]!;
        await first.Wire.CutAsync();

        var second = await ConnectAsync("ack");
        await AttachAsync(second, "1", new { session = id, from = 1000 });
        var all = new StringBuilder();
        while (all.Length < 199_000)
        {
            var output = (await second.UntilAsync("stdout"))["data"]!;
            Assert.That((long)output["from"]!, Is.EqualTo(1000 + all.Length));
            all.Append((string?)output["output"]);
            await second.SendAsync("ack", "1", new { offset = (long)output["to"]! });
        }

        await printing.WaitAsync(Patience.Long);
        Assert.That(all.ToString(), Is.EqualTo(string.Concat(Enumerable.Range(100, 19_900).Select(i => $"{i:D9}\n"))));
    }

    [Test]
    public async Task Program_NobodyIsAttachedTo_PausesOrRunsOnByItsPolicy([Values("pause", "keep")] string whenDetached)
    {
        var first = await ConnectAsync();
        var (id, program) = await StartAsync(first, new { whenDetached });
        await first.Wire.CutAsync();
        var session = Host.Sessions.Find(id)!;
        await Patience.UntilAsync(() => session.Info.Members == 0, "the detach");
        var printing = Task.Run(async () =>
        {
            for (var i = 0; i < 20_000; i++)
                await program.PrintAsync($"{i:D9}\n");
            program.Exit(0);
        });
        if (whenDetached == "keep")
            await printing.WaitAsync(Patience.Long);
        else
            await Patience.UntilAsync(() => session.Output.End > 50_000, "a full log");

        var second = await ConnectAsync();
        await AttachAsync(second, "1", new { session = id });
        long missed = 0;
        var all = new StringBuilder();
        for (var message = await second.NextAsync(); (string?)message!["type"] != "stopped"; message = await second.NextAsync())
        {
            if ((string?)message["type"] == "missed")
                missed = (long)message["data"]!["to"]!;
            else if ((string?)message["type"] == "stdout")
                all.Append((string?)message["data"]!["output"]);
        }

        Assert.That(missed + all.Length, Is.EqualTo(200_000));
        Assert.That(missed, whenDetached == "keep" ? Is.GreaterThan(100_000) : Is.Zero);
        Assert.That(all.ToString(), Does.EndWith("000019998\n000019999\n"));
    }

    [Test]
    public async Task Session_WhoseGraceIsOver_IsGone()
    {
        var first = await ConnectAsync();
        var (id, program) = await StartAsync(first, new { whenDetached = "stop", grace = 30 });
        await first.Wire.CutAsync();
        await Patience.UntilAsync(() => Host.Sessions.Find(id)!.Info.Members == 0, "the detach");
        Time.Advance(TimeSpan.FromSeconds(29));
        Assert.That(program.IsDisposed, Is.False);
        Time.Advance(TimeSpan.FromSeconds(2));
        await Patience.UntilAsync(() => program.IsDisposed && Host.Sessions.Find(id) is null, "the end");
        var second = await ConnectAsync();
        await second.SendAsync("attach", "1", new { session = id });
        Assert.That((string?)(await second.UntilAsync("error"))["data"]!["detail"], Does.Contain(id));
    }

    [Test]
    public async Task Exit_OfASessionThatIsKept_IsKnownForAWhile()
    {
        var first = await ConnectAsync();
        var (id, program) = await StartAsync(first, new { whenDetached = "keep" });
        await first.Wire.CutAsync();
        await program.PrintAsync("last words");
        program.Exit(7);
        var session = Host.Sessions.Find(id)!;
        await session.Exited.WaitAsync(Patience.Long);
        await Patience.UntilAsync(() => session.Info.Members == 0, "the detach");
        Time.Advance(TimeSpan.FromMinutes(9));

        var second = await ConnectAsync();
        var attached = await AttachAsync(second, "1", new { session = id });
        Assert.That((int)attached["session"]!["exitCode"]!, Is.EqualTo(7));
        var all = await second.RunAsync("1");
        Assert.That((all.Output, all.ExitCode), Is.EqualTo(("last words", 7)));
        // When its time begins again nothing tells.
        await Patience.UntilAsync(
            () =>
            {
                Time.Advance(TimeSpan.FromMinutes(11));
                return Host.Sessions.Find(id) is null;
            },
            "its removal");
    }

    [Test]
    public async Task Viewer_CanOnlyWatch()
    {
        Terminal = TerminalSize.Default;
        var driver = await ConnectAsync();
        var (id, program) = await StartAsync(driver, new { whenDetached = "keep" });
        var viewer = await ConnectAsync();
        Assert.That((string?)(await AttachAsync(viewer, "v", new { session = id, mode = "view" }))["mode"], Is.EqualTo("view"));
        foreach (var (type, data) in new (string, object?)[] { ("stdin", new { input = "x" }), ("resize", new { rows = 1, cols = 1 }), ("keyevent", new { key = "a", @event = "keydown" }), ("stop", null), ("request", null), ("take", null) })
        {
            await viewer.SendAsync(type, "v", data);
            Assert.That((string?)(await viewer.UntilAsync("error"))["data"]!["detail"], Does.Contain("only to view"), type);
        }

        await program.PrintAsync("seen by both");
        await driver.UntilAsync("stdout");
        Assert.That((string?)(await viewer.UntilAsync("stdout", "v"))["data"]!["output"], Is.EqualTo("seen by both"));
        Assert.That(program.Controls, Is.Empty);
    }

    [Test]
    public async Task Driving_IsOnesAtATime_AndHandedOver()
    {
        var first = await ConnectAsync();
        var (id, program) = await StartAsync(first, new { whenDetached = "keep" });
        var second = await ConnectAsync();
        var attached = await AttachAsync(second, "s", new { session = id });
        var member = (int)attached["member"]!;
        Assert.That((string?)attached["mode"], Is.EqualTo("view"), "who wants to drive waits");
        await second.InputAsync("s", "no");
        Assert.That((string?)(await second.UntilAsync("error"))["data"]!["detail"], Does.Contain("request"));

        await second.SendAsync("request", "s");
        await PresenceAsync(first, members => members.Any(one => (int)one!["member"]! == member && (bool)one["requests"]!));
        await first.SendAsync("grant", "1", new { member });
        await PresenceAsync(second, members => members.Single(one => (bool)one!["drives"]!)!["member"]!.GetValue<int>() == member);
        await second.InputAsync("s", "granted ");
        await program.TakeAsync("granted ");
        await first.InputAsync("1", "no");
        await first.UntilAsync("error");

        await first.SendAsync("take", "1");
        await PresenceAsync(second, members => members.Single(one => (bool)one!["drives"]!)!["member"]!.GetValue<int>() == 1);
        await first.InputAsync("1", "taken ");
        await program.TakeAsync("taken ");
        await first.Wire.CutAsync();
        await PresenceAsync(second, members => members.Count == 1 && (bool)members[0]!["drives"]!);
        await second.InputAsync("s", "left");
        await program.TakeAsync("left");
    }

    [Test]
    public async Task Size_OfTheTerminal_IsByPolicy([Values("driver", "smallest", "fixed")] string size)
    {
        Terminal = TerminalSize.Default;
        var first = await ConnectAsync();
        var (id, program) = await StartAsync(first, new { whenDetached = "keep", size });
        var second = await ConnectAsync();
        await AttachAsync(second, "1", new { session = id });
        await first.SendAsync("resize", "1", new { rows = 30, cols = 90 });
        await first.PingAsync();
        await second.SendAsync("resize", "1", new { rows = 40, cols = 80 });
        await second.PingAsync();
        await second.SendAsync("take", "1");
        await second.PingAsync();
        TerminalSize[] expected = size switch
        {
            "driver" => [new(30, 90), new(40, 80)],
            "smallest" => [new(30, 90), new(30, 80)],
            _ => [],
        };
        await Patience.UntilAsync(() => program.Controls.Count >= expected.Length, "the sizes");
        Assert.That(program.Controls, Is.EqualTo(expected));
    }

    [Test]
    public async Task ClientId_OfADeadConnection_IsTakenOver()
    {
        var dead = await ConnectAsync();
        var (id, program) = await StartAsync(dead, new { whenDetached = "keep" }, new { clientId = "me" });
        var alive = await ConnectAsync();
        Assert.That((string?)(await AttachAsync(alive, "1", new { session = id, clientId = "me" }))["mode"], Is.EqualTo("drive"));
        Assert.That((string?)(await dead.UntilAsync("detached"))["data"]!["reason"], Does.Contain("another connection"));
        await alive.InputAsync("1", "driving");
        await program.TakeAsync("driving");

        await dead.SendAsync("attach", "1", new { session = id, clientId = "me" });
        Assert.That((string?)(await dead.UntilAsync("error"))["data"]!["detail"], Does.Contain("newer connection"), "what comes late from it takes nothing back");
    }

    [Test]
    public async Task NumberedInput_SentAgain_IsTakenOnceAndInOrder()
    {
        var first = await ConnectAsync();
        var (id, program) = await StartAsync(first, new { whenDetached = "keep" }, new { clientId = "me" });
        for (var seq = 1; seq <= 3; seq++)
            await first.SendAsync("stdin", "1", new { input = $"{seq} ", seq });
        await first.SendAsync("stdin", "1", new { input = "5 ", seq = 5 });
        Assert.That((string?)(await first.UntilAsync("error"))["data"]!["detail"], Does.Contain("4 is next"));
        await first.SendAsync("ping");
        Assert.That((string?)(await first.NextAsync())!["type"], Is.EqualTo("pong"), "nothing is acknowledged that the program has not taken");
        await program.TakeAsync("1 2 ");
        // It stands for all before it: that of 1 may come later, or not at all.
        while ((int)(await first.UntilAsync("ack"))["data"]!["seq"]! < 2)
        {
        }

        await first.Wire.CutAsync();

        var second = await ConnectAsync();
        Assert.That((int)(await AttachAsync(second, "1", new { session = id, clientId = "me" }))["seq"]!, Is.EqualTo(2));
        for (var seq = 2; seq <= 4; seq++)
            await second.SendAsync("stdin", "1", new { input = $"{seq} ", seq, end = seq == 4 });
        await program.TakeAsync("3 4 ");
        while ((int)(await second.UntilAsync("ack"))["data"]!["seq"]! < 4)
        {
        }

        await program.TakeEndAsync();
    }

    [Test]
    public async Task NumberedInput_ThatStalls_IsRefusedWithAllBehindIt()
    {
        var client = await ConnectAsync();
        var (_, program) = await StartAsync(client, new { whenDetached = "keep" }, new { clientId = "me" });
        await client.SendAsync("stdin", "1", new { input = new string('a', 300_000), seq = 1 });
        await client.SendAsync("stdin", "1", new { input = "b", seq = 2 });
        await client.SendAsync("stdin", "1", new { input = "c", seq = 3 });
        await client.PingAsync();
        Time.Advance(TimeSpan.FromSeconds(3));
        for (var i = 0; i < 2; i++)
            Assert.That((string?)(await client.UntilAsync("error"))["data"]!["detail"], Does.Contain("not read its input"));
        await program.TakeAsync(new string('a', 300_000));
        await client.UntilAsync("ack");
        await client.SendAsync("stdin", "1", new { input = "c", seq = 3 });
        Assert.That((string?)(await client.UntilAsync("error"))["data"]!["detail"], Does.Contain("2 is next"));
        await client.SendAsync("stdin", "1", new { input = "b", seq = 2 });
        await client.SendAsync("stdin", "1", new { input = "c", seq = 3 });
        await program.TakeAsync("bc");
    }

    [Test]
    public async Task PlainClient_InASharedSession_SeesTheOldMessagesAlone()
    {
        var plain = await ConnectAsync("");
        await plain.StartAsync("1", "fake");
        var program = await Host.Runner.NextAsync();
        Assert.That((await plain.NextAsync())!.ToJsonString(), Is.EqualTo("""{"type":"started","data":null,"client":"","process":"1"}"""));
        var other = await ConnectAsync();
        await AttachAsync(other, "x", new { session = Host.Sessions.Sessions.Single().Id });
        await other.SendAsync("take", "x");
        await other.PingAsync();
        // A plain client is sent what a young program prints in one message, as its clients know it.
        Time.Advance(TimeSpan.FromSeconds(1));
        await program.PrintAsync("hi");
        Assert.That((await plain.NextAsync())!.ToJsonString(), Is.EqualTo("""{"type":"stdout","data":{"output":"hi"},"client":"","process":"1"}"""));
        await other.SendAsync("detach", "x");
        await other.UntilAsync("detached");
        program.Exit(0);
        Assert.That((await plain.NextAsync())!.ToJsonString(), Is.EqualTo("""{"type":"stopped","data":{"exitCode":0},"client":"","process":"1"}"""));
    }

    [Test]
    public async Task Delivery_OfTheLatest_NeverHoldsUpTheProgram()
    {
        var driver = await ConnectAsync();
        var (id, program) = await StartAsync(driver, new { whenDetached = "keep" });
        await driver.SendAsync("detach", "1");
        await driver.UntilAsync("detached");
        var slow = await ConnectAsync();
        await AttachAsync(slow, "1", new { session = id, delivery = "latest", mode = "view" });
        // 20 MB: more than any socket holds.
        for (var i = 0; i < 20; i++)
            await program.PrintAsync(new string('x', 1_000_000)).WaitAsync(Patience.Long);
        program.Exit(0);
        long missed = 0;
        long got = 0;
        for (var message = await slow.NextAsync(); (string?)message!["type"] != "stopped"; message = await slow.NextAsync())
        {
            if ((string?)message["type"] == "missed")
                missed += (long)message["data"]!["to"]! - (long)message["data"]!["from"]!;
            else if ((string?)message["type"] == "stdout")
                got += ((string?)message["data"]!["output"])!.Length;
        }

        Assert.That(missed + got, Is.EqualTo(20_000_000));
        Assert.That(missed, Is.Positive);
    }

    [TestCase("attach", "{}", "session")]
    [TestCase("attach", """{"session":5}""", "session")]
    [TestCase("attach", """{"session":"nobody"}""", "nobody")]
    [TestCase("attach", """{"session":"x","from":-1}""", "from")]
    [TestCase("attach", """{"session":"x","from":"end"}""", "from")]
    [TestCase("attach", """{"session":"x","mode":"own"}""", "mode")]
    [TestCase("attach", """{"session":"x","delivery":"never"}""", "delivery")]
    [TestCase("attach", """{"session":"x","window":1}""", "window")]
    [TestCase("attach", """{"session":"x","clientId":""}""", "clientId")]
    [TestCase("attach", """{"session":"x","screen":1}""", "screen")]
    [TestCase("start", """{"runner":"fake","session":"x"}""", "session")]
    [TestCase("start", """{"runner":"fake","session":{"whenDetached":"never"}}""", "whenDetached")]
    [TestCase("start", """{"runner":"fake","session":{"grace":-1}}""", "grace")]
    [TestCase("start", """{"runner":"fake","session":{"grace":1e300}}""", "grace")]
    [TestCase("start", """{"runner":"fake","session":{"name":""}}""", "name")]
    [TestCase("start", """{"runner":"fake","session":{"size":"huge"}}""", "size")]
    [TestCase("ack", "{}", "offset")]
    [TestCase("ack", """{"offset":99}""", "99")]
    [TestCase("grant", "{}", "member")]
    [TestCase("grant", """{"member":99}""", "99")]
    [TestCase("stdin", """{"input":"x","seq":"1"}""", "seq")]
    [TestCase("stdin", """{"input":"x","seq":1}""", "client id")]
    public async Task Nonsense_IsRefusedNamingIt_AndAllGoesOn(string type, string data, string named)
    {
        var client = await ConnectAsync("ack");
        var (_, program) = await StartAsync(client, new { whenDetached = "keep" });
        await client.SendAsync(type, type is "start" or "attach" ? "other" : "1", JsonNode.Parse(data));
        Assert.That((string?)(await client.UntilAsync("error"))["data"]!["detail"], Does.Contain(named));
        await program.PrintAsync("on");
        Assert.That((string?)(await client.UntilAsync("stdout"))["data"]!["output"], Is.EqualTo("on"));
    }
}
