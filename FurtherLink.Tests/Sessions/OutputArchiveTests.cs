using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Sessions;

/// <summary>Readers at the border between a log's memory and its archive, one case at a time.</summary>
public sealed class OutputArchiveTests
{
    private readonly ManualTimeProvider _time = new();

    [Test]
    public async Task Reader_BelowTheMemory_IsFetchedForOffItsThreadAndToldWhenItIsThere()
    {
        var (log, _) = NewLog(new MemoryArchive());
        using (log)
        {
            var told = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
            using var reader = log.Attach(new ReaderOptions { OnOutput = _ => told.TrySetResult(Environment.CurrentManagedThreadId) });

            Assert.That(reader.TryRead(100, out _), Is.False);
            await told.Task.WaitAsync(Patience.Long);
            Assert.That(reader.TryRead(100, out var chunk), Is.True);
            Assert.That((chunk.Offset, chunk.Missed, chunk.Data.Length), Is.EqualTo((0L, 0L, 100)));
        }
    }

    [Test]
    public async Task Reader_BelowTheMemory_HoldsTheProgramOnlyUntilItReads()
    {
        var (log, archive) = NewLog(new MemoryArchive());
        using (log)
        {
            using var reader = log.Attach(new ReaderOptions());
            var start = log.Start;
            var flush = log.Put(LogTesting.Pattern(3000));
            Assert.That((flush.IsCompleted, log.Start), Is.EqualTo((false, start)), "one that is parked there holds what is in memory");

            await reader.ReadAsync(100, default).AsTask().WaitAsync(Patience.Long);
            Assert.That(flush.IsCompleted, Is.True);
            Assert.That(log.Start, Is.GreaterThan(start));
            Assert.That(archive.Count, Is.Positive);
        }
    }

    [Test]
    public async Task Reader_NotLosslessThatWasInMemory_MissesAndStaysNearTheEnd()
    {
        var (log, _) = NewLog(new MemoryArchive());
        using (log)
        {
            using var fromArchive = log.Attach(new ReaderOptions { Lossless = false });
            using var fromMemory = log.Attach(new ReaderOptions { Lossless = false, From = log.Start });
            fromMemory.TryRead(10, out _);
            log.PutNow(LogTesting.Pattern(4000));

            Assert.That((await fromArchive.ReadAsync(100, default).AsTask().WaitAsync(Patience.Long)).Missed, Is.Zero);
            Assert.That(fromMemory.TryRead(100, out var chunk), Is.True);
            Assert.That(chunk.Missed, Is.Positive);
        }
    }

    [Test]
    public async Task Archive_ThatIsWrittenElsewhere_IsAskedAgainForAWhile([Values] bool comes)
    {
        var archive = new MemoryArchive { MayFollow = true };
        using var log = new OutputLog(new LogOptions { Capacity = 4096, Time = _time, Archive = archive });
        log.PutNow(LogTesting.Pattern(8000));
        using var reader = log.Attach(new ReaderOptions());
        var read = reader.ReadAsync(100, default).AsTask();
        if (comes)
            archive.Add(new OutputChunk(OutputKind.Out, 0, 8000, LogTesting.Pattern(8000), 0, null));
        await Patience.UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(0.1));
            return read.IsCompleted;
        }, "it has come, or was given up");

        Assert.That((await read).Missed, Is.EqualTo(comes ? 0 : log.Start));
    }

    [Test]
    public async Task Dispose_WhileAStretchIsFetched_EndsTheWait()
    {
        var archive = new MemoryArchive { MayFollow = true };
        using var log = new OutputLog(new LogOptions { Capacity = 4096, Time = _time, Archive = archive });
        log.PutNow(LogTesting.Pattern(8000));
        var reader = log.Attach(new ReaderOptions());
        var read = reader.ReadAsync(100, default).AsTask();
        reader.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => read.WaitAsync(Patience.Long));
        await Patience.UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(0.1));
            return _time.ActiveTimers == 0;
        }, "nothing is asked for any more");
    }

    // With 6000 bytes of which the last are in memory, and all in the archive.
    private (OutputLog Log, MemoryArchive Archive) NewLog(MemoryArchive archive)
    {
        var log = new OutputLog(new LogOptions { Capacity = 4096, Time = _time, Archive = archive });
        var archiver = log.Attach(new ReaderOptions { Timed = true, MemoryOnly = true, OnOutput = Take });
        Take(archiver);
        for (var i = 0; i < 6; i++)
            log.PutNow(LogTesting.Pattern(1000, 1000 * i));
        return (log, archive);

        void Take(OutputReader reader)
        {
            while (reader.TryRead(4096, out var chunk) && chunk.Exit is null)
            {
                archive.Add(chunk);
                reader.Release(chunk.Next);
            }
        }
    }
}
