using System.Buffers;
using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Telemetry;

/// <summary>What a listener of the meter sees while clients run programs.</summary>
[TestFixture]
internal sealed partial class LinkMetricsTests
{
    private ManualTimeProvider _time = null!;
    private TestHost _host = null!;
    private MeterReader _metrics = null!;

    [SetUp]
    public void SetUp()
    {
        _time = new ManualTimeProvider();
        _host = new TestHost(configure: options => options.OutputCapacity = 64 * 1024, time: _time);
        _metrics = new MeterReader(_host.Get<IMeterFactory>());
        _ = _host.Server;
    }

    [TearDown]
    public async Task TearDown()
    {
        _metrics.Dispose();
        await _host.DisposeAsync();
    }

    [Test]
    public void Instruments_All_FollowTheConventions()
    {
        Assert.That(_metrics.Instruments.Select(one => (one.Name, one.Unit)), Is.EquivalentTo(new[]
        {
            ("furtherlink.sessions.active", "{session}"),
            ("furtherlink.sessions.started", "{session}"),
            ("furtherlink.sessions.exited", "{session}"),
            ("furtherlink.session.duration", "s"),
            ("furtherlink.clients.active", "{client}"),
            ("furtherlink.output.bytes", "By"),
            ("furtherlink.output.missed_bytes", "By"),
            ("furtherlink.output.pauses", "{pause}"),
            ("furtherlink.input.bytes", "By"),
            ("furtherlink.failures", "{failure}"),
        }));
        Assert.That(_metrics.Instruments.Select(one => one.Description), Has.None.Null.And.None.Empty);
        Assert.That(_metrics.Instruments.Select(one => one.Meter.Version).Distinct(), Is.EqualTo(new[] { FurtherLinkVersion.Current }));
    }

    [Test]
    public async Task Session_FromStartToEnd_IsCountedByRunnerAndOutcome()
    {
        var session = await _host.Sessions.StartAsync(new RunRequest("fake"));
        var program = await _host.Runner.NextAsync();
        Assert.Multiple(() =>
        {
            Assert.That(_metrics["furtherlink.sessions.started fake"], Is.EqualTo(1));
            Assert.That(_metrics["furtherlink.sessions.active fake"], Is.EqualTo(1));
            Assert.That(_metrics.Recorded("furtherlink.session.duration fake success"), Is.Empty);
        });
        _time.Advance(TimeSpan.FromSeconds(90));
        program.Exit(0);
        await session.Exited.WaitAsync(Patience.Long);
        Assert.Multiple(() =>
        {
            Assert.That(_metrics["furtherlink.sessions.active fake"], Is.Zero);
            Assert.That(_metrics["furtherlink.sessions.exited fake success"], Is.EqualTo(1));
            Assert.That(_metrics.Recorded("furtherlink.session.duration fake success"), Is.EqualTo(new[] { 90.0 }));
        });
    }

    [TestCase(0, "success")]
    [TestCase(1, "failure")]
    [TestCase(255, "failure")]
    [TestCase(-9, "signal")]
    public async Task Exit_WithAStatus_HasOneOfFewOutcomes(int code, string outcome)
    {
        var session = await _host.Sessions.StartAsync(new RunRequest("fake"));
        (await _host.Runner.NextAsync()).Exit(code);
        await session.Exited.WaitAsync(Patience.Long);
        Assert.That(_metrics.Names.Where(name => name.StartsWith("furtherlink.sessions.exited", StringComparison.Ordinal)), Is.EqualTo(new[] { $"furtherlink.sessions.exited fake {outcome}" }));
    }

    [Test]
    public async Task Start_ThatFails_LeavesNoneActive()
    {
        _host.Runner.BeforeStart = _ => throw new LinkException(FailureCode.Failed, "no");
        await Assert.ThrowsAsync<LinkException>(() => _host.Sessions.StartAsync(new RunRequest("fake")));
        Assert.Multiple(() =>
        {
            Assert.That(_metrics["furtherlink.sessions.started fake"], Is.EqualTo(1));
            Assert.That(_metrics["furtherlink.sessions.exited fake not_started"], Is.EqualTo(1));
            Assert.That(_metrics["furtherlink.sessions.active fake"], Is.Zero);
        });
    }

    [Test]
    public async Task Listener_ThatComesLate_SeesWhatIsThere()
    {
        await _host.Sessions.StartAsync(new RunRequest("fake"));
        await (await _host.Runner.NextAsync()).PrintAsync("hello");
        using var late = new MeterReader(_host.Get<IMeterFactory>());
        Assert.That(late["furtherlink.sessions.active fake"], Is.EqualTo(1));
        Assert.That(late["furtherlink.output.bytes out"], Is.EqualTo(5));
    }

    [Test]
    public async Task Bytes_InAndOut_AreCounted()
    {
        var session = await _host.Sessions.StartAsync(new RunRequest("fake"));
        var program = await _host.Runner.NextAsync();
        await program.PrintAsync("12345");
        await program.PrintAsync("123", OutputKind.Error);
        await session.WriteAsync(new ReadOnlySequence<byte>("typed"u8.ToArray()), default, CancellationToken.None);
        await program.TakeAsync("typed");
        Assert.Multiple(() =>
        {
            Assert.That(_metrics["furtherlink.output.bytes out"], Is.EqualTo(5));
            Assert.That(_metrics["furtherlink.output.bytes error"], Is.EqualTo(3));
            Assert.That(_metrics["furtherlink.input.bytes"], Is.EqualTo(5));
        });
    }

    [Test]
    public async Task Program_ThatWaitsForAClient_IsCountedOncePerPause()
    {
        var session = await _host.Sessions.StartAsync(new RunRequest("fake"));
        var program = await _host.Runner.NextAsync();
        using var reader = session.Output.Attach(new ReaderOptions { From = 0, Lossless = true });
        for (var pause = 1; pause <= 2; pause++)
        {
            var printing = program.PrintAsync(new byte[100 * 1024]);
            await Patience.UntilAsync(() => _metrics["furtherlink.output.pauses"] == pause, $"pause {pause}");
            while (reader.TryRead(int.MaxValue, out var chunk))
                reader.Release(chunk.Next);
            await printing.WaitAsync(Patience.Long);
        }
    }

    [Test]
    public async Task Client_Connected_IsCountedByDialect()
    {
        var wire = new MemoryWire(_host.Server);
        await using (var client = new FurtherTestClient(wire))
        {
            await client.PingAsync();
            Assert.That(_metrics["furtherlink.clients.active further"], Is.EqualTo(1));
        }

        await wire.Serving.WaitAsync(Patience.Long);
        Assert.That(_metrics["furtherlink.clients.active further"], Is.Zero);
    }

    [Test]
    public async Task Output_ThatAClientComesTooLateFor_IsCountedAsMissed()
    {
        var session = await _host.Sessions.StartAsync(new RunRequest("fake") { Session = new SessionOptions { WhenDetached = WhenDetached.Keep, Name = "long" } });
        var program = await _host.Runner.NextAsync();
        await program.PrintAsync(new byte[300 * 1024]);
        await using var client = new FurtherTestClient(new MemoryWire(_host.Server));
        await client.SendAsync("attach", "1", new { session = "long", from = 0 });
        await client.UntilAsync("stdout", "1");
        Assert.That(_metrics["furtherlink.output.missed_bytes"], Is.EqualTo(session.Output.Start).And.GreaterThan(200 * 1024));
    }

    [Test]
    public async Task Mistakes_OfClients_AreCountedByKindAndNotByTheirWords()
    {
        await using var client = new FurtherTestClient(new MemoryWire(_host.Server));
        await client.StartAsync("1", "a runner of the client's own making");
        await client.UntilAsync("error");
        await client.InputAsync("no such process", "x");
        await client.UntilAsync("error");
        Assert.That(_metrics["furtherlink.failures not_found"], Is.EqualTo(2));
        Assert.That(_metrics.Names, Has.All.Matches<string>(static name => Plain().IsMatch(name!)));
    }

    [GeneratedRegex("^[a-z._]+( [a-z_]+)*$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Plain();
}
