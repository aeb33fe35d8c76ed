using FurtherLink.Client;
using FurtherLink.Client.Connectors;
using FurtherLink.Messages;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Client;

/// <summary>The ways to a server, each to the real thing, and what is said where there is none.</summary>
[TestFixture]
internal sealed class ConnectorTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task WebSocket_OverTls_IsReachedByTheFingerprintThatTheServerPrints()
    {
        await using var host = await HostProcess.ServeAsync(_folder.Path, "serve --port 0");
        var fingerprint = host.Output.Split('\n').Single(line => line.Contains("SHA-256")).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1];
        var address = $"wss://127.0.0.1:{host.Address.Port}";
        await using (var client = await FurtherLinkClient.ConnectAsync($"{address}#sha256={fingerprint}"))
        {
            await using var session = await client.StartAsync(new RunRequest("program") { Arguments = ["echo", "over TLS"] });
            Assert.That(await ClientRig.ReadTextAsync(session.Output), Is.EqualTo("over TLS\n"));
            Assert.That(client.Target, Is.EqualTo($"{address}/run"));
        }

        var other = await FailsAsync($"{address}#sha256={new string('0', 64)}");
        Assert.That((other.IsFinal, other.Message), Is.EqualTo((true, $"{address}/run cannot be reached safely: its certificate has another fingerprint than the one given")));
        var unknown = await FailsAsync(address);
        Assert.That((unknown.IsFinal, unknown.Message), Is.EqualTo((true, $"{address}/run cannot be reached safely: its certificate is not trusted here; give its fingerprint, which \"furtherlink cert\" shows there")));
    }

    [Test]
    public async Task WebSocket_WhoseServerIsGone_OrHasNoSuchAddress_SaysSo()
    {
        await using var host = new TestHost();
        var address = await host.ListenAsync("ws");
        var missing = await FailsAsync(new Uri(address, "/nothing").ToString());
        Assert.That((missing.IsFinal, missing.Message), Is.EqualTo((true, $"{address}nothing answers 404: there is no such address")));
        await host.StopAsync();
        var gone = await FailsAsync(address.ToString());
        Assert.That(gone.IsFinal, Is.False);
        Assert.That(gone.Message, Does.StartWith($"{address}run cannot be reached: Connection refused"));
    }

    [Test]
    public async Task WebSocket_ThatIsNoFurtherLink_SaysSo()
    {
        await using var host = new TestHost();
        var address = new Uri(await host.ListenAsync("ws"), "/run-py");
        var other = await FailsAsync(address.ToString());
        Assert.That((other.IsFinal, other.Message), Is.EqualTo((true, $"{address} is no FurtherLink server of today: unknown type \"hello\"")));
    }

    [Test]
    public async Task WebSocket_ThatIsCut_IsOpenedAgain_AndSessionsGoOn()
    {
        await using var host = new TestHost();
        await using var client = await FurtherLinkClient.ConnectAsync((await host.ListenAsync("ws")).ToString());
        await using var session = await client.StartAsync(new RunRequest("fake"));
        var program = await host.Runner.NextAsync();
        for (var i = 0; i < 5; i++)
        {
            await program.PrintAsync($"{i}\n");
            await ClientRig.ReadUntilAsync(session.Output, $"{i}\n");
            host.CutConnections();
        }

        await session.WriteAsync("typed");
        await program.TakeAsync("typed");
        program.Exit(3);
        Assert.That((await session.Exited.WaitAsync(Patience.Long)).Code, Is.EqualTo(3));
    }

    [Test]
    public async Task Request_LongerThanTheServerTakes_FailsAlone()
    {
        await using var host = new TestHost(configure: options => options.MaxMessage = 64 * 1024);
        await using var client = await FurtherLinkClient.ConnectAsync((await host.ListenAsync("ws")).ToString());
        var asked = client.StartAsync(new RunRequest("fake") { Code = new string('x', 100_000) });
        await Assert.ThatAsync(() => asked.WaitAsync(Patience.Long), Throws.TypeOf<LinkConnectException>().With.Message.Contains("longer"));
        Assert.That(await client.ListAsync().WaitAsync(Patience.Long), Is.Empty);
    }

    [Test]
    public void Target_OfAnAddressWithSecrets_HasNone()
    {
        using var connector = new WebSocketConnector(new Uri("wss://me:secret@pi.local:9000/run?ticket=secret"));
        Assert.That(connector.Target, Is.EqualTo("wss://pi.local:9000/run"));
    }

    [TestCase("http://pi", "\"http://pi\" is no address of a device: ws://HOST:PORT, wss://HOST:PORT, unix:PATH or exec:COMMAND")]
    [TestCase("pi", "\"pi\" is no address of a device: ws://HOST:PORT, wss://HOST:PORT, unix:PATH or exec:COMMAND")]
    [TestCase("unix:", "\"unix:\" is no address of a device: ws://HOST:PORT, wss://HOST:PORT, unix:PATH or exec:COMMAND")]
    [TestCase("wss://pi#abc", "\"#abc\" is no fingerprint: #sha256= and 64 hexadecimal digits")]
    [TestCase("wss://pi#sha256=12", "\"#sha256=12\" is no fingerprint: #sha256= and 64 hexadecimal digits")]
    public void Address_ThatIsNone_IsRefusedInWords(string address, string message) =>
        Assert.That(() => DeviceAddress.Parse(address), Throws.TypeOf<FormatException>().With.Message.EqualTo(message));

    [Test]
    public void Address_ThatIsOne_IsRead()
    {
        Assert.That(DeviceAddress.Parse("ws://pi:1").Target, Is.EqualTo("ws://pi:1/run"));
        Assert.That(DeviceAddress.Parse("wss://pi/other").Target, Is.EqualTo("wss://pi/other"));
        Assert.That(DeviceAddress.Parse("unix:/a b").Target, Is.EqualTo("unix:/a b"));
        Assert.That(DeviceAddress.Parse("exec:ssh pi furtherlink stdio").Target, Is.EqualTo("exec:ssh pi furtherlink stdio"));
    }

    [Test]
    public async Task Command_ThatIsNone_OrEnds_SaysSo()
    {
        Assert.That((await FailsAsync("exec:no-such-command-here 2>/dev/null")).Message, Is.EqualTo("exec:no-such-command-here 2>/dev/null has ended the connection at once: there is no such command"));
        Assert.That((await FailsAsync("exec:exit 3")).Message, Does.EndWith("it ended with exit code 3"));
        Assert.That((await FailsAsync("exec:kill -9 $$")).Message, Does.EndWith("it was ended by signal 9"));
        Assert.That((await FailsAsync("exec:echo no protocol; cat >/dev/null")).Message, Does.Contain("the server has sent what is no message"));
    }

    [Test]
    public async Task UnixSocket_WithNobodyThere_SaysSo()
    {
        var path = Path.Combine(_folder.Path, "s.sock");
        Assert.That((await FailsAsync($"unix:{path}")).Message, Is.EqualTo($"unix:{path} cannot be reached: there is no such socket; is the server running?"));
    }

    private static async Task<LinkConnectException> FailsAsync(string address)
    {
        try
        {
            await using var client = await FurtherLinkClient.ConnectAsync(address).WaitAsync(Patience.Long);
        }
        catch (LinkConnectException e)
        {
            return e;
        }

        throw new AssertionException($"{address} was reached");
    }
}
