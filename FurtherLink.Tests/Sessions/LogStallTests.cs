using FurtherLink.Sessions;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Sessions;

public sealed class LogStallTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private ManualTimeProvider _time = new();
    private List<OutputReader> _stalled = [];
    private OutputLog _log = new(new LogOptions());

    [SetUp]
    public void SetUp()
    {
        _time = new ManualTimeProvider();
        _stalled = [];
        _log = new OutputLog(new LogOptions { Capacity = 8192, StallTimeout = TimeSpan.FromSeconds(20), Time = _time });
    }

    [TearDown]
    public void TearDown() => _log.Dispose();

    [Test]
    public void Check_ReaderTakesNothing_IsToldOnceAfterTheTimeout()
    {
        using var dead = Attach();
        using var live = Attach();
        var flush = _log.Put(LogTesting.Pattern(9000));
        live.ReadAll();

        _time.Advance(TimeSpan.FromSeconds(19.9));
        Assert.That(_stalled, Is.Empty);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.That(_stalled, Is.EqualTo(new[] { dead }));
        _time.Advance(TimeSpan.FromSeconds(100));
        Assert.That(_stalled, Has.Count.EqualTo(1));
        Assert.That(flush.IsCompleted, Is.False);

        dead.Dispose();
        Assert.That(flush.IsCompleted, Is.True);
    }

    [Test]
    public void Check_ReaderStopsLater_IsToldAtMostAQuarterLate()
    {
        using var reader = Attach();
        var flush = _log.Put(LogTesting.Pattern(9000));
        _time.Advance(10 * Second);
        reader.TryRead(100, out var chunk);
        reader.Release(chunk.Next);

        _time.Advance(TimeSpan.FromSeconds(19.9));
        Assert.That(_stalled, Is.Empty);
        _time.Advance(TimeSpan.FromSeconds(5.1));
        Assert.That(_stalled, Is.EqualTo(new[] { reader }));
        Assert.That(flush.IsCompleted, Is.False);
    }

    [Test]
    public void Check_SlowReaderAlone_JustSlowsTheProgram()
    {
        using var slow = Attach();
        using var parked = _log.Attach(new ReaderOptions { Lossless = false });
        var flush = _log.Put(LogTesting.Pattern(9000));
        for (var i = 0; i < 40; i++)
        {
            slow.TryRead(50, out var chunk);
            slow.Release(chunk.Next);
            _time.Advance(Second);
        }

        Assert.That(_stalled, Is.Empty);
        Assert.That(slow.Lossless, Is.True);
        Assert.That(flush.IsCompleted, Is.False);
    }

    [Test]
    public void Check_ReaderTricklesWhileAnotherWaits_GoesOnWithoutLossless()
    {
        using var slow = Attach();
        using var fast = Attach();
        var flush = _log.Put(LogTesting.Pattern(9000));
        _time.Advance(3 * Second);
        fast.ReadAll();
        for (var i = 0; i < 19; i++)
            Trickle();
        Assert.That(slow.Lossless, Is.True, "the other waits for 19 s");
        for (var i = 0; i < 6; i++)
            Trickle();

        Assert.That(slow.Lossless, Is.False);
        Assert.That(fast.Lossless, Is.True);
        Assert.That(_stalled, Is.Empty);
        Assert.That(flush.IsCompleted, Is.True);
        for (var i = 0; i < 3; i++)
        {
            _log.PutNow(LogTesting.Pattern(4000));
            fast.ReadAll();
        }

        Assert.That(slow.ReadAll()[0].Missed, Is.Positive);

        void Trickle()
        {
            slow.TryRead(10, out var chunk);
            slow.Release(chunk.Next);
            _time.Advance(Second);
        }
    }

    [Test]
    public void Check_ParkedReader_WaitsForEver()
    {
        using var parked = _log.Attach(new ReaderOptions());
        var flush = _log.Put(LogTesting.Pattern(9000));
        _time.Advance(TimeSpan.FromDays(3));

        Assert.That(flush.IsCompleted, Is.False);
        Assert.That(parked.Lossless, Is.True);
    }

    [Test]
    public void Check_NoFlushWaits_NoTimerRuns()
    {
        using var reader = Attach();
        _log.PutNow(LogTesting.Pattern(1000));
        Assert.That(_time.ActiveTimers, Is.Zero);
        var flush = _log.Put(LogTesting.Pattern(9000));
        Assert.That(_time.ActiveTimers, Is.EqualTo(1));

        reader.ReadAll();

        Assert.That(flush.IsCompleted, Is.True);
        Assert.That(_time.ActiveTimers, Is.Zero);
        _time.Advance(100 * Second);
        Assert.That(_stalled, Is.Empty);
    }

    private OutputReader Attach() => _log.Attach(new ReaderOptions { OnStalled = _stalled.Add });
}
