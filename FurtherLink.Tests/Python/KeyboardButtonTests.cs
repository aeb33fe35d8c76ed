using System.Runtime.Versioning;
using System.Threading.Channels;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Sessions;
using FurtherLink.Sessions.Channels;
using Microsoft.Extensions.Logging.Abstractions;

namespace FurtherLink.Tests.Python;

[TestFixture]
[SupportedOSPlatform("linux")]
public class KeyboardButtonTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private string _temp = "";
    private PythonPackage? _package;
    private SideChannels? _channels;
    private Channel<string> _keys = Channel.CreateUnbounded<string>();

    private PythonPackage Package => _package!;

    private SideChannels Channels => _channels!;

    [SetUp]
    public void SetUp()
    {
        _temp = Directory.CreateTempSubdirectory("keys").FullName;
        _package = new PythonPackage(_temp);
        var notices = new SessionNotices(new OutputLog(new LogOptions()));
        _keys = Channel.CreateUnbounded<string>();
        notices.Follow(n => _keys.Writer.TryWrite((string)n.Body!));
        _channels = SideChannels.Create(_temp, UserAccount.Current, notices, NullLogger.Instance);
    }

    [TearDown]
    public async Task TearDown()
    {
        if (_channels is not null)
            await _channels.DisposeAsync();
        _package?.Dispose();
        Directory.Delete(_temp, recursive: true);
    }

    [Test]
    public async Task Button_IsAnnounced_AndCallsBack_WithItsStateSet()
    {
        using var program = Start("""
            from signal import pause
            from further_link import KeyboardButton
            up = KeyboardButton("ArrowUp")
            up.when_pressed = lambda: print("pressed", up.is_pressed)
            up.when_released = lambda: print("released", up.is_pressed)
            print(up.is_pressed)
            pause()
            """);
        Assert.That(await NextKeyAsync(), Is.EqualTo("ArrowUp"));
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("False"));
        await SendAsync("ArrowUp", "keydown");
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("pressed True"));
        await SendAsync("ArrowUp", "keyup");
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("released False"));
    }

    [Test]
    public async Task SpaceKey_Works_AndOtherKeysOrEventsAreNotHeard()
    {
        using var program = Start("""
            from further_link import KeyboardButton
            space = KeyboardButton(" ")
            space.when_pressed = lambda: print("space")
            print("ready")
            """);
        Assert.That(await NextKeyAsync(), Is.EqualTo(" "));
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("ready"));
        await SendAsync("a", "keydown");
        await SendAsync(" ", "keypress");
        await SendAsync(" ", "keydown");
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("space"));
    }

    [Test]
    public async Task Key_PressedBeforeTheFunctionIsSet_StillCallsIt()
    {
        using var program = Start("""
            import time
            from further_link import KeyboardButton, keyboard
            keyboard.SETUP_TIME = 60
            a = KeyboardButton("a")
            while not a.is_pressed: time.sleep(0.01)
            a.when_pressed = lambda: print("late")
            """);
        Assert.That(await NextKeyAsync(), Is.EqualTo("a"));
        await SendAsync("a", "keydown");
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("late"));
    }

    [Test]
    public async Task Buttons_OfOneKey_AreAllCalled_AndAnErrorInOneHarmsNone()
    {
        using var program = Start("""
            from further_link import KeyboardButton
            def fail():
                raise ValueError("mine")
            first, second = KeyboardButton("x"), KeyboardButton("x")
            first.when_pressed = fail
            second.when_pressed = lambda: print("second")
            first.when_released = None
            second.when_released = lambda: print("up", second.when_pressed is not None, first.when_released)
            print("ready")
            """);
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("ready"));
        await SendAsync("x", "keydown");
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("second"));
        await SendAsync("x", "keyup");
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("up True None"));
        program.Signal("TERM");
        Assert.That((await program.EndAsync()).Error, Does.Contain("ValueError: mine"));
    }

    [Test]
    public async Task Program_LivesOnBehindItsLastLine_AndEndsByCtrlC([Values] bool paused)
    {
        // Not signal.pause(): a signal right before its system call would be seen by nobody.
        var last = paused ? "import time\nwhile True: time.sleep(0.01)" : "";
        using var program = Start($"""
            from further_link import KeyboardButton
            a = KeyboardButton("a")
            a.when_pressed = lambda: print("a")
            print("ready")
            {last}
            """);
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("ready"));
        await SendAsync("a", "keydown");
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("a"));
        program.Signal("INT");
        await program.EndAsync();
        Assert.That(Directory.GetFiles(Directory.GetDirectories(_temp, "furtherlink-????????????????").Single(), "*.keyevent.sock"), Is.Empty);
    }

    [Test]
    public async Task Program_WithoutAServer_IsToldOnce_AndGoesOn()
    {
        using var program = new PythonProgram(
            Package.Directory,
            """
            import os
            from further_link import KeyboardButton, channels
            channels.CONNECT_TIMEOUT = 0
            for key in "abc":
                KeyboardButton(key)
            print("on")
            os._exit(0)
            """,
            new Dictionary<string, string> { ["FURTHER_LINK_TEMP_DIR"] = _temp });
        var (output, errors, exitCode) = await program.EndAsync();
        Assert.That(exitCode, Is.Zero, errors);
        Assert.That(output, Is.EqualTo("on\n"));
        Assert.That(errors.Split('\n'), Has.Exactly(1).StartsWith("Warning: the further_link keylisten channel is not available"));
    }

    [Test]
    public async Task Program_OfAnInteractiveShell_WithAGroupOfItsOwn_FindsItsChannels()
    {
        // As job control does it: the same session, another process group.
        using var program = Start("""
            import os, subprocess, sys
            code = "import os\nfrom further_link import KeyboardButton\nb = KeyboardButton('g')\nb.when_pressed = lambda: (print('grouped'), os._exit(0))\nprint('ready')"
            subprocess.call([sys.executable, "-u", "-c", code], preexec_fn=lambda: os.setpgid(0, 0), timeout=60)
            """);
        Assert.That(await NextKeyAsync(), Is.EqualTo("g"));
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("ready"));
        await SendAsync("g", "keydown");
        Assert.That(await program.ReadLineAsync(), Is.EqualTo("grouped"));
        await program.EndAsync();
    }

    [Test]
    public async Task KeyMessages_CutAtEveryByte_AreHeardWhole()
    {
        using var program = Start("""
            from further_link.channels import Messages
            data = "a keydown endkeyevent   keyup endkeyevent \u20ac keydown endkeyevent  endkeyevent half".encode()
            expected = ["a keydown", "  keyup", "\u20ac keydown"]
            for cut in range(len(data) + 1):
                messages = Messages("keyevent")
                got = messages.feed(data[:cut]) + messages.feed(data[cut:])
                assert got == expected, (cut, got)
            messages = Messages("keyevent")
            got = [m for byte in data for m in messages.feed(bytes([byte]))]
            assert got == expected, got
            assert Messages("keyevent").feed(b"\xff x endkeyevent ") == ["\ufffd x"]
            """);
        var (_, errors, exitCode) = await program.EndAsync();
        Assert.That(exitCode, Is.Zero, errors);
    }

    private PythonProgram Start(string code)
    {
        var program = new PythonProgram(Package.Directory, code, Channels.Environment);
        Channels.Open(program.Id);
        return program;
    }

    private async Task SendAsync(string key, string keyEvent) => await Channels.SendKeyAsync(new Key(key, keyEvent), default);

    private Task<string> NextKeyAsync() => _keys.Reader.ReadAsync().AsTask().WaitAsync(Patience);
}
