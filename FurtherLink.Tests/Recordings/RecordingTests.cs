using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Recordings;
using FurtherLink.Sessions;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Recordings;

/// <summary>Recordings as players read them.</summary>
internal sealed class RecordingTests
{
    private ManualTimeProvider _time = null!;
    private TestHost _host = null!;

    [SetUp]
    public void SetUp()
    {
        _time = new ManualTimeProvider();
        _host = new TestHost(configure: options => options.OutputCapacity = 4096, time: _time);
    }

    [TearDown]
    public ValueTask TearDown() => _host.DisposeAsync();

    [Test]
    public async Task Recording_OfATerminal_HasOutputAndSizesInTheirOrderWithTheirTimes()
    {
        var (session, program) = await StartAsync(new TerminalSize(24, 80));
        _time.Advance(TimeSpan.FromSeconds(1));
        await program.PrintAsync("one\r\n");
        _time.Advance(TimeSpan.FromSeconds(0.5));
        await session.ControlAsync(new Resize(new TerminalSize(25, 100)), CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(0.25));
        await program.PrintAsync("\u001b[1mtwo \"é\"");

        var lines = await RecordAsync(session);
        var header = lines[0];
        Assert.Multiple(() =>
        {
            Assert.That((int)header["version"]!, Is.EqualTo(2));
            Assert.That(((int)header["width"]!, (int)header["height"]!), Is.EqualTo((80, 24)));
            Assert.That((long)header["timestamp"]!, Is.EqualTo(session.Info.Created.ToUnixTimeSeconds()));
            Assert.That(lines.Skip(1).Select(Event), Is.EqualTo(new[] { (1m, "o", "one\r\n"), (1.5m, "r", "100x25"), (1.75m, "o", "\u001b[1mtwo \"é\"") }));
        });
    }

    [Test]
    public async Task Recording_OfPipes_ReturnsToTheFirstColumn()
    {
        var (session, program) = await StartAsync(null);
        await program.PrintAsync("one\ntwo\n");
        await program.PrintAsync("wrong\n", OutputKind.Error);
        Assert.That((await RecordAsync(session)).Skip(1).Select(line => (string)line[2]!), Is.EqualTo(new[] { "one\r\ntwo\r\n", "wrong\r\n" }));
    }

    [Test]
    public async Task Input_IsKeptAndWritten_OnlyWhereBothAsked([Values] bool kept, [Values] bool asked)
    {
        var (session, program) = await StartAsync(new TerminalSize(24, 80), new SessionOptions { WhenDetached = WhenDetached.Keep, RecordInput = kept });
        await session.WriteAsync(new ReadOnlySequence<byte>("secret\r"u8.ToArray()), default, CancellationToken.None);
        await program.PrintAsync("ok");

        var events = (await RecordAsync(session, new RecordingOptions { Input = asked })).Skip(1).Select(line => $"{line[1]} {line[2]}");
        Assert.That(events, Is.EqualTo(kept && asked ? new[] { "i secret\r", "o ok" } : ["o ok"]));
    }

    [Test]
    public async Task Output_ThatIsGone_IsAMarkerAtItsPlace()
    {
        var (session, program) = await StartAsync(null);
        for (var i = 0; i < 1000; i++)
            await program.PrintAsync($"line {i}, which is long enough\n");

        var lines = await RecordAsync(session);
        Assert.That((string)lines[1][1]!, Is.EqualTo("m"));
        Assert.That((string)lines[1][2]!, Is.EqualTo($"missed {session.Output.Start} bytes"));
        Assert.That(lines.Skip(2).Sum(line => ((string)line[2]!).Replace("\r", "", StringComparison.Ordinal).Length), Is.EqualTo(session.Output.End - session.Output.Start));
    }

    [Test]
    public async Task Recording_ThatFollows_EndsWithTheProgram()
    {
        var (session, program) = await StartAsync(new TerminalSize(24, 80));
        await program.PrintAsync("before ");
        var pipe = new Pipe();
        var recording = Recording.WriteAsync(session, pipe.Writer, new RecordingOptions { Follow = true }, CancellationToken.None);
        await program.PrintAsync("while ");
        await session.ControlAsync(new Resize(new TerminalSize(2, 3)), CancellationToken.None);
        await program.PrintAsync("after");
        program.Exit(0);
        await recording.WaitAsync(Patience.Long);
        await pipe.Writer.CompleteAsync();

        var lines = await LinesAsync(pipe.Reader);
        Assert.That(string.Concat(lines.Skip(1).Where(line => (string)line[1]! == "o").Select(line => (string)line[2]!)), Is.EqualTo("before while after"));
        Assert.That(lines.Skip(1).Select(line => (string)line[1]!), Has.Exactly(1).EqualTo("r"));
    }

    [Test]
    public async Task Recording_OfARealTerminalOverHttp_IsPlayed()
    {
        var request = new RunRequest("exec") { Code = "#!/bin/sh\nprintf '\\033[31mred\\033[0m\\nend\\n'", Terminal = new TerminalSize(24, 80), Session = new SessionOptions { WhenDetached = WhenDetached.Keep, Name = "demo" } };
        var session = await _host.Sessions.StartAsync(request);
        await session.Exited.WaitAsync(Patience.Long);
        using var http = new HttpClient { BaseAddress = await _host.ListenAsync("http") };
        using var answer = await http.GetAsync(new Uri("/recordings/demo", UriKind.Relative));
        Assert.That(answer.Content.Headers.ContentType!.ToString(), Is.EqualTo("application/x-asciicast"));
        var file = Path.Combine(_host.Folder, "demo.cast");
        await File.WriteAllBytesAsync(file, await answer.Content.ReadAsByteArrayAsync());

        // The player wants a terminal, which it gets like any other program.
        var player = await _host.Sessions.StartAsync(request with { Code = $"#!/bin/sh\nexec asciinema cat '{file}'", Session = new SessionOptions { WhenDetached = WhenDetached.Keep } });
        await player.Exited.WaitAsync(Patience.Long);
        using var played = player.Output.Attach(new ReaderOptions());
        Assert.That(played.TryRead(4096, out var chunk), Is.True);
        Assert.That(Encoding.UTF8.GetString(chunk.Data.Span).Replace("\r", "", StringComparison.Ordinal), Does.StartWith("\u001b[31mred\u001b[0m\nend\n"));

        using var missing = await http.GetAsync(new Uri("/recordings/other", UriKind.Relative));
        Assert.That((int)missing.StatusCode, Is.EqualTo(404));
    }

    private async Task<(ISession Session, FakeProcess Program)> StartAsync(TerminalSize? terminal, SessionOptions? options = null)
    {
        var session = await _host.Sessions.StartAsync(new RunRequest("fake") { Terminal = terminal, Session = options ?? new SessionOptions { WhenDetached = WhenDetached.Keep } });
        return (session, await _host.Runner.NextAsync());
    }

    private static async Task<List<JsonNode>> RecordAsync(ISession session, RecordingOptions? options = null)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await Recording.WriteAsync(session, pipe.Writer, options ?? new RecordingOptions(), CancellationToken.None);
        await pipe.Writer.CompleteAsync();
        return await LinesAsync(pipe.Reader);
    }

    private static async Task<List<JsonNode>> LinesAsync(PipeReader reader)
    {
        using var stream = reader.AsStream();
        using var text = new StreamReader(stream, Encoding.UTF8);
        return [.. (await text.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    private static (decimal Time, string Code, string Text) Event(JsonNode line) => ((decimal)line[0]!, (string)line[1]!, (string)line[2]!);
}
