using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Processes.ControlGroups;

/// <summary>Real programs against the kernel's own limits, where this machine has the controllers of version 2.</summary>
[Category(CountedGroup.Category)]
[SupportedOSPlatform("linux")]
public sealed class CountedGroupTests
{
    private CountedGroup? _group;
    private ProgramRig? _rig;
    private RunProfile _profile = null!;

    [SetUp]
    public void SetUp()
    {
        _group = CountedGroup.Create();
        _profile = new RunProfile();
        _rig = new ProgramRig(options => options.Profiles["exec"] = options.Profiles["python3"] = _profile, _group.Files());
        if (UserAccount.Current.Uid == 0)
            _rig.User = UserAccount.TryFind("games")!;
    }

    [TearDown]
    public async Task TearDown()
    {
        if (_rig is not null)
            await _rig.DisposeAsync();
        if (_group is not null)
            await _group.DisposeAsync();
        (_rig, _group) = (null, null);
    }

    [Test]
    public async Task Memory_OverTheLimit_EndsTheProgramAndIsSaid()
    {
        _profile.Memory = 64 * 1024 * 1024;
        var program = await _rig!.PythonAsync("held = [bytearray(b'x' * (1 << 20)) for _ in range(400)]");
        var status = await program.ExitAsync();
        Assert.That((status.Signal, status.Reason), Is.EqualTo((9, "over its memory limit (64 MiB)")));
        await AssertNoGroupsAsync();
    }

    [Test]
    public async Task Memory_OfAllTogether_IsWhatCounts()
    {
        _profile.Memory = 64 * 1024 * 1024;
        var program = await _rig!.PythonAsync(
            """
            import os, sys, time
            for _ in range(4):
                if os.fork() == 0:
                    held = bytearray(b'x' * (30 << 20))
                    time.sleep(1000)
            sys.exit(os.waitstatus_to_exitcode(os.wait()[1]) and 1)
            """);
        var status = await program.ExitAsync();
        Assert.That(status.Reason, Is.EqualTo("over its memory limit (64 MiB)").Or.EqualTo("a process that it had started was over its memory limit (64 MiB)"));
    }

    [Test]
    public async Task Processes_OverTheLimit_CannotBeStartedAndThatIsSaid()
    {
        _profile.Processes = 10;
        var program = await _rig!.PythonAsync(
            """
            import os, time
            while os.fork(): pass
            time.sleep(1000)
            """);
        Assert.That(await program.ExitAsync(), Is.EqualTo(new ExitStatus(1) { Reason = "it could start no more processes (limit 10)" }));
        Assert.That(program.ErrorText, Does.Contain("BlockingIOError"));
    }

    [Test]
    public async Task Processes_OfAForkBomb_AreBoundedAndOthersDoNotNotice()
    {
        _profile.Processes = 30;
        var beside = await _rig!.StartAsync(new RunRequest("exec") { Code = "#!/bin/sh\nwhile read line; do (echo $line); done" });
        var program = await _rig.BashAsync("bomb() { bomb | bomb & }; bomb; exec sleep 1000");
        await program.SeeAsync("fork");
        Assert.That(_group!.Programs.Max(static path => File.ReadLines(path + "/cgroup.procs").Count()), Is.LessThanOrEqualTo(30));
        for (var i = 0; i < 3; i++)
        {
            await beside.TypeAsync($"{i}\n");
            await beside.SeeAsync($"{i}\n");
        }

        await program.Process.DisposeAsync();
        Assert.That(program.Process.HasDescendants, Is.False);
        await Patience.UntilAsync(() => _group.Programs.Count() == 1, "the removal of its group, and of no other");
        await beside.TypeAsync("still\n");
        await beside.SeeAsync("still");
    }

    [Test]
    public async Task Cpus_OverTheShare_HaveToWait()
    {
        _profile.Cpus = 0.1;

        // It works for as long as the kernel lets it: without a limit, for ever.
        var program = await _rig!.BashAsync($"while ! grep -q 'nr_throttled [1-9]' {_group!.Path}/furtherlink-program-*/cpu.stat; do :; done; cat {_group.Path}/furtherlink-program-*/cpu.max");
        Assert.That(await program.ExitAsync(), Is.EqualTo(new ExitStatus(0)));
        Assert.That(program.Text, Is.EqualTo("10000 100000\n"));
    }

    [Test]
    public async Task CpuTime_OfAllTogether_IsWhatCounts()
    {
        _profile.CpuTime = TimeSpan.FromSeconds(1);
        var program = await _rig!.BashAsync("while :; do bash -c 'for ((i = 0; i < 20000; i++)); do :; done'; done");
        Assert.That((await program.ExitAsync()).Reason, Is.EqualTo("over its limit of processor time (1 s)"));
        await AssertNoGroupsAsync();
    }

    private Task AssertNoGroupsAsync() => Patience.UntilAsync(() => !_group!.Programs.Any(), "the group's removal");
}
