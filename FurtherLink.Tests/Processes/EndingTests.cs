using System.Diagnostics;
using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Processes;

[SupportedOSPlatform("linux")]
public sealed class EndingTests
{
    private ProgramRig _rig = null!;

    [SetUp]
    public void SetUp() => _rig = new ProgramRig();

    [TearDown]
    public async Task TearDown() => await _rig.DisposeAsync();

    [TestCase("", -15, TestName = "Dispose_NoHandler_EndsByTerm")]
    [TestCase("trap '' TERM", -9, TestName = "Dispose_IgnoresTerm_EndsByKill")]
    [TestCase("trap 'exit 7' TERM", 7, TestName = "Dispose_HandlerInTime_ExitsWithItsCode")]
    [TestCase("trap 'read <> <(:); exit 7' TERM", -9, TestName = "Dispose_HandlerTooSlow_EndsByKill")]
    public async Task Dispose_Program_Ends(string prepare, int expected)
    {
        // What is in time must be so on a busy machine too.
        if (expected >= 0)
            _rig.Options.StopGrace = TimeSpan.FromSeconds(10);
        var program = await _rig.BashAsync(prepare + "\nexec 9<> <(:)\necho ready\nwhile true; do read -t 0.01 -u 9; done");
        await program.SeeAsync("ready");
        await program.Process.DisposeAsync();
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(expected));
    }

    [Test]
    public async Task Dispose_InteractiveShell_EndsByKill()
    {
        // An interactive shell ignores SIGTERM.
        _rig.User = _rig.User with { Shell = "/bin/bash" };
        var program = await _rig.StartAsync(new RunRequest("shell") { Terminal = TerminalSize.Default });
        await program.TypeAsync("echo re''ady\n");
        await program.SeeAsync("ready");
        await program.Process.DisposeAsync();
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(-9));
    }

    [Test]
    public async Task Dispose_StoppedProgram_HearsOfTerm()
    {
        var program = await _rig.BashAsync("trap 'exit 7' TERM; exec 9<> <(:); echo ready; kill -STOP $$; while true; do read -t 0.01 -u 9; done");
        await program.SeeAsync("ready");
        await WhenAsync(() => StateOf(program.Process.Id) == 'T');
        await program.Process.DisposeAsync();
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(7));
    }

    // Each prints the ids of what must be gone, and then "ready".
    private static readonly TestCaseData<string>[] Leftovers =
    [
        new("sleep 1000 & echo $!") { TestName = "Background" },
        new("(trap '' TERM; exec sleep 1000) & echo $!") { TestName = "IgnoresTerm" },
        new("set -m; sleep 1000 & echo $!") { TestName = "OwnGroup" },
        new("setsid sh -c 'echo $$; exec sleep 1000' &") { TestName = "OwnSession" },
        new("setsid sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' &") { TestName = "OwnSessionIgnoresTerm" },
        new("(setsid sh -c 'sleep 1000 & echo $!' &)") { TestName = "DoubleFork" },
        new("(env -i setsid sh -c '/bin/sleep 1000 & echo $!' &)") { TestName = "DoubleForkWithoutEnvironment" },
        new("sleep 1000 & echo $!; kill -STOP $!") { TestName = "Stopped" },
        new("setsid sh -c 'sleep 1000 & echo $!; kill -STOP $!; kill -STOP $$' & sleep 0.1") { TestName = "StoppedInOwnSession" },
        new("python3 -c 'import os,signal\nfor i in range(5):\n  if os.fork(): signal.pause()\n  os.setsid()\n  print(os.getpid(), flush=True)\nsignal.pause()' &")
            { TestName = "ChainOfSessions" },
    ];

    [TestCaseSource(nameof(Leftovers))]
    public async Task Dispose_RunningProgram_EndsItsTree(string script)
    {
        var program = await LeaveAsync(script + "\nwait; sleep 1000");
        await program.Process.DisposeAsync();
        AssertGone(program);
    }

    [TestCaseSource(nameof(Leftovers))]
    public async Task Dispose_EndedProgram_EndsWhatItLeftBehind(string script)
    {
        var program = await LeaveAsync(script + "\nread line");
        await program.Process.Input.CompleteAsync();
        await program.ExitAsync();
        Assert.That(program.Process.HasDescendants, Is.True);
        await program.Process.DisposeAsync();
        AssertGone(program);
        Assert.That(program.Process.HasDescendants, Is.False);
    }

    [TestCaseSource(nameof(Leftovers))]
    public async Task Dispose_OrphansNotAdopted_EndsTheTreeAllTheSame(string script)
    {
        // Looked for in all of /proc; to whom the kernel gives the orphans makes no difference to that.
        await _rig.DisposeAsync();
        _rig = new ProgramRig(options => options.AdoptOrphans = false);
        var program = await LeaveAsync(script + "\nread line");
        await program.Process.Input.CompleteAsync();
        await program.ExitAsync();
        await program.Process.DisposeAsync();
        AssertGone(program);
    }

    [Test]
    public async Task Dispose_Twice_IsOnceAndTheSame()
    {
        var program = await _rig.BashAsync("trap '' TERM; exec 9<> <(:); echo ready; while true; do read -t 0.01 -u 9; done");
        await program.SeeAsync("ready");
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(async () => await program.Process.DisposeAsync())));
        await program.Process.DisposeAsync();
        Assert.That(StateOf(program.Process.Id), Is.Null);
    }

    [Test]
    public async Task Dispose_SinkFull_Ends()
    {
        var program = await _rig.BashAsync("yes", collect: false);
        await WhenAsync(() => program.Out.Reader.TryRead(out var result) && Put(program, result) > 0);
        await program.Process.DisposeAsync();
        Assert.That((await program.Process.Exited).Code, Is.EqualTo(-15));
        program.Collect();
    }

    [Test]
    public async Task Exited_SinkFullAndNobodyStopsIt_WaitsForRoom()
    {
        // The first line fills the sink; the rest stays in the kernel while the program ends.
        var program = await _rig.BashAsync("echo first; read line; head -c 60000 /dev/zero | tr '\\0' x; echo end", collect: false);
        await WhenAsync(() => program.Out.Reader.TryRead(out var result) && Put(program, result) > 0);
        await program.TypeAsync("\n");
        await WhenAsync(() => StateOf(program.Process.Id) is null or 'Z');
        Assert.That(program.Process.Exited.IsCompleted, Is.False);
        program.Collect();
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo("first\n" + new string('x', 60000) + "end\n"));
    }

    [Test]
    public async Task Orphans_EndingByThemselves_AreReaped()
    {
        var program = await _rig.BashAsync("for i in $(seq 20); do (setsid sh -c 'echo $$' &); done; read line");
        await WhenAsync(() => program.Text.Count(c => c == '\n') == 20);
        await WhenAsync(() => Ids(program).All(id => StateOf(id) is null));
        Assert.That(program.Process.Exited.IsCompleted, Is.False);
    }

    [Test]
    public async Task OtherChildren_OfTheSameApplication_AreLeftAlone()
    {
        using var own = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "exec setsid sh -c 'read line; exit 9'"]) { RedirectStandardInput = true, UseShellExecute = false })!;
        var program = await LeaveAsync("(setsid sh -c 'sleep 1000 & echo $!' &)\nread line");
        await program.Process.DisposeAsync();
        Assert.That(own.HasExited, Is.False);
        own.StandardInput.Close();
        await own.WaitForExitAsync();
        Assert.That(own.ExitCode, Is.EqualTo(9));
    }

    [Test]
    public async Task Dispose_300WhichIgnoreTerm_EndTogether()
    {
        const int count = 300;
        var programs = await Task.WhenAll(Enumerable.Range(0, count)
            .Select(_ => _rig.BashAsync("trap '' TERM; (setsid sleep 1000 &); echo ready; read line")));
        await Task.WhenAll(programs.Select(program => program.SeeAsync("ready")));
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(programs.Select(program => program.Process.DisposeAsync().AsTask()));
        TestContext.Out.WriteLine($"stop of {count}: {watch.ElapsedMilliseconds} ms");
        Assert.That(programs.Select(program => program.Process.Exited.Result.Code), Is.All.EqualTo(-9));
        // One after the other they would need their graces alone 30 s.
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(15)));
    }

    [Test]
    public async Task StartAndStop_ManyTimes_LeavesNothingBehind()
    {
        var cycles = SoakSize.Of(shortForm: 200, longForm: 1000);
        await CycleAsync(0);
        var before = Census();
        for (var i = 1; i <= cycles; i++)
            await CycleAsync(i);
        await WhenAsync(() => Census().Threads <= before.Threads + 8);
        var after = Census();
        TestContext.Out.WriteLine($"{cycles} cycles: {before} before, {after} after");
        Assert.Multiple(() =>
        {
            Assert.That(after.Children, Is.EqualTo(before.Children));
            Assert.That(after.Descriptors, Is.EqualTo(before.Descriptors));
            Assert.That(after.Files, Is.EqualTo(before.Files));
        });
    }

    private async Task CycleAsync(int i)
    {
        var terminal = i % 2 == 0 ? TerminalSize.Default : (TerminalSize?)null;
        var program = (i % 4) switch
        {
            0 => await _rig.BashAsync("echo ready; read line", terminal),
            1 => await _rig.BashAsync("sleep 1000 & (setsid sleep 1000 &); echo ready", terminal),
            2 => await _rig.BashAsync("sleep 1000 & echo ready; sleep 1000", terminal),
            _ => await _rig.BashAsync("echo ready", terminal),
        };
        await program.SeeAsync("ready");
        await program.DisposeAsync();
    }

    private (int Children, int Descriptors, int Threads, int Files) Census() => (
        Directory.EnumerateDirectories("/proc/self/task").Sum(thread => File.ReadAllText(thread + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Length),
        // The runtime opens assemblies as it needs them.
        Directory.EnumerateFileSystemEntries("/proc/self/fd").Count(path => new FileInfo(path).LinkTarget is { } target && !target.EndsWith(".dll", StringComparison.Ordinal)),
        Directory.EnumerateDirectories("/proc/self/task").Count(),
        Directory.EnumerateFileSystemEntries(_rig.Temp).Count());

    private async Task<Program> LeaveAsync(string script)
    {
        var lines = script.Contains("range(5)", StringComparison.Ordinal) ? 5 : 1;
        var program = await _rig.BashAsync(script);
        await WhenAsync(() => program.Text.Count(c => c == '\n') == lines);
        return program;
    }

    private static List<int> Ids(Program program) => [.. program.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];

    private static void AssertGone(Program program) =>
        Assert.That(Ids(program).Append(program.Process.Id).Select(id => (id, StateOf(id))), Is.All.Matches<(int Id, char? State)>(p => p.State is null));

    private static long Put(Program program, System.IO.Pipelines.ReadResult result)
    {
        program.Out.Reader.AdvanceTo(result.Buffer.Start);
        return result.Buffer.Length;
    }

    private static char? StateOf(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            return text[text.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static async Task WhenAsync(Func<bool> condition)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed > TimeSpan.FromSeconds(60))
                Assert.Fail("It did not come to that within a minute.");
            await Task.Yield();
        }
    }
}
