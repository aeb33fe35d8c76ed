using System.Text.Json.Nodes;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Codecs.Further;

/// <summary>What is answered to each kind of message, as a client sees it: the rows that depend on what runs.</summary>
internal sealed class FurtherTableTests
{
    private TestHost _host = null!;
    private FurtherTestClient _client = null!;

    [SetUp]
    public void SetUp()
    {
        _host = new TestHost();
        _client = _host.Connect();
    }

    [TearDown]
    public async Task TearDown()
    {
        await _client.DisposeAsync();
        await _host.DisposeAsync();
    }

    [TestCase("{\"type\": \"stdin\", \"process\": \"9\", \"data\": {\"input\": \"x\"}}")]
    [TestCase("{\"type\": \"stop\", \"process\": \"9\"}")]
    [TestCase("{\"type\": \"resize\", \"process\": \"9\", \"data\": {\"rows\": 99999, \"cols\": 5}}")]
    [TestCase("{\"type\": \"keyevent\", \"process\": \"9\", \"data\": {\"key\": \"a\", \"event\": \"keyup\"}}")]
    public async Task Message_ForAnIdThatDoesNotRun_IsABadMessage(string text)
    {
        await _client.Wire.SendAsync(text);
        await AssertErrorAsync("Bad message", "9");
    }

    [Test]
    public async Task Resize_OutOfRange_IsAMessageException(
        [Values("{\"rows\": 65536, \"cols\": 5}", "{\"rows\": 5, \"cols\": -1}", "{\"rows\": 5, \"cols\": 123456789012345678901234567890}")] string size)
    {
        await using var terminal = new FurtherTestClient(new MemoryWire(_host.Server, pipe => new LinkConnection("terminal", "further", pipe)
        {
            Principal = FurtherLink.Security.Rights.Grant("test", Messages.Access.Own),
            Defaults = new RunDefaults { Terminal = Messages.TerminalSize.Default },
        }));
        await terminal.StartAsync("1", "fake");
        await terminal.UntilAsync("started");
        await terminal.Wire.SendAsync($"{{\"type\": \"resize\", \"process\": \"1\", \"data\": {size}}}");
        var error = await terminal.NextAsync();
        Assert.That((string?)error!["data"]!["message"], Is.EqualTo("Message Exception"));

        var program = await _host.Runner.NextAsync();
        await terminal.Wire.SendAsync("{\"type\": \"resize\", \"process\": \"1\", \"data\": {\"rows\": 0, \"cols\": true}}");
        await terminal.PingAsync();
        Assert.That(program.Controls, Is.EqualTo(new object[] { new Messages.TerminalSize(0, 1) }));
    }

    [Test]
    public async Task Resize_WithoutATerminal_IsABadMessage()
    {
        await _client.StartAsync("1", "fake");
        await _client.UntilAsync("started");
        await _client.SendAsync("resize", "1", new { rows = 5, cols = 5 });
        await AssertErrorAsync("Bad message", "1");
    }

    [Test]
    public async Task Start_WithAnUnknownRunnerOrAnIdInUse_IsABadMessage_AndWhatRunsIsNotDisturbed()
    {
        await _client.StartAsync("1", "cobol");
        await AssertErrorAsync("Bad message", "1");
        await _client.StartAsync("1", "fake");
        await _client.UntilAsync("started");
        await _client.StartAsync("1", "fake");
        await AssertErrorAsync("Bad message", "1");

        var program = await _host.Runner.NextAsync();
        await program.PrintAsync("still here");
        program.Exit(0);
        Assert.That((await _client.RunAsync("1")).Output, Is.EqualTo("still here"));
    }

    [Test]
    public async Task Stdin_ToAProgramThatClosedIt_IsAMessageException()
    {
        await _client.StartAsync("1", "exec", "#!/bin/sh\nexec <&-; echo closed; sleep 1000");
        await _client.UntilAsync("stdout");
        // The first write may still go into the pipe of a program that is just closing it; a later one cannot.
        JsonNode? error = null;
        for (var i = 0; i < 100 && error is null; i++)
        {
            await _client.InputAsync("1", "x");
            await _client.SendAsync("ping");
            var next = await _client.NextAsync();
            if ((string?)next!["type"] == "error")
                error = next;
        }

        Assert.That((string?)error?["data"]!["message"], Is.EqualTo("Message Exception"));
        await _client.SendAsync("stop", "1");
        await _client.UntilAsync("stopped", "1");
    }

    [Test]
    public async Task KeyEvent_NobodyListensTo_IsNotAnswered()
    {
        await _client.StartAsync("1", "fake");
        await _client.UntilAsync("started");
        await _client.SendAsync("keyevent", "1", new { key = "a", @event = "keydown" });
        await _client.SendAsync("ping");
        Assert.That((string?)(await _client.NextAsync())!["type"], Is.EqualTo("pong"));
    }

    [Test]
    public async Task Stop_Twice_IsAnsweredByOneStopped()
    {
        await _client.StartAsync("1", "exec", "#!/bin/sh\nsleep 1000");
        await _client.UntilAsync("started");
        await _client.SendAsync("stop", "1");
        await _client.SendAsync("stop", "1");
        Assert.That((string?)(await _client.NextAsync())!["type"], Is.EqualTo("stopped"));
        await _client.SendAsync("ping");
        var next = await _client.NextAsync();
        Assert.That((string?)next!["type"], Is.EqualTo("pong"), next.ToJsonString());
    }

    private async Task AssertErrorAsync(string message, string process)
    {
        var error = (await _client.NextAsync())!;
        Assert.Multiple(() =>
        {
            Assert.That((string?)error["type"], Is.EqualTo("error"));
            Assert.That((string?)error["data"]!["message"], Is.EqualTo(message));
            Assert.That((string?)error["data"]!["process"], Is.EqualTo(process));
            Assert.That(error["process"], Is.Null);
        });
    }
}
