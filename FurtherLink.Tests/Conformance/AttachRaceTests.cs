using System.Text.Json.Nodes;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Conformance;

/// <summary>What crosses on the wire, or happens before its time, does no harm.</summary>
[TestFixture("memory")]
[TestFixture("websocket")]
internal sealed class AttachRaceTests(string transport) : AttachFixture(transport)
{
    [Test]
    public async Task Detach_BeforeTheProgramRuns_IsTheLastOfItsName()
    {
        var started = new TaskCompletionSource();
        Host.Runner.BeforeStart = _ => started.Task;
        var client = await ConnectAsync();
        await client.SendAsync("start", "1", new { runner = "fake", session = new { whenDetached = "keep", name = "late" } });
        await client.SendAsync("detach", "1");
        await client.UntilAsync("detached", "1");
        started.SetResult();
        var program = await Host.Runner.NextAsync();
        await program.PrintAsync("nobody asked");

        await Patience.UntilAsync(() => Host.Sessions.Find("late") is not null, "the start");
        await AttachAsync(client, "1", new { session = "late", from = "now" });
        await client.SendAsync("detach", "1");
        string[] types = [];
        while (types.LastOrDefault() != "detached")
            types = [.. types, (string)(await client.NextAsync())!["type"]!];
        Assert.That(types, Does.Not.Contain("started").And.Not.Contain("stdout"));
    }

    [Test]
    public async Task Attach_ManyTimes_NothingOfItsNameComesBeforeItsReply()
    {
        var first = await ConnectAsync();
        var (id, program) = await StartAsync(first, new { whenDetached = "keep" });
        await program.PrintAsync("printed");
        var client = await ConnectAsync();
        for (var i = 0; i < 300; i++)
        {
            var name = $"{i}";
            await client.SendAsync("attach", name, new { session = id, mode = "view" });
            JsonNode message;
            do
                message = (await client.NextAsync())!;
            while ((string?)message["process"] != name);
            Assert.That((string?)message["type"], Is.EqualTo("attached"), $"attach {i}: {message.ToJsonString()}");
            await client.SendAsync("detach", name);
            await client.UntilAsync("detached", name);
        }
    }

    [Test]
    public async Task Ack_ThatCrossesTheEnd_IsNoMistake()
    {
        var client = await ConnectAsync("ack");
        var (_, program) = await StartAsync(client, new { whenDetached = "keep" });
        await program.PrintAsync("last");
        program.Exit(0);
        await client.UntilAsync("stopped");
        await client.SendAsync("ack", "1", new { offset = 4 });
        await client.SendAsync("ping");
        Assert.That((string?)(await client.NextAsync())!["type"], Is.EqualTo("pong"));
    }

    [Test]
    public async Task Window_OfAnySize_LetsOutputThrough([Values(4096, long.MaxValue)] long window)
    {
        var first = await ConnectAsync();
        var (id, program) = await StartAsync(first, new { whenDetached = "keep" });
        await program.PrintAsync("0123456789");
        var client = await ConnectAsync("ack");
        await AttachAsync(client, "1", new { session = id, from = 5, window });
        Assert.That((string?)(await client.UntilAsync("stdout"))["data"]!["output"], Is.EqualTo("56789"));
        await client.SendAsync("ack", "1", new { offset = 10 });
        await program.PrintAsync("more");
        Assert.That((string?)(await client.UntilAsync("stdout"))["data"]!["output"], Is.EqualTo("more"));
    }

    [Test]
    public async Task From_BehindTheEnd_IsTheEndAndSaysSo()
    {
        var first = await ConnectAsync();
        var (id, program) = await StartAsync(first, new { whenDetached = "keep" });
        await program.PrintAsync("0123456789");
        var client = await ConnectAsync();
        Assert.That((long)(await AttachAsync(client, "1", new { session = id, from = long.MaxValue }))["from"]!, Is.EqualTo(10));
        await program.PrintAsync("on");
        var output = (await client.UntilAsync("stdout"))["data"]!;
        Assert.That(((long)output["from"]!, (string?)output["output"]), Is.EqualTo((10L, "on")));
    }

    [Test]
    public async Task Names_OfOneConnection_MayBeTheSameSession()
    {
        var client = await ConnectAsync();
        var (id, program) = await StartAsync(client, new { whenDetached = "keep" });
        await AttachAsync(client, "2", new { session = id, mode = "view" });
        await client.SendAsync("attach", "2", new { session = id });
        Assert.That((string?)(await client.UntilAsync("error"))["data"]!["detail"], Does.Contain("\"2\""), "a name in use");
        await program.PrintAsync("twice");
        string[] names = [(string)(await client.UntilAsync("stdout"))["process"]!, (string)(await client.UntilAsync("stdout"))["process"]!];
        Assert.That(names, Is.EquivalentTo(new[] { "1", "2" }));
        program.Exit(3);
        names = [(string)(await client.UntilAsync("stopped"))["process"]!, (string)(await client.UntilAsync("stopped"))["process"]!];
        Assert.That(names, Is.EquivalentTo(new[] { "1", "2" }));
    }

    [Test]
    public async Task Session_ThatIsRemoved_IsNamedByItsRefusal()
    {
        var first = await ConnectAsync();
        var (id, program) = await StartAsync(first, new { whenDetached = "keep", name = "gone" });
        program.Exit(0);
        await first.UntilAsync("stopped");
        await Patience.UntilAsync(
            () =>
            {
                Time.Advance(TimeSpan.FromMinutes(11));
                return Host.Sessions.Find(id) is null;
            },
            "its removal");
        foreach (var session in new[] { id, "gone" })
        {
            await first.SendAsync("attach", "1", new { session });
            Assert.That((string?)(await first.UntilAsync("error"))["data"]!["detail"], Is.EqualTo($"there is no session \"{session}\""));
        }

        await first.SendAsync("list");
        Assert.That((await first.UntilAsync("sessions"))["data"]!["sessions"]!.AsArray(), Is.Empty);
        await StartAsync(first, new { whenDetached = "keep", name = "gone" });
    }
}
