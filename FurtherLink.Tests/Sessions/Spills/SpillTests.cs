using System.Diagnostics;
using System.Globalization;
using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Sessions.Logs;
using FurtherLink.Sessions.Spills;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace FurtherLink.Tests.Sessions.Spills;

internal sealed class SpillTests
{
    [Test]
    public async Task Attach_FromTheStart_GetsEverythingOfDiskAndMemory([Values] bool text, [Values] bool timed)
    {
        await using var fixture = new SpillFixture();
        var data = LogTesting.Pattern(40_000);
        await fixture.WriteAsync(data);
        Assert.That(fixture.Log.Start, Is.GreaterThan(30_000));
        fixture.Log.Complete(LogTesting.Exit);

        var chunks = await fixture.ReadAllAsync(new ReaderOptions { Text = text, Timed = timed });

        Assert.That(chunks.Of(), Is.EqualTo(data));
        Assert.That(chunks.Select(c => c.Missed), Is.All.Zero);
        Assert.That(chunks[^1].Exit, Is.EqualTo(LogTesting.Exit));
    }

    [Test]
    public async Task Attach_AtEveryOffset_GetsExactlyTheRest()
    {
        await using var fixture = new SpillFixture();
        var data = LogTesting.Pattern(12_000);
        await fixture.WriteAsync(data);
        fixture.Log.Complete(LogTesting.Exit);

        for (var from = 0; from <= data.Length; from += 37)
            Assert.That((await fixture.ReadAllAsync(new ReaderOptions { From = from })).Of(), Is.EqualTo(data[from..]));
    }

    [Test]
    public async Task Attach_FromTheStartOfMoreThanThereIsRoomFor_MissesTheOldestAndGetsTheRest()
    {
        await using var fixture = new SpillFixture(capacity: 32 * 1024, segmentSize: 4096);
        var data = LogTesting.Pattern(200_000);
        await fixture.WriteAsync(data);
        fixture.Log.Complete(LogTesting.Exit);
        await fixture.SettleAsync();

        var chunks = await fixture.ReadAllAsync();

        Assert.That(fixture.Size, Is.LessThanOrEqualTo(32 * 1024));
        Assert.That(chunks[0].Missed, Is.InRange(160_000, 180_000));
        Assert.That(chunks.Skip(1).Select(c => c.Missed), Is.All.Zero);
        Assert.That(chunks.Of(), Is.EqualTo(data[(int)chunks[0].Offset..]));
    }

    [Test]
    public async Task Spill_OutputRests_IsWrittenAfterASecond()
    {
        await using var fixture = new SpillFixture(logCapacity: 1024 * 1024);
        await fixture.WriteAsync("hello"u8.ToArray());
        fixture.Spill.Tick();
        Assert.That(fixture.Written, Is.Zero, "it may still go on");

        fixture.Spill.Tick();

        await Patience.UntilAsync(() => fixture.Written == 5, "it is on disk");
        Assert.That(Read(fixture.Path, 0).Of(), Is.EqualTo("hello"u8.ToArray()));
    }

    [Test]
    public async Task Spill_LogEnds_IsWrittenToTheEnd()
    {
        await using var fixture = new SpillFixture(logCapacity: 1024 * 1024);
        await fixture.WriteAsync("out"u8.ToArray());
        await fixture.WriteAsync("err"u8.ToArray(), OutputKind.Error);
        fixture.Log.Complete(LogTesting.Exit);

        await Patience.UntilAsync(() => fixture.Log.Start == fixture.Log.End, "all is on disk alone");
        var pieces = Read(fixture.Path, 0);
        Assert.That((pieces.Of(), pieces.Of(OutputKind.Error)), Is.EqualTo(("out"u8.ToArray(), "err"u8.ToArray())));
    }

    [Test]
    public async Task Spill_KeepsTimes()
    {
        await using var fixture = new SpillFixture();
        var begin = fixture.Time.GetUtcNow().ToUnixTimeMilliseconds();
        for (var i = 0; i < 30; i++)
        {
            await fixture.WriteAsync(LogTesting.Pattern(1000));
            fixture.Time.Advance(TimeSpan.FromMilliseconds(500));
        }

        fixture.Log.Complete(LogTesting.Exit);
        var chunks = await fixture.ReadAllAsync(new ReaderOptions { Timed = true });

        Assert.That(chunks.SkipLast(1).Select(c => c.Time - begin), Is.EqualTo(chunks.SkipLast(1).Select(c => c.Offset / 1000 * 500)));
    }

    [Test]
    public async Task Spill_OlderThanTheRetention_IsDeletedWhileTheProgramRuns()
    {
        await using var fixture = new SpillFixture(retention: TimeSpan.FromHours(1));
        var data = LogTesting.Pattern(40_000);
        await fixture.WriteAsync(data[..20_000]);
        await fixture.SettleAsync();
        fixture.Time.Advance(TimeSpan.FromMinutes(50));
        await fixture.WriteAsync(data[20_000..]);
        await fixture.SettleAsync();
        fixture.Time.Advance(TimeSpan.FromMinutes(20));
        fixture.Spill.Tick();
        await Patience.UntilAsync(() => SpillDirectory.Segments(fixture.Path)[0] > 10_000, "the oldest are gone");
        fixture.Log.Complete(LogTesting.Exit);
        var chunks = await fixture.ReadAllAsync();
        Assert.That(chunks[0].Missed, Is.InRange(10_000, 20_000), "of the segment that has both it keeps all");
        Assert.That(chunks.Of(), Is.EqualTo(data[(int)chunks[0].Missed..]));

        fixture.Time.Advance(TimeSpan.FromMinutes(50));
        fixture.Spill.Tick();
        await Patience.UntilAsync(() => SpillDirectory.Segments(fixture.Path).Count == 0, "all is gone");
    }

    [Test]
    public async Task Files_AreTheirOwnersAlone()
    {
        await using var fixture = new SpillFixture();
        await fixture.WriteAsync(LogTesting.Pattern(10_000));
        await fixture.SettleAsync();

        Assert.That(File.GetUnixFileMode(fixture.Path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        Assert.That(Directory.GetFiles(fixture.Path).Select(File.GetUnixFileMode), Is.All.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    public async Task Dispose_RemovesWhatIsOnDisk_AndAllIsMissed()
    {
        await using var fixture = new SpillFixture();
        await fixture.WriteAsync(LogTesting.Pattern(20_000));
        fixture.Log.Complete(LogTesting.Exit);
        using var reader = fixture.Log.Attach(new ReaderOptions());
        await fixture.Spill.DisposeAsync();

        Assert.That(Directory.Exists(fixture.Path), Is.False);
        Assert.That((await fixture.ReadAllAsync())[0].Missed, Is.EqualTo(fixture.Log.Start));
    }

    [Test]
    public async Task Read_TornAtEveryByte_EndsBeforeWhatIsTorn()
    {
        await using var fixture = new SpillFixture(logCapacity: 1024 * 1024);
        var ends = new List<long>();
        for (var i = 0; i < 4; i++)
        {
            await fixture.WriteAsync(LogTesting.Pattern(50, i));
            await fixture.SettleAsync();
            ends.Add(new FileInfo(SpillDirectory.File(fixture.Path, 0)).Length);
        }

        var file = await File.ReadAllBytesAsync(SpillDirectory.File(fixture.Path, 0));
        var copy = Directory.CreateDirectory(Path.Combine(fixture.Path, "copy")).FullName;
        for (var length = 0; length < file.Length; length++)
        {
            var whole = 50 * ends.Count(end => end <= length);
            await File.WriteAllBytesAsync(SpillDirectory.File(copy, 0), file[..length]);
            Assert.That(Read(copy, 0).Of(), Has.Length.EqualTo(whole), "cut off");
            // A power cut may leave zeros, or something older.
            await File.WriteAllBytesAsync(SpillDirectory.File(copy, 0), [.. file[..length], .. new byte[file.Length - length]]);
            Assert.That(Read(copy, 0).Of(), Has.Length.EqualTo(whole).Or.Length.EqualTo(whole + 50), "zeros");
            await File.WriteAllBytesAsync(SpillDirectory.File(copy, 0), [.. file[..length], (byte)(file[length] ^ 0x10), .. file[(length + 1)..]]);
            Assert.That(Read(copy, 0).Of(), Has.Length.EqualTo(whole), "one bit");
        }

        Directory.Delete(copy, recursive: true);
    }

    [Test]
    public async Task Read_WhileItIsWrittenByAnother_GoesOnWhereItEnded()
    {
        await using var fixture = new SpillFixture(logCapacity: 1024 * 1024);
        using var reader = new SpillReader(fixture.Path, NullLogger.Instance);
        var pieces = new ArchivePieces();
        reader.Read(0, pieces);
        Assert.That(pieces.Count, Is.Zero, "not even the directory is there");
        var data = LogTesting.Pattern(100_000);
        var at = 0;
        foreach (var part in data.Chunk(9000))
        {
            await fixture.WriteAsync(part);
            await fixture.SettleAsync();
            while (true)
            {
                pieces.Clear();
                reader.Read(at, pieces);
                if (pieces.Count == 0)
                    break;
                var last = pieces[pieces.Count - 1];
                if (pieces[0].Offset > at)
                    Assert.Fail("it is at " + pieces[0].Offset.ToString(CultureInfo.InvariantCulture));
                Assert.That(pieces.Bytes[pieces[0].Start..(last.Start + last.Length)], Is.EqualTo(data[at..(int)last.End]));
                at = (int)last.End;
            }

            Assert.That(at, Is.EqualTo(fixture.Log.End));
        }
    }

    [Test]
    public async Task Sweep_TakesWhatACrashHasLeftAndNothingElse()
    {
        await using var fixture = new SpillFixture();
        await fixture.WriteAsync(LogTesting.Pattern(10_000));
        await fixture.SettleAsync();
        var root = Path.GetDirectoryName(fixture.Path)!;
        using (var crashed = SpillDirectory.Create(Path.Combine(root, "crashed")))
            await crashed.CreateSegment(0).DisposeAsync();
        Directory.CreateDirectory(Path.Combine(root, "other"));
        await File.WriteAllTextAsync(Path.Combine(root, "other", "file"), "");

        Assert.That(SpillDirectory.Sweep(root), Is.EqualTo(1));
        Assert.That(Directory.GetDirectories(root).Select(Path.GetFileName), Is.EquivalentTo(new[] { "session", "other" }));
        Assert.That(SpillDirectory.Sweep(Path.Combine(root, "missing")), Is.Zero);
    }

    [Test]
    public async Task Sweep_WhileAnotherProcessWrites_LeavesItsFiles()
    {
        await using var fixture = new SpillFixture();
        var root = Path.GetDirectoryName(fixture.Path)!;
        var path = Path.Combine(root, "theirs");
        using (var directory = SpillDirectory.Create(path))
            await directory.CreateSegment(0).DisposeAsync();
        using (var other = Process.Start(new ProcessStartInfo("flock", [Path.Combine(path, "lock"), "sh", "-c", "echo locked; cat"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!)
        {
            Assert.That(await other.StandardOutput.ReadLineAsync().WaitAsync(Patience.Long), Is.EqualTo("locked"));
            Assert.That(SpillDirectory.Sweep(root), Is.Zero);
            other.StandardInput.Close();
            await other.WaitForExitAsync().WaitAsync(Patience.Long);
        }

        Assert.That(SpillDirectory.Sweep(root), Is.EqualTo(1));
    }

    private static List<OutputChunk> Read(string path, long from)
    {
        using var reader = new SpillReader(path, NullLogger.Instance);
        var chunks = new List<OutputChunk>();
        var pieces = new ArchivePieces();
        while (true)
        {
            pieces.Clear();
            reader.Read(from, pieces);
            if (pieces.Count == 0)
                return chunks;
            for (var i = 0; i < pieces.Count; i++)
            {
                var piece = pieces[i];
                chunks.Add(new OutputChunk(piece.Kind, piece.Offset, piece.End, pieces.Bytes.AsMemory(piece.Start, piece.Length).ToArray(), piece.Offset - from, null) { Time = piece.Time });
                from = piece.End;
            }
        }
    }
}
