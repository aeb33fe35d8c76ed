using System.Diagnostics;
using System.Runtime.Versioning;
using FurtherLink.Processes.ControlGroups;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Processes.ControlGroups;

/// <summary>The kernel's own groups, in one that the test makes.</summary>
[SupportedOSPlatform("linux")]
public sealed class KernelGroupTests
{
    private readonly GroupFiles _files = new();
    private ControlGroup _group = null!;

    [SetUp]
    public void SetUp()
    {
        var own = OwnGroup.Find(_files);
        if (own is null)
            Assert.Ignore("this system shows no control groups of version 2");
        var path = $"{own}/fl-test-{Guid.NewGuid():N}";
        if (_files.Make(path) is { } refused)
            Assert.Ignore($"no group can be made in {own} by uid {Environment.UserName}: {refused}");
        _group = new ControlGroup(_files, path);
    }

    [TearDown]
    public void TearDown()
    {
        if (_group is null)
            return;
        _group.Kill();
        SpinWait.SpinUntil(_group.TryRemove, Patience.Long);
        _group.Dispose();
    }

    [Test]
    public async Task Enter_Program_IsInTheGroupFromItsFirstMoment()
    {
        var (process, text) = Start("cat /proc/self/cgroup; echo \"$0 $1\"", "one two", "three");
        using var _ = process;
        Assert.That((await text).Split('\n'), Has.Some.EndsWith("/" + Path.GetFileName(_group.Path)).And.Some.EqualTo("one two three"));
    }

    [Test]
    public async Task Enter_GroupIsGone_RunsNothing()
    {
        Assert.That(_group.TryRemove());
        var (process, text) = Start("echo ran");
        using var _ = process;
        Assert.That(await text, Is.Empty);
        Assert.That(process.ExitCode, Is.EqualTo(125));
    }

    [Test]
    public async Task Kill_ThoseThatDoNotHeedAnything_LeavesTheGroupEmpty()
    {
        if (_files.Read(_group.Path + "/cgroup.kill") is null && !File.Exists(_group.Path + "/cgroup.kill"))
            Assert.Ignore("this kernel is older than Linux 5.14 and kills no groups");
        var (process, text) = Start("trap '' TERM; (trap '' TERM; setsid sh -c 'trap \"\" TERM; while :; do sleep 1000; done' &) ; while :; do sleep 1000; done");
        using var _ = process;
        await Patience.UntilAsync(() => (_files.Read(_group.Path + "/cgroup.procs") ?? "").Split('\n').Length > 4, "four processes in the group");
        Assert.That(_group.TryRemove(), Is.False);
        _group.Kill();
        await text;
        await Patience.UntilAsync(_group.TryRemove, "the group's removal");
        Assert.That(Directory.Exists(_group.Path), Is.False);
    }

    [Test]
    public async Task CpuTime_OfThoseThatHaveEnded_Counts()
    {
        var (process, text) = Start("(i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done)");
        using var _ = process;
        await text;
        Assert.That(_group.CpuTime, Is.GreaterThan(TimeSpan.Zero));
    }

    private (Process Process, Task<string> Text) Start(params string[] script)
    {
        string[] words = [.. _group.Enter(), "/bin/sh", "-c", .. script];
        var process = Process.Start(new ProcessStartInfo(words[0], words.Skip(1)) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        return (process, ReadAsync(process));
    }

    private static async Task<string> ReadAsync(Process process)
    {
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return text;
    }
}
