using System.Globalization;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink.Tests.Conformance;

/// <summary>What holds for every dialect over every transport.</summary>
[TestFixtureSource(nameof(Cases))]
internal sealed class ConformanceTests(string transport, string dialect)
{
    private readonly TemporaryFolder _folder = new();
    private TestHost _host = null!;
    private Dialect _client = null!;

    public static IEnumerable<TestFixtureData> Cases { get; } =
    [
        new TestFixtureData("memory", "further"),
        new TestFixtureData("websocket", "further"),
        new TestFixtureData("socket", "further"),
    ];

    [SetUp]
    public async Task SetUp()
    {
        _host = new TestHost(builder => _ = transport == "socket" ? builder.AddUnixSocket(_folder["link.sock"]) : builder);
        _client = await ConnectAsync();
    }

    [OneTimeTearDown]
    public void RemoveFolder() => _folder.Dispose();

    [TearDown]
    public async Task TearDown()
    {
        await _client.Wire.DisposeAsync();
        await _host.DisposeAsync();
    }

    [Test]
    public async Task Output_OfManyChunksOfBothStreams_IsWholeAndInOrder()
    {
        await _client.StartAsync("1");
        var program = await _host.Runner.NextAsync();
        var random = new Random(TestContext.CurrentContext.Random.Next());
        var output = new StringBuilder();
        var error = new StringBuilder();
        var printing = Task.Run(async () =>
        {
            for (var i = 0; i < 2000; i++)
            {
                var toError = random.Next(4) == 0;
                var text = string.Concat(Enumerable.Range(0, random.Next(1, 300)).Select(_ => random.Next(5) switch { 0 => "é", 1 => "€", 2 => "😀", 3 => "\n", _ => "a" }));
                (toError ? error : output).Append(text);
                await program.PrintAsync(text, toError ? OutputKind.Error : OutputKind.Out);
            }

            program.Exit(3);
        });

        var all = await _client.ReadAllAsync("1");
        await printing;

        Assert.Multiple(() =>
        {
            Assert.That(all.Output, Is.EqualTo(output.ToString()));
            Assert.That(all.Error, Is.EqualTo(error.ToString()));
            Assert.That(all.Code, Is.EqualTo(3));
        });
    }

    [Test]
    public async Task Output_OfARealProgram_IsWholeAndEndsWithItsExit([Values(0, 1, 7)] int code)
    {
        await _client.StartAsync("1", $"seq 1 200000; echo problem >&2; exit {code.ToString(CultureInfo.InvariantCulture)}");

        var all = await _client.ReadAllAsync("1");

        Assert.Multiple(() =>
        {
            Assert.That(all.Output, Is.EqualTo(string.Concat(Enumerable.Range(1, 200_000).Select(i => $"{i}\n"))));
            Assert.That(all.Error, Is.EqualTo("problem\n"));
            Assert.That(all.Code, Is.EqualTo(code));
        });
    }

    [Test]
    public async Task Exit_WhileAGrandchildHoldsThePipes_ComesAtOnceAndLast()
    {
        await _client.StartAsync("1", "sleep 1000 & echo $!");

        var all = await _client.ReadAllAsync("1");

        Assert.That(all.Code, Is.Zero);
        Assert.That(Directory.Exists($"/proc/{all.Output.Trim()}"), Is.True, "the grandchild lives on while its client is there");
        await _client.Wire.CutAsync();
        await Patience.UntilAsync(() => !Directory.Exists($"/proc/{all.Output.Trim()}"), "the grandchild's end after the disconnect");
    }

    [Test]
    public async Task Flood_ToAClientThatDoesNotRead_IsHeldByTheLogAndLosesNothing()
    {
        await _client.StartAsync("1", "head -c 32000000 /dev/zero | tr '\\0' x; exit 5");
        await _client.UntilAsync(Seen.Opened);
        var session = _host.Sessions.Sessions.Single();
        var log = session.Output;

        long seen = -1;
        await Patience.UntilAsync(() => log.End >= log.Options.Capacity && log.End == Interlocked.Exchange(ref seen, log.End), "the program waiting for its client");
        Assert.That(log.End - log.Start, Is.LessThanOrEqualTo(log.Options.Capacity + (64 * 1024)));

        var all = await _client.ReadAllAsync("1");
        Assert.That(all.Output, Has.Length.EqualTo(32_000_000));
        Assert.That(all.Code, Is.EqualTo(5));
    }

    [Test]
    public async Task Stop_WithInputAndLogFull_EndsTheProgram()
    {
        await _client.StartAsync("1", "trap '' TERM; yes");
        await _client.UntilAsync(Seen.Output, "1");
        await _client.InputAsync("1", new string('x', 300_000));
        await _client.InputAsync("1", new string('y', 300_000));
        await _client.StopAsync("1");

        Assert.That((await _client.UntilAsync(Seen.Closed, "1")).Code, Is.EqualTo(-9));
    }

    [Test]
    public async Task Input_ToAProgramThatDoesNotRead_HoldsUpNothingElse()
    {
        await _client.StartAsync("1", "sleep 1000");
        await _client.UntilAsync(Seen.Opened, "1");
        for (var i = 0; i < 3; i++)
            await _client.InputAsync("1", new string('x', 300_000));
        await _client.PingAsync();
        await _client.UntilAsync(Seen.Pong);
        await _client.StartAsync("2", "read line; echo got $line");
        await _client.InputAsync("2", "hello\n");

        var all = await _client.ReadAllAsync("2");
        Assert.That(all.Output, Is.EqualTo("got hello\n"));
        var stalled = await _client.UntilAsync(Seen.Failed, "1");
        Assert.That(stalled.Text, Does.Contain("not read its input"));
        await _client.StopAsync("1");
        Assert.That((await _client.UntilAsync(Seen.Closed, "1")).Code, Is.EqualTo(-15));
    }

    [Test]
    public async Task Name_BeforeItsStartAndAfterItsEnd_IsNotSpokenOf()
    {
        await _client.StartAsync("1");
        var program = await _host.Runner.NextAsync();
        await program.PrintAsync("early");
        program.Exit(0);

        Assert.That((await _client.NextAsync()).What, Is.EqualTo(Seen.Opened));
        Assert.That((await _client.NextAsync()).Text, Is.EqualTo("early"));
        Assert.That((await _client.NextAsync()).What, Is.EqualTo(Seen.Closed));

        await program.Context.Out.WriteAsync("late"u8.ToArray());
        await _client.StartAsync("1");
        Assert.That((await _client.NextAsync()).What, Is.EqualTo(Seen.Opened), "the name is free again, and nothing came between");
    }

    [Test]
    public async Task Answer_DuringAFlood_ComesBeforeTheFloodEnds()
    {
        await _client.StartAsync("1", "yes");
        await _client.UntilAsync(Seen.Output, "1");
        await _client.PingAsync();
        await _client.UntilAsync(Seen.Pong);
        await _client.StopAsync("1");
        Assert.That((await _client.UntilAsync(Seen.Closed, "1")).Code, Is.EqualTo(-15));
    }

    [Test]
    public async Task Program_OfAConnectionThatIsCut_EndsWithAllItsChildren()
    {
        await _client.StartAsync("1", "sleep 1000 & setsid sleep 1000 & echo $$ $!; trap '' TERM; wait; wait");
        var pids = (await _client.UntilAsync(Seen.Output, "1")).Text.Split();

        await _client.Wire.CutAsync();

        await Patience.UntilAsync(() => !pids.Where(pid => pid.Length > 0).Any(pid => Directory.Exists($"/proc/{pid}")), "the end of the program and its children");
        await Patience.UntilAsync(() => !_host.Sessions.Sessions.Any(), "the session's removal");
    }

    [Test]
    public async Task Name_InUse_IsRefusedAndTheProgramGoesOn()
    {
        await _client.StartAsync("1");
        var program = await _host.Runner.NextAsync();
        await _client.StartAsync("1");

        Assert.That((await _client.UntilAsync(Seen.Failed)).Name, Is.EqualTo("1"));
        await program.PrintAsync("alive");
        program.Exit(0);
        Assert.That((await _client.ReadAllAsync("1")).Output, Is.EqualTo("alive"));
    }

    private async Task<ITestWire> ConnectSocketAsync()
    {
        await _host.ListenAsync("ws");
        return await LineWire.ConnectAsync(_folder["link.sock"]);
    }

    private async Task<Dialect> ConnectAsync()
    {
        ITestWire wire = transport switch
        {
            "memory" => new MemoryWire(_host.Server),
            "websocket" => await WebSocketWire.ConnectAsync(new Uri(await _host.ListenAsync("ws"), "/run")),
            _ => await ConnectSocketAsync(),
        };
        return dialect switch
        {
            "further" => new FurtherDialect(wire),
            _ => throw new AssertionException($"There is no dialect {dialect}."),
        };
    }
}
