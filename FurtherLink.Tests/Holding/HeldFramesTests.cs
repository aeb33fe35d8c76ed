using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using FurtherLink.Codecs;
using FurtherLink.Holding;
using FurtherLink.Messages;
using FurtherLink.Tests.Codecs;

namespace FurtherLink.Tests.Holding;

/// <summary>What a server and its holder say to each other, and what becomes of nonsense.</summary>
internal sealed class HeldFramesTests
{
    private static readonly SessionInfo Info = new("abc", "python3", 42, "pi", "/tmp", new TerminalSize(24, 80), DateTimeOffset.UnixEpoch) { Name = "é" };

    private static IEnumerable<HeldMessage> Questions() =>
    [
        new()
        {
            Type = "start",
            Ref = "1",
            Session = "abc",
            Window = 5,
            Request = new RunRequest("exec")
            {
                Code = "x\0y", Path = "p", Arguments = ["a", ""], Environment = new Dictionary<string, string?> { ["A"] = null, ["B"] = "b" }, User = "pi", Terminal = new TerminalSize(1, 2),
                Session = new SessionOptions { WhenDetached = WhenDetached.Pause, Grace = TimeSpan.FromSeconds(3), Name = "n", AllDrive = true, Size = SizePolicy.Smallest, RecordInput = true, Labels = new Dictionary<string, string> { ["a"] = "b" } },
            },
        },
        new() { Type = "attach", Session = "abc", Offset = 7, Window = 8 },
        new() { Type = "resize", Size = new TerminalSize(3, 4) },
        new() { Type = "signal", Number = 15 },
        new() { Type = "key", Name = "ArrowUp", Text = "keydown" },
        new() { Type = "end" },
        new() { Type = "stop", Ref = "9" },
        new() { Type = "ack", Offset = 1L << 40 },
        new() { Type = "list" },
        new() { Type = "remove", Session = "abc" },
    ];

    [TestCaseSource(nameof(Questions))]
    public void Question_Read_IsWhatWasWritten(HeldMessage question)
    {
        var body = Body(frames => HeldFrames.Write(frames, question)).Body;
        Assert.That(Encoding.UTF8.GetString(Body(frames => HeldFrames.Write(frames, HeldFrames.Read(new ReadOnlySequence<byte>(body)))).Body), Is.EqualTo(Encoding.UTF8.GetString(body)));
        Assert.That(new HeldCodec().TryDecode(new Frame(FrameKind.Text, new ReadOnlySequence<byte>(body)), out var message), Is.True);
        Assert.That(message!.Ref, Is.EqualTo(question.Ref));
    }

    [Test]
    public void Start_Decoded_IsTheWholeRequest()
    {
        var question = Questions().First();
        new HeldCodec().TryDecode(new Frame(FrameKind.Text, new ReadOnlySequence<byte>(Body(frames => HeldFrames.Write(frames, question)).Body)), out var message);
        var start = (Start)message!;
        Assert.Multiple(() =>
        {
            Assert.That(start.Request.SessionId, Is.EqualTo("abc"));
            var labels = question.Request!.Session.Labels;
            Assert.That(start.Request.Session with { Labels = labels }, Is.EqualTo(question.Request.Session));
            Assert.That(start.Request.Session.Labels, Is.EquivalentTo(labels));
            Assert.That(start.Request.Code, Is.EqualTo("x\0y"));
            Assert.That(start.Request.Arguments, Is.EqualTo(new[] { "a", "" }));
            Assert.That(start.Request.Environment, Is.EquivalentTo(question.Request.Environment));
            Assert.That(start.Request.Terminal, Is.EqualTo(new TerminalSize(1, 2)));
            Assert.That((start.Options.Text, start.Options.Window, start.Options.Lossless), Is.EqualTo((false, (long?)5, true)));
        });
    }

    [Test]
    public void Answer_OfANewerVersion_IsReadAsFarAsItIsKnown()
    {
        var text = "{\"type\":\"exited\",\"exit\":{\"code\":-9,\"reason\":\"why\",\"core\":true},\"more\":[1,{}]}";
        var message = HeldFrames.Read(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(text)));
        Assert.That(message.Exit, Is.EqualTo(new ExitStatus(-9) { Reason = "why" }));
    }

    [Test]
    public void Output_Read_IsEveryByteWithItsPlace()
    {
        byte[] data = [0, 255, 0xC3, 10];
        var (kind, body) = Body(frames => HeldFrames.WriteOutput(frames, new Output { Kind = OutputKind.Error, Offset = 1L << 40, Next = (1L << 40) + 4, Time = 77, Data = data }));
        Assert.That(kind, Is.EqualTo(FrameKind.Binary));
        var read = HeldFrames.ReadOutput(Segments.Single(body), out var stream, out var offset, out var time);
        Assert.That((stream, offset, time), Is.EqualTo((OutputKind.Error, 1L << 40, 77L)));
        Assert.That(read!.Value.ToArray(), Is.EqualTo(data));
    }

    [Test]
    public void Input_Read_IsEveryByteWithItsNumber()
    {
        byte[] data = [0, 255, 10];
        var (_, body) = Body(frames => HeldFrames.WriteInput(frames, 5, new InputMark("mé", 6), end: true, new ReadOnlySequence<byte>(data)));
        var input = new Input();
        HeldFrames.ReadInput(Segments.Single(body), input);
        Assert.That((input.Ref, input.ClientId, input.Sequence, input.End), Is.EqualTo(("5", "mé", (long?)6, true)));
        Assert.That(input.Data.ToArray(), Is.EqualTo(data));
    }

    [Test]
    public void Frames_CutAtEachByteOrChanged_AreRefusedOrRead([Random(4)] int seed)
    {
        var random = new Random(seed);
        var bodies = Questions().Select(question => Body(frames => HeldFrames.Write(frames, question)))
            .Append(Body(frames => HeldFrames.WriteInput(frames, 5, new InputMark("client", 6), end: false, new ReadOnlySequence<byte>("text"u8.ToArray()))))
            .Append(Body(frames => HeldFrames.WriteOutput(frames, new Output { Kind = OutputKind.Out, Data = "text"u8.ToArray() })))
            .Append(Body(frames => HeldFrames.WriteNotice(frames, "video", "frame"u8)));
        foreach (var (kind, body) in bodies)
        {
            for (var length = 0; length < body.Length; length++)
                Try(kind, body[..length]);
            for (var i = 0; i < 200; i++)
            {
                var changed = body.ToArray();
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
                Try(kind, changed);
                Try(kind is FrameKind.Text ? FrameKind.Binary : FrameKind.Text, changed);
            }
        }
    }

    // Anything but a LinkException fails the test.
    private static void Try(FrameKind kind, byte[] body)
    {
        var sequence = Segments.Single(body);
        try
        {
            new HeldCodec().TryDecode(new Frame(kind, sequence), out _);
        }
        catch (LinkException)
        {
        }

        try
        {
            if (HeldFrames.ReadOutput(sequence, out _, out _, out _) is null)
                HeldFrames.ReadNotice(sequence, out _);
        }
        catch (LinkException)
        {
        }
    }

    private static (FrameKind Kind, byte[] Body) Body(Action<FrameWriter> write)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        write(new FrameWriter(pipe.Writer));
        pipe.Writer.FlushAsync().AsTask().Wait();
        pipe.Reader.TryRead(out var result);
        var buffer = result.Buffer;
        Assert.That(Frames.TryRead(ref buffer, int.MaxValue, out var frame), Is.True);
        return (frame.Kind, frame.Body.ToArray());
    }
}
