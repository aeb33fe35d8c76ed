using System.Runtime.Versioning;
using System.Threading.Channels;
using FurtherLink.Processes;
using FurtherLink.Sessions;
using FurtherLink.Sessions.Channels;
using Microsoft.Extensions.Logging.Abstractions;

namespace FurtherLink.Tests.Python;

[TestFixture]
[SupportedOSPlatform("linux")]
public class SendImageTests
{
    // What Pillow alone makes of an image, to compare with what arrives.
    private const string Prelude = """
        import base64, io, sys
        from further_link import send_image
        from PIL import Image
        import numpy
        def jpeg(image):
            file = io.BytesIO()
            image.save(file, format="JPEG", optimize=True)
            return base64.b64encode(file.getvalue()).decode()
        colours = numpy.arange(3 * 20 * 30, dtype=numpy.uint8).reshape(20, 30, 3)

        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private string _temp = "";
    private PythonPackage? _package;
    private SessionNotices _notices = new(new OutputLog(new LogOptions()));
    private Channel<string> _frames = Channel.CreateUnbounded<string>();

    private PythonPackage Package => _package!;

    [SetUp]
    public void SetUp()
    {
        _temp = Directory.CreateTempSubdirectory("image").FullName;
        _package = new PythonPackage(_temp);
        _notices = new SessionNotices(new OutputLog(new LogOptions()));
        _frames = Channel.CreateUnbounded<string>();
        _notices.Follow(n => _frames.Writer.TryWrite((string)n.Body!));
    }

    [TearDown]
    public void TearDown()
    {
        _package?.Dispose();
        Directory.Delete(_temp, recursive: true);
    }

    [TestCase("Image.effect_noise((1, 1), 0)", "Image.effect_noise((1, 1), 0)", TestName = "PillowGrey")]
    [TestCase("Image.fromarray(colours)", "Image.fromarray(colours)", TestName = "PillowColour")]
    [TestCase("Image.fromarray(colours).convert('CMYK')", "Image.fromarray(colours).convert('CMYK')", TestName = "PillowCmyk")]
    [TestCase("Image.fromarray(colours).convert('RGBA')", "Image.fromarray(colours)", TestName = "PillowWithAlpha")]
    [TestCase("colours", "Image.fromarray(colours[:, :, ::-1])", TestName = "ArrayBlueGreenRed")]
    [TestCase("colours[:, :, 0]", "Image.fromarray(colours[:, :, 0])", TestName = "ArrayGrey")]
    [TestCase("colours[:, :, :1]", "Image.fromarray(colours[:, :, 0])", TestName = "ArrayGreyOfThreeDimensions")]
    [TestCase("numpy.dstack([colours, colours[:, :, :1]])", "Image.fromarray(colours[:, :, ::-1])", TestName = "ArrayWithAlpha")]
    public async Task Image_ArrivesByteForByte_AsPillowWritesIt(string sent, string expected)
    {
        await using var channels = Create();
        using var program = Start(channels, $"send_image({sent}, format='PIL')\nprint(jpeg({expected}))");
        var (output, errors, exitCode) = await program.EndAsync();
        Assert.That(exitCode, Is.Zero, errors);
        Assert.That(output.TrimEnd(), Is.Not.Empty);
        Assert.That(await _frames.Reader.ReadAsync().AsTask().WaitAsync(Patience), Is.EqualTo(output.TrimEnd()));
    }

    [Test]
    public async Task OnePixel_IsTheKnownPicture()
    {
        await using var channels = Create();
        using var program = Start(channels, "send_image(Image.new('L', (1, 1), 128))");
        await program.EndAsync();
        var bytes = Convert.FromBase64String(await _frames.Reader.ReadAsync().AsTask().WaitAsync(Patience));
        Assert.That(bytes.AsSpan(0, 2).ToArray(), Is.EqualTo(new byte[] { 0xff, 0xd8 }), "begins as JPEG does");
        Assert.That(bytes.AsSpan(bytes.Length - 2).ToArray(), Is.EqualTo(new byte[] { 0xff, 0xd9 }), "and ends so");
    }

    [Test]
    public async Task LargeFrame_SentRightBeforeExit_Arrives()
    {
        for (var round = 0; round < 10; round++)
        {
            await using var channels = Create();
            using var program = Start(channels, "image = Image.effect_noise((900, 700), 90)\nprint(jpeg(image))\nsend_image(image)\nimport os; os._exit(0)");
            var (output, errors, exitCode) = await program.EndAsync();
            await channels.DrainAsync();
            Assert.That(exitCode, Is.Zero, errors);
            Assert.That(output, Has.Length.GreaterThan(300_000));
            Assert.That(_frames.Reader.TryRead(out var frame), Is.True, $"round {round}");
            Assert.That(frame, Is.EqualTo(output.TrimEnd()));
        }
    }

    [Test]
    public async Task Frames_OfThreadsAndForks_NeverMelt()
    {
        await using var channels = Create();
        using var program = Start(channels, """
            import os, threading
            from further_link.channels import send
            def frames(letter):
                for _ in range(20):
                    send("video", letter * 100000)
            send("video", "s")
            child = os.fork()
            threads = [threading.Thread(target=frames, args=(letter,)) for letter in ("ab" if child else "c")]
            for t in threads: t.start()
            for t in threads: t.join()
            if child:
                os.waitpid(child, 0)
            else:
                os._exit(0)
            """);
        var (_, errors, exitCode) = await program.EndAsync();
        await channels.DrainAsync();
        Assert.That(exitCode, Is.Zero, errors);
        var frames = new List<string>();
        while (_frames.Reader.TryRead(out var frame))
            frames.Add(frame);
        Assert.That(frames, Has.Count.EqualTo(61));
        Assert.That(frames.Select(f => f.Distinct().Count()), Has.All.EqualTo(1), "each of one letter");
        Assert.That(frames.Skip(1).Select(f => f.Length), Has.All.EqualTo(100_000));
    }

    [Test]
    public async Task Sockets_ThatAppearLate_AreWaitedFor()
    {
        await using var channels = Create();
        using var program = new PythonProgram(
            Package.Directory,
            Prelude + "from further_link import channels\nchannels.CONNECT_TIMEOUT = 60\nprint('here')\nsend_image(colours)\nprint('sent')",
            channels.Environment);
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("here"));
        channels.Open(program.Id);
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("sent"));
        Assert.That(await _frames.Reader.ReadAsync().AsTask().WaitAsync(Patience), Does.StartWith("/9j/"));
    }

    [Test]
    public async Task WhatIsNoPicture_IsSaid()
    {
        await using var channels = Create();
        using var program = Start(channels, "send_image('hello')");
        var (_, errors, exitCode) = await program.EndAsync();
        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(errors, Does.Contain("send_image takes an image of Pillow or an array of 2 or 3 dimensions, not str"));
    }

    private SideChannels Create() => SideChannels.Create(_temp, UserAccount.Current, _notices, NullLogger.Instance);

    private PythonProgram Start(SideChannels channels, string code)
    {
        var program = new PythonProgram(Package.Directory, Prelude + code, channels.Environment);
        channels.Open(program.Id);
        return program;
    }
}
