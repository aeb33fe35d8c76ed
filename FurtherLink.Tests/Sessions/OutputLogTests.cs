using System.Text;
using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Sessions.Logs;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Sessions;

public sealed class OutputLogTests
{
    private LogBlockPool _pool = new();

    [SetUp]
    public void SetUp() => _pool = new LogBlockPool();

    private OutputLog NewLog(int capacity = 64 * 1024) => new(new LogOptions { Capacity = capacity, Pool = _pool });

    [Test]
    public void Reader_TwoStreams_GetsBothInOrderWithKindAndOffset()
    {
        using var log = NewLog();
        using var reader = log.Attach(new ReaderOptions());
        log.PutNow("out1"u8);
        log.PutNow("err"u8, OutputKind.Error);
        log.PutNow("out2"u8);
        log.Complete(LogTesting.Exit);

        var chunks = reader.ReadAll();

        Assert.That(
            chunks.Select(c => (c.Kind, c.Offset, c.Next, Encoding.UTF8.GetString(c.Data.Span), c.Exit)),
            Is.EqualTo(new (OutputKind, long, long, string, ExitStatus?)[]
            {
                (OutputKind.Out, 0, 4, "out1", null),
                (OutputKind.Error, 4, 7, "err", null),
                (OutputKind.Out, 7, 11, "out2", null),
                (OutputKind.Out, 11, 11, "", LogTesting.Exit),
            }));
    }

    [Test]
    public void Entry_GrowsAfterAReaderPassedIt_ReaderGoesOnInIt()
    {
        using var log = NewLog();
        using var reader = log.Attach(new ReaderOptions());
        log.PutNow("a"u8);
        Assert.That(reader.ReadAll().Of(), Is.EqualTo("a"u8.ToArray()));
        log.PutNow("b"u8);
        log.PutNow("c"u8);

        Assert.That(reader.ReadAll().Of(), Is.EqualTo("bc"u8.ToArray()));
        Assert.That(log.Entries.Next, Is.EqualTo(1));
    }

    [Test]
    public void Attach_AtTheEnd_GetsOnlyWhatComes()
    {
        using var log = NewLog();
        log.PutNow("before"u8);
        using var reader = log.Attach(new ReaderOptions { From = null });
        log.PutNow("after"u8);

        Assert.That(reader.ReadAll().Of(), Is.EqualTo("after"u8.ToArray()));
    }

    [Test]
    public void Attach_OutsideTheLog_IsClamped()
    {
        using var log = NewLog();
        log.PutNow("0123"u8);
        using var below = log.Attach(new ReaderOptions { From = -5 });
        using var above = log.Attach(new ReaderOptions { From = 99 });

        Assert.That((below.Position, above.Position), Is.EqualTo((0L, 4L)));
    }

    [Test]
    public void Flush_NobodyAttached_OverwritesTheOldestAndSaysHowMuch()
    {
        using var log = NewLog(4096);
        var data = LogTesting.Pattern(20_000);
        foreach (var part in data.Chunk(1000))
            log.PutNow(part);
        using var reader = log.Attach(new ReaderOptions { From = 100 });

        var chunks = reader.ReadAll();

        Assert.That(log.End, Is.EqualTo(20_000));
        Assert.That(log.Start, Is.InRange(20_000 - 4096, 20_000 - 3000));
        Assert.That(chunks[0].Missed, Is.EqualTo(log.Start - 100));
        Assert.That(chunks.Skip(1).Select(c => c.Missed), Is.All.Zero);
        Assert.That(chunks.Of(), Is.EqualTo(data[(int)log.Start..]));
    }

    [Test]
    public void Flush_LosslessReaderHoldsAll_WaitsUntilHalfIsFree()
    {
        using var log = NewLog(8192);
        using var reader = log.Attach(new ReaderOptions());
        var data = LogTesting.Pattern(9000);

        var flush = log.Put(data);
        Assert.That(flush.IsCompleted, Is.False);
        reader.ReadAll(release: false);
        reader.Release(4000);
        Assert.That(flush.IsCompleted, Is.False);
        reader.Release(5200);

        Assert.That(flush.IsCompleted, Is.True);
        Assert.That(flush.Result.IsCompleted, Is.False);
    }

    [Test]
    public void Release_AboveWhatWasRead_CountsWhatWasRead()
    {
        using var log = NewLog(4096);
        using var reader = log.Attach(new ReaderOptions());
        var flush = log.Put(LogTesting.Pattern(5000));
        reader.TryRead(10, out _);
        reader.Release(long.MaxValue);

        Assert.That(reader.Released, Is.EqualTo(10));
        Assert.That(flush.IsCompleted, Is.False);
        log.Complete(LogTesting.Exit);
        Assert.That(flush.Result.IsCompleted, Is.True);
    }

    [Test]
    public void Flush_OfNothingBehindTheRestOfABlock_DoesNotWaitForWhoHasReleased()
    {
        using var log = new OutputLog(new LogOptions { Capacity = 64 * 1024 });
        using var reader = log.Attach(new ReaderOptions());
        var writer = log.GetWriter(OutputKind.Out);
        for (var block = 0; block < 40; block++)
        {
            // A little is left, which no read is given: the next one begins a new block, and then finds nothing to read.
            writer.Advance(writer.GetMemory().Length - 10);
            reader.ReadAll();
            writer.GetMemory();
            Assert.That(writer.FlushAsync().AsTask().IsCompleted, Is.True, $"after block {block}");
        }
    }

    [Test]
    public void Flush_ParkedReader_WaitsUntilItIsDisposed()
    {
        using var log = NewLog(4096);
        var parked = log.Attach(new ReaderOptions { From = null });
        var flush = log.Put(LogTesting.Pattern(5000));
        Assert.That(flush.IsCompleted, Is.False);

        parked.Dispose();

        Assert.That(flush.IsCompleted, Is.True);
        log.PutNow(LogTesting.Pattern(5000));
    }

    [Test]
    public void Lossless_TurnedOff_LetsTheProgramGoOnAndReportsMissed()
    {
        using var log = NewLog(4096);
        using var reader = log.Attach(new ReaderOptions());
        var data = LogTesting.Pattern(13_000);
        var flush = log.Put(data.AsSpan(0, 5000));
        reader.TryRead(100, out _);
        reader.Lossless = false;
        Assert.That(flush.IsCompleted, Is.True);
        log.PutNow(data.AsSpan(5000));

        var chunks = reader.ReadAll();

        Assert.That(chunks[0].Missed, Is.EqualTo(log.Start - 100));
        Assert.That(chunks[0].Offset, Is.EqualTo(log.Start));
        Assert.That(chunks.Of(), Is.EqualTo(data[(int)log.Start..]));
    }

    [Test]
    public void Flush_WhileAnotherWaits_TakesTheBytesAndDoesNotWait()
    {
        using var log = NewLog(4096);
        using var reader = log.Attach(new ReaderOptions());
        var data = LogTesting.Pattern(9000);
        var first = log.Put(data.AsSpan(0, 5000));
        log.PutNow(data.AsSpan(5000));
        Assert.That(first.IsCompleted, Is.False);
        log.Complete(LogTesting.Exit);

        var chunks = reader.ReadAll();

        Assert.That(first.Result.IsCompleted, Is.True);
        Assert.That(chunks.Of(), Is.EqualTo(data));
        Assert.That(chunks[^1].Exit, Is.EqualTo(LogTesting.Exit));
    }

    [Test]
    public void Flush_AfterTheEnd_DropsAndSaysCompleted()
    {
        using var log = NewLog();
        log.Complete(LogTesting.Exit);
        var flush = log.Put("late"u8);

        Assert.That(flush.Result.IsCompleted, Is.True);
        Assert.That(log.End, Is.Zero);
    }

    [Test]
    public void Flush_Cancelled_ThrowsAndTheBytesStay()
    {
        using var log = NewLog(4096);
        using var reader = log.Attach(new ReaderOptions());
        using var cancel = new CancellationTokenSource();
        var writer = log.GetWriter(OutputKind.Out);
        writer.GetSpan(5000);
        writer.Advance(5000);
        Assert.That(writer.UnflushedBytes, Is.EqualTo(5000));
        var flush = writer.FlushAsync(cancel.Token).AsTask();

        cancel.Cancel();

        Assert.That(async () => await flush, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(log.End, Is.EqualTo(5000));
    }

    [Test]
    public void CancelPendingFlush_WaitingOrNot_EndsThatFlushOnly()
    {
        using var log = NewLog(4096);
        using var reader = log.Attach(new ReaderOptions());
        var writer = log.GetWriter(OutputKind.Out);
        writer.CancelPendingFlush();
        Assert.That(log.Put("a"u8).Result.IsCanceled, Is.True);
        var waiting = log.Put(LogTesting.Pattern(5000));
        writer.CancelPendingFlush();
        Assert.That(waiting.Result.IsCanceled, Is.True);

        Assert.That(log.Put("b"u8).IsCompleted, Is.False);
    }

    [Test]
    public void Writer_Completed_KeepsWhatWasNotFlushedAndTakesNoMore()
    {
        using var log = NewLog();
        using var reader = log.Attach(new ReaderOptions());
        var writer = log.GetWriter(OutputKind.Error);
        "rest"u8.CopyTo(writer.GetSpan());
        writer.Advance(4);
        writer.Complete();
        writer.Complete();

        Assert.That(reader.ReadAll().Of(OutputKind.Error), Is.EqualTo("rest"u8.ToArray()));
        Assert.That(() => writer.GetMemory(), Throws.InvalidOperationException);
    }

    [Test]
    public void Writer_WrongUse_Throws()
    {
        using var log = NewLog();
        var writer = log.GetWriter(OutputKind.Out);
        Assert.That(() => writer.Advance(1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        var room = writer.GetMemory().Length;
        Assert.That(() => writer.Advance(room + 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => writer.GetMemory(-1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => log.GetWriter((OutputKind)3), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Writer_SizeHintBeyondABlock_GetsOnePieceOfThatSize()
    {
        using var log = NewLog(1024 * 1024);
        using var reader = log.Attach(new ReaderOptions());
        var data = LogTesting.Pattern(200_000);
        var writer = log.GetWriter(OutputKind.Out);
        data.CopyTo(writer.GetSpan(data.Length));
        writer.Advance(data.Length);
        writer.Complete();

        Assert.That(reader.TryRead(data.Length, out var chunk), Is.True);
        Assert.That(chunk.Data.Span.SequenceEqual(data), Is.True);
    }

    [Test]
    public void Log_OfAProgramThatWaitsWithItsPrompt_HoldsLittle()
    {
        using var log = NewLog(1024 * 1024);
        var empty = log.RetainedBytes;
        log.PutNow(LogTesting.Pattern(1000));
        Assert.That(empty, Is.LessThan(128));
        Assert.That(log.RetainedBytes, Is.LessThan(1280));
        log.PutNow(LogTesting.Pattern(1000));
        Assert.That(log.RetainedBytes, Is.LessThan(6 * 1024));
    }

    [Test]
    public void Chunk_HeldWhileTheLogOverwritesIt_StaysAsItWas()
    {
        using var log = NewLog(4096);
        using var reader = log.Attach(new ReaderOptions { Lossless = false });
        var data = LogTesting.Pattern(4000);
        log.PutNow(data);
        Assert.That(reader.TryRead(4000, out var chunk), Is.True);
        for (var i = 0; i < 100; i++)
            log.PutNow(new byte[4000]);
        Assert.That(log.Start, Is.GreaterThan(chunk.Next));

        Assert.That(chunk.Data.Span.SequenceEqual(data), Is.True);
    }

    [Test]
    public void Chunk_HeldWhenItsReaderIsDisposed_IsNeverFilledAgain()
    {
        using var log = NewLog(4096);
        var reader = log.Attach(new ReaderOptions { Lossless = false });
        var data = LogTesting.Pattern(4000);
        log.PutNow(data);
        Assert.That(reader.TryRead(4000, out var chunk), Is.True);
        reader.Dispose();
        for (var i = 0; i < 100; i++)
            log.PutNow(new byte[4000]);

        Assert.That(chunk.Data.Span.SequenceEqual(data), Is.True);
    }

    [Test]
    public void TryRead_BelowOneByte_Throws()
    {
        using var log = NewLog();
        using var reader = log.Attach(new ReaderOptions());
        Assert.That(() => reader.TryRead(0, out _), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [TestCase(4096, 1)]
    [TestCase(4096, 5000)]
    [TestCase(1024 * 1024, 1)]
    [TestCase(1024 * 1024, 60)]
    [TestCase(1024 * 1024, 4096)]
    [TestCase(1024 * 1024, 65536)]
    public void RetainedBytes_EndlessOutputOfBothStreams_AreBounded(int capacity, int write)
    {
        using var log = NewLog(capacity);
        var data = LogTesting.Pattern(write);
        for (var i = 0; i < Math.Max(100, 8 * capacity / (write + OutputLog.EntryCost)); i++)
            log.PutNow(data, (OutputKind)(1 + (i & 1)));

        // Of each stream a block half overwritten, one that is being filled and what one flush brings; the table doubles.
        var block = capacity < 256 * 1024 ? 4096 : 65536;
        Assert.That(log.RetainedBytes, Is.LessThanOrEqualTo(2L * capacity + 4 * block + 2 * write));
        Assert.That(log.End - log.Start, Is.LessThanOrEqualTo(capacity));
    }

    [Test]
    public void Dispose_AfterTheLastReader_GivesAllBlocksBack()
    {
        var log = NewLog();
        var reader = log.Attach(new ReaderOptions());
        log.PutNow(LogTesting.Pattern(30_000));
        log.PutNow(LogTesting.Pattern(3000), OutputKind.Error);
        log.GetWriter(OutputKind.Out).Complete();
        log.GetWriter(OutputKind.Error).Complete();
        log.Complete(LogTesting.Exit);
        log.Dispose();
        Assert.That(_pool.Rented, Is.Positive);
        Assert.That(reader.ReadAll(release: false).Sum(c => c.Data.Length), Is.EqualTo(33_000));

        reader.Dispose();
        reader.Dispose();
        log.Dispose();

        Assert.That(_pool.Rented, Is.Zero);
        Assert.That(log.RetainedBytes, Is.EqualTo(log.Entries.Size));
        using var late = log.Attach(new ReaderOptions());
        Assert.That(late.ReadAll().Select(c => (c.Missed, c.Exit)), Is.EqualTo(new (long, ExitStatus?)[] { (33_000, LogTesting.Exit) }));
    }

    [Test]
    public void Dispose_WithoutComplete_EndsAsKilled()
    {
        var log = NewLog();
        using var reader = log.Attach(new ReaderOptions());
        log.Dispose();

        Assert.That(reader.ReadAll().Single().Exit?.Code, Is.EqualTo(-9));
    }

    [Test]
    public void Complete_Twice_CountsOnce()
    {
        using var log = NewLog();
        using var reader = log.Attach(new ReaderOptions());
        log.Complete(LogTesting.Exit);
        log.Complete(new ExitStatus(1));

        Assert.That(reader.ReadAll().Single().Exit, Is.EqualTo(LogTesting.Exit));
        Assert.That(reader.TryRead(10, out _), Is.False);
    }

    [Test]
    public void Chunk_HasTheTimeOfItsBytes_WhereTimed()
    {
        var time = new ManualTimeProvider();
        var begin = time.GetUtcNow().ToUnixTimeMilliseconds();
        using var log = new OutputLog(new LogOptions { Time = time });
        using var timed = log.Attach(new ReaderOptions { Timed = true });
        using var joined = log.Attach(new ReaderOptions());
        foreach (var letter in "abcd"u8.ToArray())
        {
            log.PutNow([letter]);
            time.Advance(TimeSpan.FromMilliseconds(6));
        }

        time.Advance(TimeSpan.FromMilliseconds(76));
        log.Complete(LogTesting.Exit);

        Assert.That(
            timed.ReadAll().Select(c => (Encoding.UTF8.GetString(c.Data.Span), c.Time - begin)),
            Is.EqualTo(new[] { ("ab", 0L), ("cd", 12L), ("", 100L) }));
        Assert.That(
            joined.ReadAll().Select(c => (Encoding.UTF8.GetString(c.Data.Span), c.Time - begin)),
            Is.EqualTo(new[] { ("abcd", 0L), ("", 100L) }));
    }

    [Test]
    public void Chunk_OfAMirror_HasTheTimeThatWasStated()
    {
        using var log = new OutputLog(new LogOptions { Start = 1000 });
        using var below = log.Attach(new ReaderOptions { From = 400, Timed = true });
        var writer = (LogWriter)log.GetWriter(OutputKind.Error);
        foreach (var at in new[] { 50_000L, 50_010, 7000 })
        {
            writer.Time = at;
            log.PutNow("x"u8, OutputKind.Error);
        }

        Assert.That((log.Start, log.End), Is.EqualTo((1000L, 1003L)));
        Assert.That(
            below.ReadAll().Select(c => (c.Offset, c.Missed, c.Time)),
            Is.EqualTo(new[] { (1000L, 600L, 50_000L), (1001, 0, 50_010), (1002, 0, 7000) }));
    }

    [Test]
    public void Options_OutsideOfWhatTheyMayBe_Throw()
    {
        Assert.That(() => new LogOptions { Start = -1 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ReaderOptions { WakeAfter = 0 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
    }
}
