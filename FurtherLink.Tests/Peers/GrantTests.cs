using System.Buffers.Binary;
using FurtherLink.Codecs;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Peers;

/// <summary>What a client was granted decides what it sees, ends and runs as, and for how long it is connected.</summary>
[TestFixture]
internal sealed class GrantTests
{
    private ManualTimeProvider _time = null!;
    private TestHost _host = null!;

    [SetUp]
    public void SetUp()
    {
        _time = new ManualTimeProvider();
        _host = new TestHost(configure: static options => options.AuthenticationTimeout = TimeSpan.FromSeconds(7), time: _time);
    }

    [TearDown]
    public async Task TearDown() => await _host.DisposeAsync();

    [TestCase(true, 2)]
    [TestCase(false, 1)]
    public async Task Sessions_OfOthers_AreSeenWhereTheGrantSaysSo(bool seesOthers, int seen)
    {
        await using var anna = Connect(new Grant("anna", Access.Drive));
        await using var bob = Connect(new Grant("bob", Access.Drive) { SeesOthers = seesOthers });
        var session = await StartAsync(anna);
        await StartAsync(bob);

        await bob.SendAsync("list");
        Assert.That((await bob.UntilAsync("sessions"))["data"]!["sessions"]!.AsArray(), Has.Count.EqualTo(seen));
        await bob.SendAsync("attach", "2", new { session });
        var answer = (await bob.NextAsync())!;
        Assert.That((string?)answer["type"], Is.EqualTo(seesOthers ? "attached" : "error"), answer.ToJsonString());
    }

    [TestCase(Access.Drive, "error")]
    [TestCase(Access.Own, "stopped")]
    public async Task Stop_OfWhatAnotherStarted_NeedsTheRightToOwn(Access access, string answer)
    {
        await using var anna = Connect(new Grant("anna", Access.Drive));
        await using var bob = Connect(new Grant("bob", access));
        var session = await StartAsync(anna);
        await anna.SendAsync("detach", "1");
        await anna.UntilAsync("detached");
        await bob.SendAsync("attach", "x", new { session });
        await bob.UntilAsync("attached");

        await bob.SendAsync("stop", "x");
        await bob.UntilAsync(answer);
    }

    [Test]
    public async Task Stop_OfItsOwn_IsAllowedToWhoMayDrive()
    {
        await using var anna = Connect(new Grant("anna", Access.Drive));
        await StartAsync(anna);
        await anna.SendAsync("stop", "1");
        await anna.UntilAsync("stopped", "1");
    }

    [TestCase("root", null)]
    [TestCase("nobody", "Denied: running as \"nobody\" is not allowed to anna")]
    [TestCase(null, null)]
    public void User_ThatIsNotGranted_IsRefused(string? asked, string? refusal)
    {
        var grant = new Grant("anna", Access.Drive) { Users = ["root", "pi"] };
        if (refusal is null)
        {
            Assert.That(grant.UserFor(asked), Is.EqualTo("root"));
            return;
        }

        var fault = Assert.Throws<LinkException>(() => grant.UserFor(asked))!;
        Assert.That($"{fault.Code}: {fault.Message}", Is.EqualTo(refusal));
    }

    [Test]
    public async Task Start_AsAUserThatIsNotGranted_StartsNothing()
    {
        await using var anna = Connect(new Grant("anna", Access.Drive) { Users = ["nobody"] });
        await anna.SendAsync("start", "1", new { runner = "fake", user = "root" });
        Assert.That((string?)(await anna.UntilAsync("error"))["data"]!["detail"], Does.Contain("running as \"root\" is not allowed to anna"));
        Assert.That(_host.Sessions.Sessions, Is.Empty);
    }

    [Test]
    public async Task Start_WithoutAUser_IsAsTheFirstThatIsGranted()
    {
        await using var anna = Connect(new Grant("anna", Access.Drive) { Users = ["nobody"] });
        await StartAsync(anna);
        Assert.That(_host.Sessions.Sessions.Single().Info.User, Is.EqualTo("nobody"));
        Assert.That(_host.Sessions.Sessions.Single().Info.Owner, Is.EqualTo("anna"));
    }

    [TestCase(new[] { "nobody" }, "drive", "nobody", true)]
    [TestCase(new[] { "daemon", "nobody" }, "drive", "nobody", true)]
    [TestCase(new[] { "daemon" }, "drive", "nobody", false)]
    [TestCase(new[] { "daemon" }, "view", "nobody", true)]
    [TestCase(new[] { "daemon" }, "drive", null, false)]
    [TestCase(new string[0], "drive", "nobody", false, Description = "as the device's default user alone")]
    [TestCase(new string[0], "drive", null, true)]
    [TestCase(null, "drive", "nobody", true)]
    public async Task Attach_ToDrive_NeedsTheUserThatItRunsAs(string[]? users, string mode, string? user, bool attaches)
    {
        await using var anna = Connect(new Grant("anna", Access.Own));
        await using var bob = Connect(new Grant("bob", Access.Own) { Users = users });
        var session = await StartAsync(anna, user);
        await bob.SendAsync("attach", "x", new { session, mode });
        var answer = (await bob.NextAsync())!;
        Assert.That((string?)answer["type"], Is.EqualTo(attaches ? "attached" : "error"), answer.ToJsonString());
        if (!attaches)
            Assert.That((string?)answer["data"]!["detail"], Does.Contain("runs as").And.Contain("bob may not"));
    }

    [TestCase(Access.View, null)]
    [TestCase(Access.Drive, new[] { "daemon" })]
    public async Task Program_DoesNotWaitForWhoMayNotDriveIt(Access access, string[]? users)
    {
        const int Window = 64 * 1024;
        await using var anna = Connect(new Grant("anna", Access.Own));
        await using var bob = Connect(new Grant("bob", access) { Users = users });
        var session = await StartAsync(anna, "nobody");
        var program = await _host.Runner.NextAsync();
        await bob.SendAsync("attach", "x", new { session, mode = "view", window = Window, patient = true, delivery = "lossless", extensions = new[] { "missed" } });
        await bob.UntilAsync("attached");
        await anna.SendAsync("detach", "1");
        await anna.UntilAsync("detached");
        await program.PrintAsync(new string('x', Window));
        for (var read = 0; read < Window;)
            read += ((string)(await bob.UntilAsync("stdout", "x"))["data"]!["output"]!).Length;
        for (var printed = 0; printed < 4; printed++)
            await program.PrintAsync(new string('x', 1024 * 1024)).WaitAsync(Patience.Long);
        await bob.SendAsync("ack", "x", new { offset = Window });
        Assert.That((await bob.UntilAsync("missed"))["data"]!["to"]!.GetValue<long>(), Is.GreaterThan(1024 * 1024));
    }

    [Test]
    public async Task Grant_ThatEnds_EndsItsConnectionsAlone()
    {
        using var revoked = new CancellationTokenSource();
        await using var anna = Connect(new Grant("anna", Access.Drive) { Ended = revoked.Token });
        await using var bob = Connect(new Grant("bob", Access.Drive));
        await anna.SendAsync("ping");
        await anna.UntilAsync("pong");
        await revoked.CancelAsync();

        Assert.That(await CloseCodeAsync(anna), Is.EqualTo(1008));
        await bob.SendAsync("ping");
        await bob.UntilAsync("pong");
    }

    [Test]
    public async Task Client_ThatDoesNotSayWhoItIs_IsRefusedThenDisconnected()
    {
        await using var nobody = Connect(null);
        await nobody.SendAsync("start", "1", new { runner = "fake" });
        Assert.That((string?)(await nobody.UntilAsync("error"))["data"]!["detail"], Does.Contain("say who you are"));
        _time.Advance(TimeSpan.FromSeconds(7));
        Assert.That(await CloseCodeAsync(nobody), Is.EqualTo(1008));
        Assert.That(_host.Sessions.Sessions, Is.Empty);
    }

    private static async Task<string> StartAsync(FurtherTestClient client, string? user = null)
    {
        await client.SendAsync("start", "1", new { runner = "fake", user, extensions = new[] { "sessions" }, session = new { whenDetached = "keep" } });
        return (string)(await client.UntilAsync("started"))["data"]!["session"]!["id"]!;
    }

    private static async Task<int> CloseCodeAsync(FurtherTestClient client)
    {
        while (await client.Wire.ReceiveAsync() is { } frame)
        {
            if (frame.Kind is FrameKind.Close)
                return BinaryPrimitives.ReadUInt16BigEndian(frame.Body);
        }

        return 0;
    }

    private FurtherTestClient Connect(Grant? grant) => new(new MemoryWire(
        _host.Server,
        frames => new LinkConnection("test", "further", frames) { Principal = grant?.ToPrincipal(), Extensions = new HashSet<string> { "sessions" } }));
}
