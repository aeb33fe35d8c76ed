using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Sessions;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Peers;

internal sealed class GatheringTests
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(5);

    private readonly ManualTimeProvider _time = new();
    private OutputLog _log = null!;
    private Gathering _gathering = null!;
    private int _over;

    [SetUp]
    public void SetUp()
    {
        _over = 0;
        _log = new OutputLog(new LogOptions { Time = _time });
        _gathering = new Gathering(_log, new GatherOptions { StartTime = TimeSpan.Zero, Quiet = Quiet }, _time, () => _over++);
    }

    [TearDown]
    public void TearDown()
    {
        _gathering.Dispose();
        _log.Dispose();
    }

    [Test]
    public async Task Output_InPieces_IsHeldUntilItIsQuiet()
    {
        await PrintAsync(2);
        Assert.That(_gathering.MayRead(0), Is.False);
        _time.Advance(Quiet / 2);
        await PrintAsync(1);
        _time.Advance(Quiet / 2);
        Assert.That(_over, Is.Zero, "more came meanwhile");
        _time.Advance(Quiet);
        Assert.That(_over, Is.EqualTo(1));
        Assert.That(_gathering.MayRead(0), Is.True);
    }

    [Test]
    public async Task Output_WithoutPause_IsHeldFourTimesAsLongAtMost()
    {
        await PrintAsync(1);
        Assert.That(_gathering.MayRead(0), Is.False);
        for (var i = 0; i < 4; i++)
        {
            await PrintAsync(1);
            _time.Advance(Quiet);
        }

        Assert.That(_over, Is.EqualTo(1));
        Assert.That(_gathering.MayRead(0), Is.True);
    }

    [Test]
    public async Task Output_OfMuch_OrOfAnEndedProgram_IsNotHeld()
    {
        await PrintAsync(16 * 1024);
        Assert.That(_gathering.MayRead(0), Is.True);
        Assert.That(_gathering.MayRead(1), Is.False);
        _log.Complete(new ExitStatus(0));
        Assert.That(_gathering.MayRead(1), Is.True);
    }

    [Test]
    public async Task Output_AfterAllWasRead_IsHeldAnew()
    {
        await PrintAsync(1);
        Assert.That(_gathering.MayRead(0), Is.False);
        _time.Advance(Quiet);
        Assert.That(_gathering.MayRead(0), Is.True);
        _gathering.Begin();
        await PrintAsync(1);
        Assert.That(_gathering.MayRead(1), Is.False);
    }

    [Test]
    public async Task Output_OfAYoungProgram_IsHeldLonger_UntilItGetsInput()
    {
        _gathering.Dispose();
        using var young = new Gathering(_log, new GatherOptions { UntilInput = true }, _time, () => _over++);
        await PrintAsync(1);
        Assert.That(young.MayRead(0), Is.False);
        _time.Advance(TimeSpan.FromMilliseconds(29));
        Assert.That(_over, Is.Zero);
        young.OnInput();
        Assert.That(_over, Is.EqualTo(1));
        Assert.That(young.MayRead(0), Is.True);
        young.Begin();
        await PrintAsync(1);
        Assert.That(young.MayRead(1), Is.True, "what input causes is sent at once");
    }

    [Test]
    public async Task Output_OfAProgramNoLongerYoung_IsSentAtOnce()
    {
        _gathering.Dispose();
        using var young = new Gathering(_log, new GatherOptions(), _time, () => _over++);
        _time.Advance(TimeSpan.FromMilliseconds(100));
        await PrintAsync(1);
        Assert.That(young.MayRead(0), Is.True);
    }

    private async Task PrintAsync(int bytes) => await _log.GetWriter(OutputKind.Out).WriteAsync(new byte[bytes]);
}
