using System.Buffers;
using System.Diagnostics.Metrics;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Holding;

/// <summary>What a device counts of sessions that the holder runs.</summary>
[TestFixture]
internal sealed class HeldMetricsTests
{
    private static readonly RunRequest Request = new("exec")
    {
        Code = "#!/bin/sh\necho ready\nread line\nexit 4",
        Session = new SessionOptions { WhenDetached = WhenDetached.Keep, Name = "held" },
    };

    [Test]
    public async Task Session_ThatIsHeld_IsCountedAsAnyOther()
    {
        await using var holder = await HolderInProcess.StartAsync();
        await using var device = holder.Connect();
        using var metrics = new MeterReader(device.Get<IMeterFactory>());
        var session = await device.Sessions.StartAsync(Request).WaitAsync(Patience.Long);
        await Patience.UntilAsync(() => metrics["furtherlink.output.bytes out"] == 6, "its output");
        Assert.That((metrics["furtherlink.sessions.started exec"], metrics["furtherlink.sessions.active exec"]), Is.EqualTo((1.0, 1.0)));
        await session.WriteAsync(new ReadOnlySequence<byte>("go\n"u8.ToArray()), default, CancellationToken.None);
        await session.Exited.WaitAsync(Patience.Long);
        Assert.Multiple(() =>
        {
            Assert.That(metrics["furtherlink.input.bytes"], Is.EqualTo(3));
            Assert.That(metrics["furtherlink.sessions.exited exec failure"], Is.EqualTo(1));
            Assert.That(metrics["furtherlink.sessions.active exec"], Is.Zero);
            Assert.That(metrics.Recorded("furtherlink.session.duration exec failure"), Has.Length.EqualTo(1));
        });
    }

    [Test]
    public async Task Session_TakenBack_IsActiveAndEndsOnce()
    {
        await using var holder = await HolderInProcess.StartAsync();
        await using (var first = holder.Connect())
        {
            await first.Sessions.StartAsync(Request).WaitAsync(Patience.Long);
            first.Sessions.LeavesHeld = true;
        }

        await using var device = holder.Connect();
        using var metrics = new MeterReader(device.Get<IMeterFactory>());
        await device.Sessions.RecoverAsync(CancellationToken.None).WaitAsync(Patience.Long);
        Assert.That((metrics["furtherlink.sessions.started exec"], metrics["furtherlink.sessions.active exec"]), Is.EqualTo((0.0, 1.0)));
        var session = device.Sessions.Find("held")!;
        await session.DisposeAsync();
        Assert.That(metrics["furtherlink.sessions.active exec"], Is.Zero);
        Assert.That(metrics["furtherlink.sessions.exited exec signal"], Is.EqualTo(1));
        await device.Sessions.RemoveAsync(session.Id);
        Assert.That(metrics["furtherlink.sessions.exited exec signal"], Is.EqualTo(1));
    }
}
