using System.Globalization;
using FurtherLink.Client;
using FurtherLink.Host.Consoles;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host.Consoles;

[TestFixture]
internal sealed class TransferMeterTests
{
    private static readonly TransferProgress Half = new(512 * 1024, 1024 * 1024, 3, 7);

    [Test]
    public void Bar_HalfWay_ShowsBytesFilesAndSpeed() => Assert.That(
        TransferMeter.Bar(Half, TimeSpan.FromSeconds(2)),
        Is.EqualTo("[############............]  50%  512.0 KiB of 1.0 MiB, 3 of 7 files, 256.0 KiB/s"));

    [Test]
    public void Bar_OfNothing_IsEmpty() => Assert.That(
        TransferMeter.Bar(default, TimeSpan.Zero), Is.EqualTo("[........................]   0%  0 B of 0 B, 0 of 0 files, 0 B/s"));

    [TestCase(false, 2, "furtherlink: 50%  512.0 KiB of 1.0 MiB, 3 of 7 files, 256.0 KiB/s\nfurtherlink: 7 files, 1.0 MiB, 512.0 KiB/s\n")]
    [TestCase(true, 0.1, "\r\u001b[K[############............]  50%  512.0 KiB of 1.0 MiB, 3 of 7 files, 5.0 MiB/s\r\u001b[Kfurtherlink: 7 files, 1.0 MiB, 10.0 MiB/s\n")]
    public async Task Transfer_HalfDoneThenDone_IsShownAndSummedUp(bool isBar, double seconds, string shown)
    {
        await using var text = new StringWriter(CultureInfo.InvariantCulture);
        var notes = new Notes(text.WriteAsync, isQuiet: false);
        var time = new ManualTimeProvider();
        await using (var meter = new TransferMeter(notes, isBar, time))
        {
            meter.Report(Half);
            time.Advance(TimeSpan.FromSeconds(seconds));
            await Patience.UntilAsync(() => text.ToString().Contains("50%", StringComparison.Ordinal), "the first half");
            meter.Report(Half with { Bytes = Half.TotalBytes, Files = 7 });
            meter.Complete();
        }

        await notes.WrittenAsync();
        Assert.That(text.ToString(), Is.EqualTo(shown));
    }
}
