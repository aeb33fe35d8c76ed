using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.Versioning;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Processes.Children;
using FurtherLink.Processes.ControlGroups;
using FurtherLink.Processes.Io;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Processes.Profiles;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Processes.ControlGroups;

/// <summary>Limited programs in control groups of the kernel's.</summary>
[SupportedOSPlatform("linux")]
public sealed class GroupedProgramTests
{
    private RunProfile _profile = null!;
    private UncountedGroupFiles _files = null!;
    private ProgramRig _rig = null!;

    [SetUp]
    public void SetUp()
    {
        _files = UncountedGroupFiles.Create();
        _profile = new RunProfile { Memory = 64 * 1024 * 1024, Processes = 200 };
        _rig = new ProgramRig(options => options.Profiles["*"] = _profile, _files);
    }

    [TearDown]
    public async Task TearDown()
    {
        if (_rig is not null)
            await _rig.DisposeAsync();
        if (_files is not null)
            await _files.DisposeAsync();
    }

    [Test]
    public async Task Start_Limited_IsInAGroupThatGoesWithIt([Values] bool otherUser, [Values] bool terminal)
    {
        if (otherUser)
            BecomeAnotherUser();
        var program = await _rig.BashAsync("cat /proc/self/cgroup; read line; exit 3", terminal ? TerminalSize.Default : null);
        await program.SeeAsync("furtherlink-program-");
        Assert.That(_files.Programs.Count(), Is.EqualTo(1));
        Assert.That((_files["memory.max"], _files["pids.max"]), Is.EqualTo(("67108864", "200")));
        await program.TypeAsync("\n");
        Assert.That(await program.ExitAsync(), Is.EqualTo(new ExitStatus(3)));
        await Patience.UntilAsync(() => !_files.Programs.Any(), "the group's removal");
    }

    [Test]
    public async Task Start_ShareOfTheProcessorsAlone_IsInAGroup()
    {
        (_profile.Memory, _profile.Processes, _profile.Cpus) = (null, null, 0.25);
        var program = await _rig.BashAsync("cat /proc/self/cgroup");
        await program.ExitAsync();
        Assert.That(program.Text, Does.Contain("furtherlink-program-"));
        Assert.That((_files["cpu.max"], _files["memory.max"]), Is.EqualTo(("25000 100000", (string?)null)));
    }

    [Test]
    public async Task Start_NothingToCount_GetsNoGroup()
    {
        (_profile.Memory, _profile.Processes, _profile.WallTime) = (null, null, TimeSpan.FromMinutes(5));
        _profile.OpenFiles = 100;
        var program = await _rig.BashAsync("cat /proc/self/cgroup");
        await program.ExitAsync();
        Assert.That(program.Text, Does.Not.Contain("furtherlink-program-"));
    }

    [Test]
    public async Task Start_Limited_NeedsNoLimitsOfEachProcess()
    {
        var program = await _rig.BashAsync("ulimit -v; ulimit -u");
        await program.ExitAsync();
        Assert.That(program.Text.Split('\n')[0], Is.EqualTo("unlimited"));
        Assert.That(program.Text.Split('\n')[1], Is.Not.EqualTo("200"));
    }

    [Test]
    public async Task Start_Environment_ArrivesAsItIs([Values] bool otherUser)
    {
        if (otherUser)
            BecomeAnotherUser();
        var variables = new Dictionary<string, string?>
        {
            ["a.b-c"] = "dotted",
            ["1st"] = "digit",
            ["PWD"] = "/elsewhere",
            ["SHELLOPTS"] = "xtrace",
            ["PS4"] = "$(echo heeded >&2)",
            ["BASH_ENV"] = "/dev/null",
            ["LD_LIBRARY_PATH"] = "/no where",
            ["PLAIN"] = "two words\nand lines",
            ["IFS"] = "x",
        };
        var program = await _rig.StartAsync(new RunRequest("exec") { Code = $"#!/usr/bin/python3\nimport os\nfor name in {Names(variables)}: print(name, repr(os.environ.get(name)))", Environment = variables });
        Assert.That((await program.ExitAsync()).Code, Is.Zero);
        Assert.That(program.Text.ReplaceLineEndings("\n").TrimEnd(), Is.EqualTo(string.Join('\n', variables.Select(static one => $"{one.Key} '{one.Value!.ReplaceLineEndings("\\n")}'"))));
        Assert.That(program.ErrorText, Is.Empty);
    }

    [Test]
    public async Task Dispose_WhatCarriesNoMarkAnyMore_EndsWithTheGroup()
    {
        var program = await _rig.BashAsync("(env -i /usr/bin/setsid /usr/bin/prlimit --locks=unlimited:unlimited sleep 1000 & echo $!)\nread line");
        await program.SeeAsync("\n");
        var stray = int.Parse(program.Text);
        await Patience.UntilAsync(() => FurtherLink.Processes.Native.Libc.GetMark(stray) is null or ulong.MaxValue, "a process without a mark");
        await program.Process.DisposeAsync();
        await Patience.UntilAsync(() => !Directory.Exists($"/proc/{stray}"), "its end");
        await Patience.UntilAsync(() => !_files.Programs.Any(), "the group's removal");
    }

    [Test]
    public async Task Dispose_ForkBomb_EndsAtOnce()
    {
        BecomeAnotherUser();

        // The test's groups count nothing: the system holds this one, by its user.
        var program = await _rig.BashAsync("ulimit -u 100; bomb() { bomb | bomb & }; echo ready; bomb 2>/dev/null; exec sleep 1000");
        await program.SeeAsync("ready");
        await Patience.UntilAsync(() => _files.Programs.Sum(static path => File.ReadLines(path + "/cgroup.procs").Count()) > 50, "the bomb");
        await program.Process.DisposeAsync();
        await Patience.UntilAsync(() => !_files.Programs.Any(), "the group's removal");
    }

    [TestCase("kill -KILL $$", "over its memory limit (64 MiB)")]
    [TestCase("exit 137", "over its memory limit (64 MiB)")]
    [TestCase("exit 1", "a process that it had started was over its memory limit (64 MiB)")]
    [TestCase("exit 0", null)]
    public async Task Exit_MemoryKills_AreSaid(string script, string? reason)
    {
        _files["memory.events"] = "low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\noom_group_kill 0\n";
        var program = await _rig.BashAsync(script);
        Assert.That((await program.ExitAsync()).Reason, Is.EqualTo(reason));
    }

    [Test]
    public async Task Exit_SlowToBeTold_IsSaidFromTheGroupAllTheSame()
    {
        _files["memory.events"] = "oom_kill 1\n";
        await using var loop = new IoLoop(null);
        await using var starter = new ChildStarter(loop, Microsoft.Extensions.Options.Options.Create(new LinkOptions()));
        using var group = new GroupTree(_files, Environment.ProcessId, static _ => null).TryMake(_profile)!;
        var cleaning = new TaskCompletionSource();
        using var mayGoOn = new ManualResetEventSlim();
        var spawn = new SpawnRequest { Program = "/bin/sh", Arguments = ["/bin/sh", "-c", "kill -KILL $$"], Environment = [], Directory = "/", User = UserAccount.Current };
        var output = new Pipe();
        var program = await starter.StartAsync(
            Confinement.Apply(spawn, _profile, new ConfinedPlaces("/tmp", [], []), group),
            new ChildOptions { SessionId = "slow", Out = output.Writer, Error = new Pipe().Writer, Profile = _profile, Group = group, Cleanup = Wait },
            CancellationToken.None);
        await using (program)
        {
            await cleaning.Task.WaitAsync(Patience.Long);

            // Whoever reaps orphans looks at all programs that have ended. He has done so for the first when he reaps the second.
            for (var round = 0; round < 2; round++)
                await LeaveOrphanAsync(starter);
            mayGoOn.Set();
            Assert.That((await program.Exited.WaitAsync(Patience.Long)).Reason, Is.EqualTo("over its memory limit (64 MiB)"));
        }

        await Patience.UntilAsync(() => !_files.Programs.Any(), "the group's removal");

        void Wait()
        {
            cleaning.SetResult();
            mayGoOn.Wait();
        }
    }

    [TestCase("exit 1", "it could start no more processes (limit 200)")]
    [TestCase("exit 0", null)]
    public async Task Exit_ProcessRefusals_AreSaid(string script, string? reason)
    {
        _files["pids.events"] = "max 3\n";
        var program = await _rig.BashAsync(script);
        Assert.That((await program.ExitAsync()).Reason, Is.EqualTo(reason));
    }

    [Test]
    public async Task Exit_NoLimitReached_SaysNothing()
    {
        (_files["memory.events"], _files["pids.events"]) = ("oom 0\noom_kill 0\n", "max 0\n");
        var program = await _rig.BashAsync("kill -KILL $$");
        Assert.That(await program.ExitAsync(), Is.EqualTo(new ExitStatus(-9)));
    }

    [Test]
    public async Task Start_ProgramThatIsNotThere_IsRefusedAndLeavesNoGroup()
    {
        Assert.That(
            async () => await _rig.StartAsync(new RunRequest("program") { Arguments = ["/no/such/program"], Path = _rig.Directory }),
            Throws.InstanceOf<LinkException>().With.Property(nameof(LinkException.Code)).EqualTo(FailureCode.ProgramNotFound));
        await Patience.UntilAsync(() => !_files.Programs.Any(), "the group's removal");
    }

    [Test]
    public async Task Sweep_GroupThatACrashHasLeft_IsKilledAndRemoved()
    {
        using var folder = new TemporaryFolder();
        using var dead = new Ledger(folder["ledger"]);
        using var next = new Ledger(folder["ledger"]);
        var tree = new GroupTree(_files, Environment.ProcessId, static _ => null, ledger: dead);
        var group = tree.TryMake(_profile)!;
        string[] words = [.. group.Enter(), "sleep", "1000"];
        using var process = System.Diagnostics.Process.Start(words[0], words.Skip(1));
        await Patience.UntilAsync(() => File.ReadAllText(group.Path + "/cgroup.procs").Length > 0, "a process in the group");
        dead.Dispose();
        Assert.That(await next.SweepAsync(), Is.EqualTo(1));
        Assert.That(Directory.Exists(group.Path), Is.False);
        await process.WaitForExitAsync();
        Assert.That(Directory.GetDirectories(folder["ledger"]), Is.Empty);
    }

    private static async Task LeaveOrphanAsync(ChildStarter starter)
    {
        var output = new Pipe();
        var spawn = new SpawnRequest { Program = "/bin/sh", Arguments = ["/bin/sh", "-c", "(exec setsid sleep 0.05 >/dev/null 2>&1) & echo $!"], Environment = ["PATH=/usr/bin:/bin"], Directory = "/", User = UserAccount.Current };
        var program = await starter.StartAsync(spawn, new ChildOptions { SessionId = "orphan", Out = output.Writer, Error = new Pipe().Writer }, CancellationToken.None);
        await program.Exited.WaitAsync(Patience.Long);
        var orphan = Encoding.ASCII.GetString((await output.Reader.ReadAtLeastAsync(2)).Buffer.ToArray()).Trim();
        await Patience.UntilAsync(() => !Directory.Exists($"/proc/{orphan}"), "the end of the orphan");
        await program.DisposeAsync();
    }

    private void BecomeAnotherUser()
    {
        if (UserAccount.Current.Uid != 0)
            Assert.Ignore($"Only root can run programs as another user, and the tests run as {Environment.UserName}.");
        _rig.User = UserAccount.TryFind("games")!;
    }

    private static string Names(Dictionary<string, string?> variables) => $"[{string.Join(", ", variables.Keys.Select(static name => $"'{name}'"))}]";
}
