using FurtherLink.Messages;
using FurtherLink.Processes.ControlGroups;
using FurtherLink.Processes.Profiles;
using FurtherLink.Tests.Processes.ControlGroups;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Processes.Profiles;

public sealed class LimitWatchTests
{
    private const string Path = FakeGroupFiles.Mount + "/program";

    private readonly ManualTimeProvider _time = new();
    private readonly FakeGroupFiles _files = new FakeGroupFiles().With("", "").With("/program", "");
    private int _ended;

    [SetUp]
    public void SetUp() => _ended = 0;

    [Test]
    public void WallTime_Over_EndsOnceAndSaysSo()
    {
        using var watch = Start(new RunProfile { WallTime = TimeSpan.FromMinutes(10) });
        _time.Advance(TimeSpan.FromSeconds(599.9));
        Assert.That((_ended, watch.Reason), Is.EqualTo((0, (string?)null)));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.That((_ended, watch.Reason), Is.EqualTo((1, "over its time limit (600 s)")));
    }

    [Test]
    public void CpuTime_OfTheGroup_EndsOnceAndSaysSo()
    {
        using var watch = Start(new RunProfile { CpuTime = TimeSpan.FromSeconds(2) });
        _files[Path + "/cpu.stat"] = "usage_usec 1999999\n";
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.That(_ended, Is.Zero);
        _files[Path + "/cpu.stat"] = "usage_usec 2000000\n";
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.That((_ended, watch.Reason), Is.EqualTo((1, "over its limit of processor time (2 s)")));
    }

    [Test]
    public void Disposed_Watch_EndsNothing()
    {
        Start(new RunProfile { WallTime = TimeSpan.FromSeconds(1), CpuTime = TimeSpan.FromSeconds(1) }).Dispose();
        Assert.That(_time.ActiveTimers, Is.Zero);
    }

    [Test]
    public void NoLimits_SetNoTimers()
    {
        using var watch = Start(new RunProfile { Memory = 1 << 20 });
        Assert.That(_time.ActiveTimers, Is.Zero);
    }

    [TestCase(-24, 1.5, "over its limit of processor time (2 s)")]
    [TestCase(152, 1, "over its limit of processor time (1 s)")]
    [TestCase(-9, 1, null)]
    [TestCase(-24, 0, null)]
    public void Explain_CpuTimeSignal_IsTheLimits(int code, double seconds, string? reason)
    {
        var profile = new RunProfile { CpuTime = seconds > 0 ? TimeSpan.FromSeconds(seconds) : null };
        Assert.That(ExitReasons.Explain(new ExitStatus(code), profile, null, null).Reason, Is.EqualTo(reason));
    }

    private LimitWatch Start(RunProfile profile) => LimitWatch.Start(profile, new ControlGroup(_files, Path), _time, () => _ended++);
}
