using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Peers;

/// <summary>How many programs a client may start, how fast, and how much output all keep.</summary>
[TestFixture]
internal sealed class AdmissionTests
{
    private static readonly Caller Remote = new("192.0.2.7", IsLocal: false);
    private static readonly Grant Anna = new("anna", Access.Drive);
    private static readonly Grant Bob = new("bob", Access.Drive);

    [Test]
    public async Task Start_OfMoreThanAClientMayRun_IsRefusedUntilOneEnds()
    {
        await using var host = new TestHost(configure: options => options.MaxSessions = 2);
        await using var anna = Connect(host, Anna, Caller.Here);
        await using var again = Connect(host, Anna, Caller.Here);
        await using var bob = Connect(host, Bob, Caller.Here);
        Assert.That(await StartAsync(anna, "1"), Is.EqualTo("started"));
        Assert.That(await StartAsync(again, "1"), Is.EqualTo("started"), "the limit is the client's, not the connection's");
        Assert.That(await StartAsync(anna, "2"), Does.Contain("2 programs run already"));
        Assert.That(await StartAsync(bob, "1"), Is.EqualTo("started"));

        await anna.SendAsync("stop", "1");
        await anna.UntilAsync("stopped", "1");
        Assert.That(await StartAsync(anna, "2"), Is.EqualTo("started"));
    }

    [Test]
    public async Task Start_ThatFails_TakesNoPlace()
    {
        await using var host = new TestHost(configure: options => options.MaxSessions = 1);
        await using var anna = Connect(host, Anna, Caller.Here);
        await anna.SendAsync("start", "1", new { runner = "none" });
        await anna.UntilAsync("error");
        Assert.That(await StartAsync(anna, "1"), Is.EqualTo("started"));
    }

    [Test]
    public async Task Start_FasterThanAllowed_IsRefusedToRemoteClientsAlone()
    {
        var time = new ManualTimeProvider();
        await using var host = new TestHost(configure: options => options.StartsPerMinute = 2, time: time);
        await using var remote = Connect(host, Anna, Remote);
        await using var local = Connect(host, Bob, Caller.Here);
        for (var i = 0; i < 2; i++)
            Assert.That(await StartAsync(remote, $"{i}"), Is.EqualTo("started"));
        Assert.That(await StartAsync(remote, "2"), Does.Contain("2 programs a minute"));
        for (var i = 0; i < 5; i++)
            Assert.That(await StartAsync(local, $"{i}"), Is.EqualTo("started"));

        time.Advance(TimeSpan.FromSeconds(30));
        Assert.That(await StartAsync(remote, "3"), Is.EqualTo("started"));
        Assert.That(await StartAsync(remote, "4"), Does.Contain("2 programs a minute"));
    }

    [Test]
    public async Task Start_WhereAllOutputTakesTooMuch_LetsEndedSessionsGoThenIsRefused()
    {
        await using var host = new TestHost(configure: options => options.MaxOutput = 1024 * 1024);
        await using var anna = Connect(host, Anna, Caller.Here);
        var ended = await KeptAsync(host);
        ended.Program.Exit(0);
        await ended.Session.Exited.WaitAsync(Patience.Long);
        Assert.That(await StartAsync(anna, "1"), Is.EqualTo("started"));
        Assert.That(host.Sessions.Find(ended.Session.Id), Is.Null, "it was let go");
        await host.Runner.NextAsync();

        await KeptAsync(host);
        Assert.That(await StartAsync(anna, "2"), Does.Contain("bytes of output already"));
        Assert.That(host.Sessions.Sessions.Count(), Is.EqualTo(2));
    }

    // One that keeps a whole log of output, which nobody reads.
    private static async Task<(FurtherLink.Sessions.ISession Session, FakeProcess Program)> KeptAsync(TestHost host)
    {
        var session = await host.Sessions.StartAsync(new RunRequest("fake") { Session = new SessionOptions { WhenDetached = WhenDetached.Keep } });
        ((FurtherLink.Sessions.Session)session).Hold.Join();
        ((FurtherLink.Sessions.Session)session).Hold.Leave(0);
        var program = await host.Runner.NextAsync();
        for (var i = 0; i < 20; i++)
            await program.PrintAsync(new string('x', 64 * 1024));
        return (session, program);
    }

    private static async Task<string> StartAsync(FurtherTestClient client, string name)
    {
        await client.SendAsync("start", name, new { runner = "fake" });
        while (true)
        {
            var message = (await client.NextAsync())!;
            switch ((string?)message["type"])
            {
                case "started":
                    return "started";
                case "error":
                    return message.ToJsonString();
            }
        }
    }

    private static FurtherTestClient Connect(TestHost host, Grant grant, Caller caller) =>
        new(new MemoryWire(host.Server, frames => new LinkConnection("test", "further", frames) { Principal = grant.ToPrincipal(), Caller = caller }));
}
