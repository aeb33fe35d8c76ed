using System.Security.Cryptography;
using FurtherLink.Client;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Client;

/// <summary>Nothing is lost and nothing comes twice, wherever a connection is cut.</summary>
[TestFixture]
internal sealed class ReconnectTests
{
    private ClientRig _rig = null!;

    [SetUp]
    public void SetUp() => _rig = new ClientRig();

    [TearDown]
    public async Task TearDownAsync() => await _rig.DisposeAsync();

    [Test]
    public async Task Bytes_BothWays_AreExact_WhereverItIsCut()
    {
        var seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var bytes = new byte[SoakSize.Of(2, 32) * 1024 * 1024];
        random.NextBytes(bytes);
        var (client, wire) = _rig.ConnectCuttable(new ClientOptions { Window = 16 * 1024 }, seed);
        await using var session = await client.StartAsync(new RunRequest("program") { Arguments = ["cat"] });
        var reading = ClientRig.ReadAllAsync(session.Output);
        var writing = Task.Run(async () =>
        {
            await session.WriteAsync(bytes);
            await session.CompleteInputAsync();
        });
        var cuts = 0;
        var next = 0L;
        while (!reading.IsCompleted)
        {
            // By what has come, not by time: as many cuts on any machine.
            if (session.Offset >= next)
            {
                wire.Cut();
                cuts++;
                next = session.Offset + random.Next(1, 16 * 1024);
            }

            await Task.Yield();
        }

        await writing;
        Assert.That(SHA256.HashData(await reading), Is.EqualTo(SHA256.HashData(bytes)));
        Assert.That((await session.Exited.WaitAsync(Patience.Long)).Code, Is.Zero);
        Assert.That(wire.Connections, Is.GreaterThan(10));
        TestContext.Out.WriteLine($"{cuts} cuts, {wire.Connections} connections");
    }

    [Test]
    public async Task Start_WhoseAnswerIsLost_IsCarriedOutOnce()
    {
        var (client, wire) = _rig.ConnectCuttable();
        var starts = 0;
        _rig.Host.Runner.BeforeStart = _ =>
        {
            Interlocked.Increment(ref starts);
            wire.Cut();
            return Task.CompletedTask;
        };
        await using var session = await client.StartAsync(new RunRequest("fake")).WaitAsync(Patience.Long);
        var program = await _rig.Host.Runner.NextAsync();
        await program.PrintAsync("once");
        program.Exit(0);
        Assert.That(await ClientRig.ReadTextAsync(session.Output), Is.EqualTo("once"));
        Assert.That(starts, Is.EqualTo(1));
    }

    [Test]
    public async Task Start_ThatNeverArrived_IsSentAgain()
    {
        var changes = new List<LinkState>();
        var (client, wire) = _rig.ConnectCuttable(new ClientOptions { Changed = change => changes.Add(change.State) });
        await client.PingAsync();
        wire.Cut();
        await using var session = await client.StartAsync(new RunRequest("fake")).WaitAsync(Patience.Long);
        (await _rig.Host.Runner.NextAsync()).Exit(7);
        Assert.That((await session.Exited.WaitAsync(Patience.Long)).Code, Is.EqualTo(7));
        Assert.That(changes, Is.EqualTo(new[] { LinkState.Reconnecting, LinkState.Connected }));
    }

    [Test]
    public async Task Program_ThatEndsMeanwhile_IsToldWithAllOfItsOutput()
    {
        var (client, wire) = _rig.ConnectCuttable();
        await using var session = await client.StartAsync(new RunRequest("fake") { Session = new SessionOptions { WhenDetached = WhenDetached.Keep } });
        var program = await _rig.Host.Runner.NextAsync();
        await program.PrintAsync("before ");
        await ClientRig.ReadUntilAsync(session.Output, "before ");
        wire.Closed = "not now";
        wire.Cut();
        await Patience.UntilAsync(() => _rig.Host.Sessions.Sessions.Single().Info.Members == 0, "the loss");
        await program.PrintAsync("meanwhile");
        program.Exit(5);
        wire.Closed = null;
        Assert.That(await ClientRig.ReadTextAsync(session.Output), Is.EqualTo("meanwhile"));
        Assert.That((await session.Exited.WaitAsync(Patience.Long)).Code, Is.EqualTo(5));
    }

    [Test]
    public async Task Server_ThatStaysAway_FailsEverything_WithTheReason()
    {
        var (client, wire) = _rig.ConnectCuttable(new ClientOptions { ReconnectTimeout = TimeSpan.FromMilliseconds(1) });
        await using var session = await client.StartAsync(new RunRequest("fake"));
        var exited = session.Exited;
        wire.Closed = "nobody at home";
        wire.Cut();
        await Assert.ThatAsync(() => exited.WaitAsync(Patience.Long), Throws.TypeOf<LinkConnectException>().With.Message.Contains("nobody at home"));
        Assert.That(await client.Closed.WaitAsync(Patience.Long), Does.Contain("nobody at home"));
        await Assert.ThatAsync(() => client.ListAsync(), Throws.TypeOf<LinkConnectException>());
        await Assert.ThatAsync(async () => await session.WriteAsync("x"), Throws.InstanceOf<LinkException>());
        await Assert.ThatAsync(() => ClientRig.ReadAllAsync(session.Output), Throws.InstanceOf<LinkException>());
    }

    [Test]
    public async Task Client_ThatIsDisposed_WhileTheServerIsAway_DoesNotWaitForIt()
    {
        var (client, wire) = _rig.ConnectCuttable(new ClientOptions { ReconnectTimeout = TimeSpan.FromHours(1) });
        var session = await client.StartAsync(new RunRequest("fake"));
        var asked = session.FlushInputAsync();
        wire.Closed = "nobody at home";
        wire.Cut();
        var stopping = session.StopAsync();
        await client.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        await Assert.ThatAsync(() => stopping, Throws.InstanceOf<LinkException>());
        await Assert.ThatAsync(() => session.Exited, Throws.InstanceOf<LinkException>());
        await asked;
    }

    [Test]
    public async Task OutputThatIsGone_IsMissed_AndCounted()
    {
        await _rig.DisposeAsync();
        _rig = new ClientRig(options => options.OutputCapacity = 4096);
        var (client, wire) = _rig.ConnectCuttable();
        await using var session = await client.StartAsync(new RunRequest("fake") { Session = new SessionOptions { WhenDetached = WhenDetached.Keep } });
        var holes = new List<(long From, long To)>();
        session.Missed += (_, hole) => holes.Add((hole.From, hole.To));
        var program = await _rig.Host.Runner.NextAsync();
        wire.Closed = "not now";
        wire.Cut();
        await Patience.UntilAsync(() => _rig.Host.Sessions.Sessions.Single().Info.Members == 0, "the loss");
        for (var i = 0; i < 64; i++)
            await program.PrintAsync(new string('x', 1024));
        program.Exit(0);
        wire.Closed = null;
        var rest = await ClientRig.ReadAllAsync(session.Output);
        Assert.That(holes, Has.Count.EqualTo(1));
        Assert.That(session.MissedBytes, Is.EqualTo(holes[0].To - holes[0].From));
        Assert.That(rest.Length + session.MissedBytes, Is.EqualTo(64 * 1024));
    }
}
