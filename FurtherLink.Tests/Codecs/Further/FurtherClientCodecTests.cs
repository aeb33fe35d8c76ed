using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using FurtherLink.Codecs;
using FurtherLink.Codecs.Further;
using FurtherLink.Messages;

namespace FurtherLink.Tests.Codecs.Further;

/// <summary>What a client spells the server reads as it was meant, and the other way round.</summary>
[TestFixture]
internal sealed class FurtherClientCodecTests
{
    private static readonly AttachOptions Asked = new() { Window = 65536, ClientId = "c1", Text = false, Patient = true };

    private readonly CodecHarness _server = CodecHarness.Run("me", "sessions", "offsets", "ack", "bytes");
    private readonly FurtherClientCodec _client = new();

    public static IEnumerable<ClientMessage> Requests =>
    [
        new Ping { Ref = "1" },
        new Start("1", new RunRequest("shell") { Pipes = true }) { Options = Asked, Ref = "2" },
        new Start("é\"", new RunRequest("program")
        {
            Code = "print('😀')\n\0",
            Path = "a/b",
            User = "pi",
            Arguments = ["", "a b", "\"\\"],
            Environment = new Dictionary<string, string?> { ["A"] = "1", ["B"] = null },
            Terminal = new TerminalSize(24, 80),
            Display = new DisplayRequest(640, 480),
            SessionId = "abc-1",
            Session = new SessionOptions { WhenDetached = WhenDetached.Pause, Name = "n", Grace = TimeSpan.FromSeconds(1.5), Size = SizePolicy.Fixed, AllDrive = true, RecordInput = true },
        }) { Options = Asked with { Lossless = false } },
        new Attach("1", "s", Asked with { From = 5_000_000_000, Access = Access.View, Screen = true }) { Ref = "x" },
        new Attach("1", "s", Asked with { From = null }),
        new Detach("1"),
        new Stop("1") { Ref = "9" },
        new Acknowledge("1", 5_000_000_000),
        new Control("1", new Resize(new TerminalSize(1, 2))),
        new Control("1", new Key("ArrowUp", "keydown")),
        new Control("1", new Signal(2)) { Ref = "r" },
        new Call("sessions.list", null) { Ref = "l" },
        new Call("sessions.grant", 3) { Session = "1" },
        new Call("sessions.take", null) { Session = "1" },
        new Call("sessions.request", null) { Session = "1" },
    ];

    public static IEnumerable<ServerMessage> Answers
    {
        get
        {
            var info = new SessionInfo("id1", "python3", 77, "pi", "/tmp", new TerminalSize(24, 80), new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)) { Name = "n", Members = 2 };
            return
            [
                new Pong { Ref = "1" },
                new Started("1", info) { Member = 4, Ref = "2" },
                new Attached("1", info with { Terminal = null, Exit = new ExitStatus(-9) }, 5_000_000_000) { Member = 1, Access = Access.View, LastInput = 12, Screen = "\u001b[2J\"é"u8.ToArray(), Ref = "3" },
                new Missed("1", 5, 5_000_000_000),
                new Exited("1", new ExitStatus(3) { Reason = "over its limit" }),
                new Failed(FailureCode.InputStalled, "why \"so\"") { Name = "1", Ref = "i" },
                new Result("sessions.list", new List<SessionInfo> { info, info with { Name = null } }) { Ref = "5" },
                new Notice("presence", new List<MemberInfo> { new(1, "é", Access.Drive, true, false), new(2, "", Access.View, false, true) }) { Name = "1" },
                new Notice("resize", new TerminalSize(5, 6)) { Name = "1" },
                new Notice("spill", new SpillStopped("disk full")) { Name = "1" },
                new Notice("detached", new Detached("replaced")) { Name = "1" },
                new Notice("video", "AAEC") { Name = "1" },
                new Notice("keylisten", " ") { Name = "1" },
                new Notice("novnc", new DisplayAddress(5900, "a?b=c")) { Name = "1" },
            ];
        }
    }

    [TestCaseSource(nameof(Requests))]
    public void Request_IsReadAsItWasMeant(ClientMessage request)
    {
        var read = _server.Decode(new ReadOnlySequence<byte>(Spell(request)));
        Assert.That(read.Ref, Is.EqualTo(request.Ref));
        Assert.That(Describe(read), Is.EqualTo(Describe(request)));
    }

    [TestCaseSource(nameof(Answers))]
    public void Answer_IsReadAsItWasMeant(ServerMessage answer)
    {
        var read = Read(_server.EncodeBytes(answer).Single());
        Assert.That(read!.Ref, Is.EqualTo(answer.Ref));
        Assert.That(Describe(read), Is.EqualTo(Describe(answer)));
    }

    [Test]
    public void Input_OfAnyBytes_IsReadAsItWasMeant([Values] bool isText, [Values] bool end, [Values(1, 3, 1000)] int pieces)
    {
        var random = new Random(pieces);
        for (var i = 0; i < 50; i++)
        {
            var bytes = new byte[random.Next(0, 40_000)];
            random.NextBytes(bytes);
            if (isText)
                bytes = Encoding.UTF8.GetBytes(Encoding.Latin1.GetString(bytes));
            var input = new Input { Name = "1", Data = Segments.Cut(bytes, bytes.Length / pieces), End = end, Sequence = i + 1, Ref = "i" };
            if (bytes.Length == 0 && !end)
                continue;
            var read = (Input)_server.Decode(new ReadOnlySequence<byte>(Spell(input)));
            Assert.That((read.Name, read.End, read.Sequence, read.Ref), Is.EqualTo(("1", end, (long?)(i + 1), "i")));
            Assert.That(read.Data.ToArray(), Is.EqualTo(bytes));
        }
    }

    [Test]
    public void Output_OfAnyBytes_IsReadAsItWasMeant([Values] bool isText, [Values] OutputKind kind)
    {
        var random = new Random(7);
        var offset = 0L;
        for (var i = 0; i < 100; i++)
        {
            var bytes = new byte[random.Next(1, 70_000)];
            random.NextBytes(bytes);
            if (isText)
                bytes = Encoding.UTF8.GetBytes(Encoding.Latin1.GetString(bytes));
            var body = _server.EncodeBytes(new Output { Name = "p", Kind = kind, Offset = offset, Next = offset + bytes.Length, Data = bytes }).Single();
            var read = (Output)Read(body)!;
            Assert.That((read.Name, read.Kind, read.Offset, read.Next), Is.EqualTo(("p", kind, offset, offset + bytes.Length)));
            Assert.That(read.Data.ToArray(), Is.EqualTo(bytes));
            offset += bytes.Length;
        }
    }

    [Test]
    public void Answer_CutOrDamagedAnywhere_IsRefusedOrAnother_AndNeverACrash()
    {
        var random = new Random(11);
        var output = new Output { Name = "1", Kind = OutputKind.Out, Offset = 3, Next = 8, Data = "a\n\"é"u8.ToArray() };
        foreach (var answer in Answers.Append(output))
        {
            var body = _server.EncodeBytes(answer).Single();
            for (var length = 0; length < body.Length; length++)
                Assert.Throws<LinkException>(() => Read(body[..length]), $"{answer} cut at {length}");
            for (var i = 0; i < 300; i++)
            {
                var damaged = body.ToArray();
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                try
                {
                    Read(damaged);
                }
                catch (LinkException)
                {
                    // Refused.
                }
            }
        }
    }

    [Test]
    public void Output_InALoop_AllocatesNothing()
    {
        var body = _server.EncodeBytes(new Output { Name = "p", Kind = OutputKind.Out, Offset = 0, Next = 6, Data = "hello\n"u8.ToArray() }).Single();
        var frame = new Frame(FrameKind.Text, new ReadOnlySequence<byte>(body));
        for (var i = 0; i < 1000; i++)
            _client.TryDecode(frame, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            _client.TryDecode(frame, out _);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1000));
    }

    private static byte[] Spell(ClientMessage message)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        FurtherClientCodec.Encode(message, new FrameWriter(pipe.Writer));
        pipe.Writer.Complete();
        Assert.That(pipe.Reader.TryRead(out var result), Is.True);
        var buffer = result.Buffer;
        Assert.That(Frames.TryRead(ref buffer, int.MaxValue, out var frame), Is.True);
        Assert.That((frame.Kind, buffer.Length), Is.EqualTo((FrameKind.Text, 0L)));
        return frame.Body.ToArray();
    }

    private ServerMessage? Read(byte[] body) =>
        _client.TryDecode(new Frame(FrameKind.Text, Segments.Cut(body, body.Length / 2)), out var message) ? message : null;

    // Records that hold lists and dictionaries are compared by what they say.
    private static string Describe(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        ReadOnlyMemory<byte> bytes => Convert.ToHexString(bytes.Span),
        System.Collections.IDictionary map => string.Join(',', map.Keys.Cast<object>().Select(key => $"{Describe(key)}={Describe(map[key])}")),
        System.Collections.IEnumerable list => string.Join(',', list.Cast<object>().Select(Describe)),
        _ when value.GetType() is { IsPrimitive: true } or { IsEnum: true } || value is TimeSpan or DateTimeOffset => $"{value}",
        _ => value.GetType().Name + "{" + string.Join(';', value.GetType().GetProperties().Where(property => property.GetIndexParameters().Length == 0 && !property.GetMethod!.IsStatic && property.Name is not ("Tag" or "Gather" or "Text" or "Confirm"))
            .OrderBy(property => property.Name).Select(property => $"{property.Name}:{Describe(property.GetValue(value))}")) + "}",
    };
}
