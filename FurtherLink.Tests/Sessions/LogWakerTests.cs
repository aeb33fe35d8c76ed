using FurtherLink.Sessions;

namespace FurtherLink.Tests.Sessions;

public sealed class LogWakerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Test]
    public void OnOutput_OneReaderWaits_IsCalledOnceOnTheWritersThread()
    {
        using var log = new OutputLog(new LogOptions());
        var threads = new List<int>();
        using var reader = log.Attach(new ReaderOptions { OnOutput = _ => threads.Add(Environment.CurrentManagedThreadId) });
        log.PutNow("a"u8);
        Assert.That(threads, Is.Empty, "it has not asked yet");
        reader.ReadAll();

        log.PutNow("b"u8);
        log.PutNow("c"u8);
        log.PutNow(""u8);

        Assert.That(threads, Is.EqualTo(new[] { Environment.CurrentManagedThreadId }));
        reader.ReadAll();
        log.PutNow(""u8);
        Assert.That(threads, Has.Count.EqualTo(1), "an empty flush is not more");
        log.Complete(LogTesting.Exit);
        Assert.That(threads, Has.Count.EqualTo(2));
        reader.ReadAll();
        Assert.That(threads, Has.Count.EqualTo(2));
    }

    [Test]
    public void OnOutput_ReadsReleasesAndDisposes_WithinTheCall()
    {
        using var log = new OutputLog(new LogOptions { Capacity = 4096 });
        var got = 0;
        using var reader = log.Attach(new ReaderOptions
        {
            OnOutput = reader =>
            {
                got += reader.ReadAll().Sum(c => c.Data.Length);
                if (got >= 20_000)
                    reader.Dispose();
            },
        });
        reader.ReadAll();
        for (var i = 0; i < 6; i++)
            log.PutNow(LogTesting.Pattern(5000));

        Assert.That(got, Is.EqualTo(20_000));
    }

    [Test]
    public void OnOutput_DisposedReader_IsNotCalled()
    {
        using var log = new OutputLog(new LogOptions());
        var calls = 0;
        var reader = log.Attach(new ReaderOptions { OnOutput = _ => calls++ });
        reader.ReadAll();
        reader.Dispose();
        log.PutNow("a"u8);

        Assert.That(calls, Is.Zero);
        Assert.That(reader.TryRead(10, out _), Is.False);
        Assert.That(log.Waker.Waiting, Is.Zero);
    }

    [Test]
    public void OnOutput_SeveralReadersWait_AreServedInTurnOffTheWritersThread()
    {
        const int count = 8;
        const int rounds = 50;
        using var log = new OutputLog(new LogOptions());
        using var done = new CountdownEvent(count);
        var atOnce = 0;
        var most = 0;
        var own = 0;
        var writer = Environment.CurrentManagedThreadId;
        var readers = Enumerable.Range(0, count).Select(_ => log.Attach(new ReaderOptions
        {
            OnOutput = reader =>
            {
                most = Math.Max(most, Interlocked.Increment(ref atOnce));
                own += Environment.CurrentManagedThreadId == writer ? 1 : 0;
                var ended = reader.ReadAll().Any(c => c.Exit is not null);
                Interlocked.Decrement(ref atOnce);
                if (ended)
                    done.Signal();
            },
        })).ToList();
        readers.ForEach(r => r.ReadAll());

        // Without a stop between: after the first flush the work item serves, and the writer's thread none.
        lock (log.Gate)
        {
            for (var i = 0; i < rounds; i++)
                log.PutNow(LogTesting.Pattern(100));
            log.Complete(LogTesting.Exit);
        }

        Assert.That(done.Wait(Patience), Is.True);
        Assert.That((most, own), Is.EqualTo((1, 0)));
        readers.ForEach(r => r.Dispose());
    }

    [Test]
    public async Task ReadAsync_NothingThere_WaitsAndContinuesOffTheWritersThread()
    {
        using var log = new OutputLog(new LogOptions());
        using var reader = log.Attach(new ReaderOptions());
        for (var i = 0; i < 3; i++)
        {
            var read = reader.ReadAsync(10, default).AsTask();
            Assert.That(read.IsCompleted, Is.False);
            log.PutNow([(byte)i]);
            Assert.That((await read.WaitAsync(Patience)).Data.ToArray(), Is.EqualTo(new[] { (byte)i }));
        }

        log.Complete(LogTesting.Exit);
        Assert.That((await reader.ReadAsync(10, default)).Exit, Is.EqualTo(LogTesting.Exit));
        Assert.That(async () => await reader.ReadAsync(10, default), Throws.InvalidOperationException);
    }

    [Test]
    public async Task ReadAsync_Cancelled_LeavesEverythingAsItWas()
    {
        using var log = new OutputLog(new LogOptions());
        using var reader = log.Attach(new ReaderOptions());
        for (var i = 0; i < 3; i++)
        {
            using var cancel = new CancellationTokenSource();
            var read = reader.ReadAsync(10, cancel.Token).AsTask();
            await cancel.CancelAsync();
            Assert.That(async () => await read.WaitAsync(Patience), Throws.InstanceOf<OperationCanceledException>());
            Assert.That(log.Waker.Waiting, Is.Zero);
        }

        log.PutNow("a"u8);
        Assert.That((await reader.ReadAsync(10, default)).Offset, Is.Zero);
    }

    [Test]
    public void ReadAsync_DisposedWhileWaiting_Throws()
    {
        using var log = new OutputLog(new LogOptions());
        var reader = log.Attach(new ReaderOptions());
        var read = reader.ReadAsync(10, default).AsTask();
        reader.Dispose();

        Assert.That(async () => await read.WaitAsync(Patience), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void OnOutput_WakeAfter_IsCalledForSoMuchOrTheEnd()
    {
        using var log = new OutputLog(new LogOptions());
        var calls = 0;
        using var batches = log.Attach(new ReaderOptions { WakeAfter = 1000, OnOutput = _ => calls++ });
        batches.ReadAll();
        log.PutNow(LogTesting.Pattern(999));
        Assert.That(calls, Is.Zero);
        log.PutNow("a"u8);
        Assert.That(calls, Is.EqualTo(1));

        Assert.That(batches.ReadAll().Of(), Has.Length.EqualTo(1000));
        log.PutNow("b"u8);
        Assert.That(batches.ReadAll().Of(), Is.EqualTo("b"u8.ToArray()), "who reads unasked gets what there is");
        log.PutNow(LogTesting.Pattern(999));
        Assert.That(calls, Is.EqualTo(1));
        log.Complete(LogTesting.Exit);
        Assert.That(calls, Is.EqualTo(2));
    }

    [Test]
    public void OnOutput_WakeAfterMoreThanTheLogHolds_IsCalledWhenAProgramWaits()
    {
        using var log = new OutputLog(new LogOptions { Capacity = 4096 });
        using var batches = log.Attach(new ReaderOptions { WakeAfter = 1_000_000, OnOutput = reader => reader.ReadAll() });
        batches.ReadAll();
        for (var i = 0; i < 20; i++)
            Assert.That(log.Put(LogTesting.Pattern(3000)).IsCompleted, Is.True);

        Assert.That(batches.Position, Is.GreaterThan(50_000));
    }

    [Test]
    public void OnOutput_ReaderOfBatchesBeside_LeavesTheOtherToTheWritersThread()
    {
        using var log = new OutputLog(new LogOptions());
        var threads = new List<int>();
        using var batches = log.Attach(new ReaderOptions { WakeAfter = 1000 });
        using var reader = log.Attach(new ReaderOptions
        {
            OnOutput = reader =>
            {
                threads.Add(Environment.CurrentManagedThreadId);
                reader.ReadAll();
            },
        });
        batches.ReadAll();
        reader.ReadAll();
        for (var i = 0; i < 10; i++)
            log.PutNow("a"u8);

        Assert.That(threads, Is.EqualTo(Enumerable.Repeat(Environment.CurrentManagedThreadId, 10)));
    }
}
