using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using FurtherLink.Codecs;
using FurtherLink.Framing;
using FurtherLink.Security;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace FurtherLink.Tests.Framing;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class LinePumpTests
{
    private const int Max = 2000;

    private readonly Pipe _toServer = new();
    private readonly Pipe _toClient = new(new PipeOptions(pauseWriterThreshold: 1024, resumeWriterThreshold: 512));
    private long? _lost;

    [Test]
    public async Task Serve_LinesGoodAndBad_AreAnsweredInOrderAndTheStreamGoesOn()
    {
        await using var host = new TestHost();
        var serving = Serve(host);
        await SayAsync("{\"type\":\"ping\"}\r\n\n{\"type\":");
        await SayAsync(new string(' ', 5000) + "\"ping\"}\nnonsense\n");
        await SayAsync([.. "{\"type\":\"ping"u8, 0xC3, .. "\"}\n"u8]);
        await SayAsync("{\"type\":\"ping\"}");
        await _toServer.Writer.CompleteAsync();
        var lines = await HearAsync();
        await serving.WaitAsync(Patience.Long);
        Assert.That(lines, Has.Length.EqualTo(5));
        Assert.Multiple(() =>
        {
            Assert.That(lines[0], Does.Contain("\"pong\""));
            Assert.That(lines[1], Does.Contain("\"error\"").And.Contains("a message of more than 2000 bytes was not read"));
            Assert.That(lines[2], Does.Contain("\"error\"").And.Contains("Bad message"));
            Assert.That(lines[3], Does.Contain("\"error\""));
            Assert.That(lines[4], Does.Contain("\"pong\""));
        });
    }

    [Test]
    public async Task Serve_LineThatIsTooLong_IsAnsweredBeforeItsEnd()
    {
        await using var host = new TestHost();
        var serving = Serve(host);
        await SayAsync(new string('x', 3000));
        using var reader = new StreamReader(_toClient.Reader.AsStream());
        Assert.That(await reader.ReadLineAsync().WaitAsync(Patience.Long), Does.Contain("was not read"));
        for (var i = 0; i < 100; i++)
            await SayAsync(new string('x', 60_000));
        await SayAsync("\n{\"type\":\"ping\"}\n");
        Assert.That(await reader.ReadLineAsync().WaitAsync(Patience.Long), Does.Contain("pong"));
        await _toServer.Writer.CompleteAsync();
        await serving.WaitAsync(Patience.Long);
    }

    [Test]
    public async Task Send_BodyWithLineEnds_StaysOneLine()
    {
        var (transport, server) = LinkPipe.CreatePair();
        var pump = Pump(transport);
        pump.Start();
        var writer = new FrameWriter(server.Output);
        writer.Write(FrameKind.Text, "{\n\"a\":\r\n1\n}"u8);
        writer.Write(FrameKind.Text, Encoding.UTF8.GetBytes(new string('y', 300_000)));
        await EndAsync(server, FrameKind.Close);
        Assert.That(await HearAsync(), Is.EqualTo(new[] { "{ \"a\":\r 1 }", new string('y', 300_000) }));
        await _toServer.Writer.CompleteAsync();
        await pump.StopAsync(Patience.Long);
        Assert.That(_lost, Is.EqualTo(300_000 + 11 + (2 * Frames.HeaderSize)));
    }

    [Test]
    public async Task Send_BinaryFrame_LosesTheConnectionThere()
    {
        var (transport, server) = LinkPipe.CreatePair();
        var pump = Pump(transport);
        pump.Start();
        var writer = new FrameWriter(server.Output);
        writer.Write(FrameKind.Text, "first"u8);
        writer.Write(FrameKind.Binary, "second"u8);
        writer.Write(FrameKind.Text, "third"u8);
        await EndAsync(server, null);
        Assert.That(await HearAsync(), Is.EqualTo(new[] { "first" }));
        await _toServer.Writer.CompleteAsync();
        await pump.StopAsync(Patience.Long);
        Assert.That(_lost, Is.EqualTo(5 + Frames.HeaderSize), "what went out before it");
    }

    [Test]
    public async Task Serve_ClientThatDoesNotRead_MakesTheProgramWait()
    {
        await using var host = new TestHost(configure: options => options.OutputCapacity = 64 * 1024);
        var serving = Serve(host);
        await SayAsync("{\"type\":\"start\",\"process\":\"1\",\"data\":{\"runner\":\"fake\"}}\n");
        var program = await host.Runner.NextAsync();
        var line = Encoding.UTF8.GetBytes(new string('z', 999) + "\n");
        var written = 0;
        while (true)
        {
            program.Context.Out.Write(line);
            written += line.Length;
            var flush = program.Context.Out.FlushAsync();
            if (flush.IsCompleted)
                continue;
            Assert.That(written, Is.LessThan(1024 * 1024), "the log, a chunk and what the pipes hold");
            using var reader = new StreamReader(_toClient.Reader.AsStream());
            var reading = ReadOutputAsync(reader);
            await flush.AsTask().WaitAsync(Patience.Long);
            program.Exit(0);
            Assert.That(await reading.WaitAsync(Patience.Long), Is.EqualTo(written));
            await _toServer.Writer.CompleteAsync();
            break;
        }
        await serving.WaitAsync(Patience.Long);
    }

    [Test]
    public async Task Stop_OtherSideThatNeverReads_IsCut()
    {
        var (transport, server) = LinkPipe.CreatePair();
        var pump = Pump(transport);
        pump.Start();
        new FrameWriter(server.Output).Write(FrameKind.Text, new byte[100_000]);
        await EndAsync(server, null);
        await pump.StopAsync(TimeSpan.FromMilliseconds(50)).WaitAsync(Patience.Long);
        Assert.That(_lost, Is.Zero);
    }

    private LinePump Pump(IDuplexPipe transport) =>
        new(_toServer.Reader.AsStream(), _toClient.Writer.AsStream(), transport, Max, "test", NullLogger.Instance)
        {
            Lost = taken => _lost = taken,
            EndOutput = () => _toClient.Writer.Complete(),
        };

    private async Task Serve(TestHost host)
    {
        var (transport, server) = LinkPipe.CreatePair(Max);
        var connection = new LinkConnection("test", "further", server) { Principal = Rights.Grant("test", Messages.Access.Own), MaxMessage = Max };
        await LinePump.ServeAsync(host.Server, connection, Pump(transport), CancellationToken.None);
    }

    private static async Task<int> ReadOutputAsync(StreamReader reader)
    {
        var length = 0;
        while (await reader.ReadLineAsync() is { } line)
        {
            var message = JsonDocument.Parse(line).RootElement;
            if (message.GetProperty("type").ValueEquals("stopped"))
                break;
            if (message.GetProperty("type").ValueEquals("stdout"))
                length += message.GetProperty("data").GetProperty("output").GetString()!.Length;
        }
        return length;
    }

    private static async Task EndAsync(IDuplexPipe server, FrameKind? goodbye)
    {
        if (goodbye is FrameKind.Close)
            Frames.WriteClose(new FrameWriter(server.Output), 1000, "bye");
        await server.Output.CompleteAsync();
        await server.Input.CompleteAsync();
    }

    private Task SayAsync(string text) => SayAsync(Encoding.UTF8.GetBytes(text));

    private async Task SayAsync(byte[] bytes) => await _toServer.Writer.WriteAsync(bytes).AsTask().WaitAsync(Patience.Long);

    private async Task<string[]> HearAsync()
    {
        using var reader = new StreamReader(_toClient.Reader.AsStream());
        var text = await reader.ReadToEndAsync().WaitAsync(Patience.Long);
        Assert.That(text, Is.Empty.Or.EndsWith("\n"));
        return text.Split('\n')[..^1];
    }
}
