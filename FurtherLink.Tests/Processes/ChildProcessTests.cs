using System.Buffers;
using System.Runtime.Versioning;
using FurtherLink.Messages;

namespace FurtherLink.Tests.Processes;

[SupportedOSPlatform("linux")]
public sealed class ChildProcessTests
{
    private ProgramRig _rig = null!;

    [SetUp]
    public void SetUp() => _rig = new ProgramRig();

    [TearDown]
    public async Task TearDown() => await _rig.DisposeAsync();

    [TestCase("exit 0", 0)]
    [TestCase("exit 7", 7)]
    [TestCase("exit 255", 255)]
    [TestCase("kill -TERM $$", -15)]
    [TestCase("kill -KILL $$", -9)]
    [TestCase("kill -SEGV $$", -11)]
    public async Task Exited_Script_IsCodeOrMinusSignal(string script, int expected)
    {
        var program = await _rig.BashAsync(script);
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(expected));
    }

    [Test]
    public async Task Pipes_BothStreams_ArriveApartAndWhole()
    {
        var program = await _rig.BashAsync("for i in $(seq 1 1000); do echo out $i; echo err $i >&2; done");
        await program.ExitAsync();
        var expected = Enumerable.Range(1, 1000);
        Assert.Multiple(() =>
        {
            Assert.That(program.Text, Is.EqualTo(string.Concat(expected.Select(i => $"out {i}\n"))));
            Assert.That(program.ErrorText, Is.EqualTo(string.Concat(expected.Select(i => $"err {i}\n"))));
        });
    }

    [Test]
    public async Task Pipes_OpenedAgainByName_AreRealPipes()
    {
        var program = await _rig.BashAsync("echo one >/dev/stdout; echo two | tee /dev/stderr >/dev/null; echo three >/dev/stderr");
        await program.ExitAsync();
        Assert.That((program.Text, program.ErrorText), Is.EqualTo(("one\n", "two\nthree\n")));
    }

    [Test]
    public async Task Child_Signals_AreAtTheirDefaultsAndNoneBlocked()
    {
        var program = await _rig.BashAsync("yes | head -1; echo ${PIPESTATUS[*]}; grep -E 'SigBlk|SigIgn' /proc/self/status");
        await program.ExitAsync();
        Assert.That(program.Text, Does.StartWith("y\n141 0\n"));
        Assert.That(program.Text, Does.Match(@"SigBlk:\s0+\nSigIgn:\s0+\n"));
    }

    [Test]
    public async Task Child_Descriptors_AreTheThreeOnly([Values] bool terminal)
    {
        // A descriptor of this process that every careless fork would hand on.
        using var inherited = File.Open(Path.Combine(_rig.Directory, "open"), FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Inheritable);
        var program = await _rig.PythonAsync("import os; print(sorted(int(fd) for fd in os.listdir('/proc/self/fd'))[:4])", terminal ? TerminalSize.Default : null);
        await program.ExitAsync();
        // The fourth is the listing itself.
        Assert.That(program.Text.TrimEnd(), Is.EqualTo("[0, 1, 2, 3]"));
    }

    [Test]
    public async Task Child_Leader_HasGroupAndSessionOfItsOwn([Values] bool terminal)
    {
        var program = await _rig.PythonAsync("import os; print(os.getpid(), os.getpgid(0), os.getsid(0))", terminal ? TerminalSize.Default : null);
        var id = program.Process.Id;
        await program.ExitAsync();
        Assert.That(program.Text.TrimEnd(), Is.EqualTo($"{id} {id} {id}"));
    }

    [Test]
    public async Task Output_8MiBAtOnce_ArrivesWhole([Values] bool terminal)
    {
        const int size = 8 * 1024 * 1024;
        var program = await _rig.PythonAsync($"import sys; sys.stdout.write('x' * {size}); sys.stdout.flush()", terminal ? TerminalSize.Default : null);
        var status = await program.ExitAsync();
        Assert.That((status.Code, program.Text.Length, program.Text.All(c => c == 'x')), Is.EqualTo((0, size, true)));
    }

    [Test]
    public async Task Output_LastWordsBeforeExit_ArriveEachTime([Values] bool terminal)
    {
        const int runs = 60;
        for (var run = 0; run < runs; run++)
        {
            var program = await _rig.BashAsync("printf '%1024s' | tr ' ' x; echo end", terminal ? TerminalSize.Default : null);
            await program.ExitAsync();
            Assert.That(program.Text.ReplaceLineEndings("\n"), Is.EqualTo(new string('x', 1024) + "end\n"), $"run {run}");
        }
    }

    [Test]
    public async Task Exited_BackgroundChildHoldsThePipes_DoesNotWait()
    {
        var program = await _rig.BashAsync("sleep 1000 & echo started");
        Assert.That((await program.ExitAsync()).Code, Is.Zero);
        Assert.Multiple(() =>
        {
            Assert.That(program.Text, Is.EqualTo("started\n"));
            Assert.That(program.Process.HasDescendants, Is.True);
        });
    }

    [Test]
    public async Task Exited_BackgroundChildFloods_DoesNotWait()
    {
        var program = await _rig.BashAsync("yes & echo started");
        Assert.That((await program.ExitAsync()).Code, Is.Zero);
        Assert.That(program.Text, Does.Contain("started\n"));
    }

    [Test]
    public async Task HasDescendants_NothingLeft_IsFalse()
    {
        var program = await _rig.BashAsync("true & wait");
        await program.ExitAsync();
        Assert.That(program.Process.HasDescendants, Is.False);
    }

    [Test]
    public async Task Input_Written_IsReadAndEndsWithItsEnd()
    {
        var program = await _rig.BashAsync("cat; echo done");
        await program.TypeAsync("hello\n");
        await program.SeeAsync("hello\n");
        await program.Process.Input.CompleteAsync();
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo("hello\ndone\n"));
    }

    [Test]
    public async Task Input_4MiBToASlowReader_ArrivesWholeAndInOrder()
    {
        const int size = 4 * 1024 * 1024;
        var program = await _rig.PythonAsync("""
            import hashlib, sys
            print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())
            """);
        var bytes = new byte[size];
        new Random(1).NextBytes(bytes);
        await program.Process.Input.WriteAsync(bytes);
        await program.Process.Input.CompleteAsync();
        await program.ExitAsync();
        Assert.That(program.Text.TrimEnd(), Is.EqualTo(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes))));
    }

    [Test]
    public async Task Input_ProgramDoesNotRead_FlushWaitsAndStopDoesNot([Values] bool terminal)
    {
        var program = await _rig.BashAsync("echo ready; sleep 1000", terminal ? TerminalSize.Default : null);
        await program.SeeAsync("ready");
        program.Process.Input.Write(new byte[1024 * 1024].Select(_ => (byte)'\n').ToArray());
        var flush = program.Process.Input.FlushAsync();
        Assert.That(flush.IsCompleted, Is.False);
        await program.Process.DisposeAsync();
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(-15));
        Assert.That(async () => await flush, Throws.InstanceOf<IOException>());
    }

    [Test]
    public async Task Input_ClosedByTheProgram_FlushFails()
    {
        var program = await _rig.BashAsync("exec <&-; echo closed; sleep 1000");
        await program.SeeAsync("closed");
        Assert.That(
            async () =>
            {
                // The kernel tells the loop in its own time.
                while (true)
                    await program.TypeAsync("x");
            },
            Throws.InstanceOf<IOException>());
    }

    [Test]
    public async Task Output_NobodyTakesIt_ProgramCannotWriteOn()
    {
        // It counts what it could write until there was no room for a second, and says so where there is.
        var program = await _rig.PythonAsync(
            """
            import os, select
            count = 0
            while select.select([], [1], [], 1)[1]:
                count += os.write(1, b'x' * 4096)
            os.write(2, b'%d' % count)
            """,
            collect: false);
        var result = await program.Error.Reader.ReadAsync();
        var written = int.Parse(System.Text.Encoding.UTF8.GetString(result.Buffer.ToArray()));
        program.Error.Reader.AdvanceTo(result.Buffer.End);
        // The kernel's 64 KiB, and one turn that was under way when the sink was full.
        Assert.That(written, Is.LessThanOrEqualTo((64 + 64) * 1024));
        program.Collect();
        await program.ExitAsync();
        Assert.That(program.Text, Has.Length.EqualTo(written));
    }

    [Test]
    public async Task Signal_ToTheGroup_ReachesTheProgram()
    {
        var program = await _rig.BashAsync("trap 'echo usr1; exit 3' USR1; echo ready; while true; do sleep 0.01; done");
        await program.SeeAsync("ready");
        program.Process.Signal(10);
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(3));
        Assert.That(program.Text, Is.EqualTo("ready\nusr1\n"));
    }

    [Test]
    public async Task TryResize_WithoutTerminal_IsFalse()
    {
        var program = await _rig.BashAsync("true");
        Assert.That(program.Process.TryResize(new TerminalSize(1, 2)), Is.False);
    }
}
