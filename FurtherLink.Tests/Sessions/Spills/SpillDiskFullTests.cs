using System.Diagnostics;
using FurtherLink.Sessions;
using FurtherLink.Sessions.Spills;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Sessions.Spills;

/// <summary>A real file system of 1 MiB.</summary>
internal sealed class SpillDiskFullTests
{
    private string _disk = null!;
    private bool _mounted;

    [SetUp]
    public void SetUp()
    {
        _disk = Directory.CreateTempSubdirectory("furtherlink-test-").FullName;
        _mounted = false;
        if (Mount("mount", "-t", "tmpfs", "-o", "size=1m", "none", _disk) is { } refusal)
            Assert.Ignore($"this machine does not let the tests mount a small disk: {refusal}");
        _mounted = true;
    }

    [TearDown]
    public void TearDown()
    {
        if (_mounted)
            Assert.That(Mount("umount", _disk), Is.Null);
        Directory.Delete(_disk);
    }

    [Test]
    public async Task Spill_DiskFull_SaysSoOnceAndTheProgramGoesOn()
    {
        await using var fixture = new SpillFixture(capacity: 8 * 1024 * 1024, segmentSize: 128 * 1024, logCapacity: 64 * 1024, root: _disk);
        var data = LogTesting.Pattern(3 * 1024 * 1024);
        await fixture.WriteAsync(data);
        fixture.Log.Complete(LogTesting.Exit);

        var chunks = await fixture.ReadAllAsync();

        Assert.That(fixture.Stopped, Has.Count.EqualTo(1));
        Assert.That(fixture.Stopped[0], Does.Contain("No space left").IgnoreCase);
        var hole = chunks.Single(c => c.Missed > 0);
        Assert.That(hole.Offset, Is.EqualTo(fixture.Log.Start));
        Assert.That(hole.Offset - hole.Missed, Is.InRange(600 * 1024, 1024 * 1024), "what is on disk stays readable up to there");
        Assert.That(chunks.Of(), Is.EqualTo(Without(data, hole)));
    }

    [Test]
    public async Task Spill_RoomAgain_GoesOnBehindAHole()
    {
        await using var fixture = new SpillFixture(capacity: 8 * 1024 * 1024, segmentSize: 128 * 1024, logCapacity: 64 * 1024, root: _disk);
        var ballast = Path.Combine(_disk, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[600 * 1024]);
        var data = LogTesting.Pattern(900 * 1024);
        await fixture.WriteAsync(data[..(700 * 1024)]);
        await Patience.UntilAsync(() => fixture.Stopped.Count == 1, "it has stopped");
        File.Delete(ballast);
        fixture.Time.Advance(TimeSpan.FromSeconds(61));
        fixture.Spill.Tick();
        await Patience.UntilAsync(() => fixture.Log.Readers.Count == 1, "it goes on");
        await fixture.WriteAsync(data[(700 * 1024)..]);
        fixture.Log.Complete(LogTesting.Exit);
        await fixture.SettleAsync();

        var chunks = await fixture.ReadAllAsync();

        Assert.That(fixture.Stopped, Has.Count.EqualTo(1));
        var hole = chunks.Single(c => c.Missed > 0);
        Assert.That(hole.Offset, Is.LessThan(700 * 1024).And.LessThan(fixture.Log.Start), "it has caught up from what was in memory");
        Assert.That(chunks.Of(), Is.EqualTo(Without(data, hole)));
        Assert.That(SpillDirectory.Segments(fixture.Path), Does.Contain(hole.Offset));
    }

    private static byte[] Without(byte[] data, OutputChunk hole) => [.. data[..(int)(hole.Offset - hole.Missed)], .. data[(int)hole.Offset..]];

    private static string? Mount(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : error.Trim();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return e.Message;
        }
    }
}
