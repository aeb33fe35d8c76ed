using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Processes;

[SupportedOSPlatform("linux")]
public sealed class TerminalTests
{
    private static readonly TerminalSize Size = new(24, 80);

    private ProgramRig _rig = null!;

    [SetUp]
    public void SetUp() => _rig = new ProgramRig();

    [TearDown]
    public async Task TearDown() => await _rig.DisposeAsync();

    [Test]
    public async Task Start_Size_IsThereFromTheFirstMoment()
    {
        var program = await _rig.PythonAsync("import os; print(tuple(os.get_terminal_size()))", TerminalSize.Default);
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo("(60, 4)\r\n"));
    }

    [TestCase(0, 0)]
    [TestCase(65535, 65535)]
    [TestCase(24, 80)]
    public async Task TryResize_Any_SendsSigwinchAndSetsTheSize(int rows, int columns)
    {
        var program = await _rig.PythonAsync(
            """
            import fcntl, signal, struct, termios
            signal.signal(signal.SIGWINCH, lambda *_: print('got', struct.unpack('HHHH', fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))[:2], flush=True))
            print('ready', flush=True)
            while True: signal.pause()
            """,
            TerminalSize.Default);
        await program.SeeAsync("ready");
        Assert.That(program.Process.TryResize(new TerminalSize(rows, columns)), Is.True);
        await program.SeeAsync($"got ({rows}, {columns})");
    }

    [Test]
    public async Task ControllingTerminal_AnyRunner_IsTheTerminal()
    {
        var python = await _rig.PythonAsync("open('/dev/tty', 'w').write('to the terminal\\n')", Size);
        var script = await _rig.BashAsync("echo to the terminal >/dev/tty", Size);
        await python.ExitAsync();
        await script.ExitAsync();
        Assert.That((python.Text, script.Text), Is.EqualTo(("to the terminal\r\n", "to the terminal\r\n")));
    }

    [Test]
    public async Task CtrlC_Python_IsKeyboardInterrupt()
    {
        var program = await _rig.PythonAsync(
            """
            import signal, sys
            try:
                print('ready')
                while True: signal.pause()
            except KeyboardInterrupt:
                sys.exit(42)
            """,
            Size);
        await program.SeeAsync("ready");
        await program.TypeAsync("\u0003");
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(42));
    }

    [Test]
    public async Task Shell_OnATerminal_IsInteractive()
    {
        _rig.User = _rig.User with { Shell = "/bin/bash" };
        var plain = new Dictionary<string, string?> { ["HOME"] = "/nonexistent", ["PS1"] = "$ " };
        var program = await _rig.StartAsync(new RunRequest("shell") { Terminal = Size, Environment = plain });
        await program.TypeAsync("echo $-\n");
        await program.SeeAsync("imBHs");
        await program.TypeAsync("exit 5\n");
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(5));
    }

    [Test]
    public async Task Input_CtrlD_EndsIt()
    {
        var program = await _rig.BashAsync("cat; echo done", Size);
        await program.TypeAsync("hello\n");
        await program.SeeAsync("hello\r\nhello\r\n");
        await program.TypeAsync("\u0004");
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo("hello\r\nhello\r\ndone\r\n"));
    }

    [TestCase("", "")]
    [TestCase("line\n", "line\n")]
    [TestCase("unfinished", "unfinished")]
    public async Task Input_Completed_IsEndOfFile(string typed, string read)
    {
        var program = await _rig.PythonAsync("import sys; print('ready', flush=True); print(repr(sys.stdin.read()))", Size);
        await program.SeeAsync("ready");
        if (typed.Length > 0)
            await program.TypeAsync(typed);
        await program.Process.Input.CompleteAsync();
        await program.ExitAsync();
        Assert.That(program.Text, Does.EndWith($"'{read.Replace("\n", "\\n")}'\r\n"));
    }

    [Test]
    public async Task Input_CompletedWithAnotherEndCharacter_UsesThat()
    {
        var program = await _rig.BashAsync("stty eof ^X; echo ready; cat; echo done", Size);
        await program.SeeAsync("ready");
        await program.Process.Input.CompleteAsync();
        Assert.That((await program.ExitAsync()).Code, Is.Zero);
        Assert.That(program.Text, Does.EndWith("done\r\n"));
    }

    [Test]
    public async Task Output_TerminalClosedByTheProgramForAWhile_GoesOn()
    {
        var program = await _rig.BashAsync(
            """
            echo one
            exec <&- >&- 2>&-
            exec 0</dev/tty
            read line
            echo $line >/dev/tty
            """,
            Size);
        await program.SeeAsync("one");
        await program.TypeAsync("two\n");
        Assert.That((await program.ExitAsync()).Code, Is.Zero);
        Assert.That(program.Text, Does.EndWith("two\r\n"));
    }

    [Test]
    public async Task Output_RawMode_HashesTheSame()
    {
        var size = SoakSize.Of(shortForm: 8, longForm: 64) * 1024 * 1024;
        var program = await _rig.PythonAsync(
            $$"""
            import hashlib, os, random, sys, tty
            tty.setraw(0)
            data = random.Random(7).randbytes({{size}})
            view = memoryview(data)
            while view:
                view = view[os.write(1, view):]
            open({{'\''}}{{_rig.Directory}}/hash{{'\''}}, 'w').write(hashlib.sha256(data).hexdigest())
            """,
            Size,
            collect: false);
        using var hash = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
        var exited = program.ExitAsync();
        while (true)
        {
            var result = await program.Out.Reader.ReadAsync();
            foreach (var part in result.Buffer)
                hash.AppendData(part.Span);
            program.Out.Reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                break;
        }

        await exited;
        Assert.That(Convert.ToHexStringLower(hash.GetCurrentHash()), Is.EqualTo(await File.ReadAllTextAsync($"{_rig.Directory}/hash")));
    }

    [Test]
    public async Task Terminals_300AtOnce_StayResponsive()
    {
        const int count = 300;
        var programs = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => _rig.BashAsync("while read line; do echo \"<$line>\"; done", Size)));
        await Task.WhenAll(programs.Select(async (program, i) =>
        {
            await program.TypeAsync($"hello {i}\n");
            await program.SeeAsync($"<hello {i}>");
        }));

        // One that floods delays no other for longer than a turn of the loop.
        var flood = await _rig.BashAsync("yes", Size);
        await flood.SeeAsync("y");
        var watch = System.Diagnostics.Stopwatch.StartNew();
        await programs[^1].TypeAsync("still there\n");
        await programs[^1].SeeAsync("<still there>");
        TestContext.Out.WriteLine($"echo beside a flood: {watch.Elapsed.TotalMilliseconds:F1} ms");

        watch.Restart();
        await Task.WhenAll(programs.Append(flood).Select(program => program.Process.DisposeAsync().AsTask()));
        TestContext.Out.WriteLine($"stop of {count + 1}: {watch.Elapsed.TotalMilliseconds:F0} ms");
        Assert.That(programs.Select(program => program.Process.Exited.Result.Code), Is.All.EqualTo(-15));
    }
}
