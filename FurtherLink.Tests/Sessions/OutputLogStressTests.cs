using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Security.Cryptography;
using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Sessions.Logs;

namespace FurtherLink.Tests.Sessions;

/// <summary>Real threads. A lost wake-up shows as a timeout, a torn block as a wrong byte or hash.</summary>
public sealed class OutputLogStressTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Test]
    public async Task Log_TwoStreamsAndReadersOfEveryKind_HashesAreEqual([Values(4096, 64 * 1024, 1024 * 1024)] int capacity)
    {
        const int bytes = 6 * 1024 * 1024;
        var seed = Random.Shared.Next();
        await TestContext.Out.WriteLineAsync($"seed {seed}");
        var pool = new LogBlockPool();
        using var log = new OutputLog(new LogOptions { Capacity = capacity, Pool = pool });
        Task<string>[] readers =
        [
            ReadAsync(log, text: false, 64 * 1024),
            ReadAsync(log, text: true, 5000),
            ReadByCallback(log, text: true, 64 * 1024, onPool: false),
            ReadByCallback(log, text: false, 1000, onPool: true),
        ];

        var expected = await Task.WhenAll(
            Task.Run(() => WriteAsync(log.GetWriter(OutputKind.Out), bytes, seed)),
            Task.Run(() => WriteAsync(log.GetWriter(OutputKind.Error), bytes, seed + 1))).WaitAsync(Patience);
        log.Complete(LogTesting.Exit);
        var got = await Task.WhenAll(readers).WaitAsync(Patience);

        Assert.That(got, Is.All.EqualTo(string.Join(' ', expected)));
        log.Dispose();
        Assert.That(pool.Rented, Is.Zero);
    }

    [Test]
    public async Task Log_ReadersThatComeGoAndLag_EveryByteIsThereOrMissed()
    {
        const long bytes = 24 * 1024 * 1024;
        var seed = Random.Shared.Next();
        await TestContext.Out.WriteLineAsync($"seed {seed}");
        using var log = new OutputLog(new LogOptions { Capacity = 32 * 1024 });
        var readers = Enumerable.Range(0, 4).Select(i => Task.Run(() => FollowAsync(log, seed + i))).ToArray();
        await Task.Run(async () =>
        {
            var random = new Random(seed);
            var writer = log.GetWriter(OutputKind.Out);
            for (long at = 0; at < bytes;)
            {
                var memory = writer.GetMemory();
                var count = (int)Math.Min(Math.Min(memory.Length, random.Next(1, 9000)), bytes - at);
                Numbers(memory.Span[..count], at);
                writer.Advance(count);
                at += count;
                await writer.FlushAsync();
            }

            await writer.CompleteAsync();
        }).WaitAsync(Patience);
        log.Complete(LogTesting.Exit);

        Assert.That((await Task.WhenAll(readers).WaitAsync(Patience)).Select(r => r.Reached), Is.All.EqualTo(bytes));
        Assert.That(log.Readers, Is.Empty);
    }

    [Test]
    public void Log_SteadyState_AllocatesNothing([Values] bool timed)
    {
        SynchronizationContext.SetSynchronizationContext(null); // NUnit's posts continuations
        using var log = new OutputLog(new LogOptions { Capacity = 64 * 1024 });
        long got = 0;
        using var reader = log.Attach(new ReaderOptions
        {
            Text = true,
            Timed = timed,
            OnOutput = static _ => { },
        });
        var writer = log.GetWriter(OutputKind.Out);
        var done = 0;
        Action onFlushed = () => done++;
        for (var i = 0; i < 2000; i++)
            Round();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20_000; i++)
            Round();

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(got + reader.ReadAll().Sum(c => c.Data.Length), Is.EqualTo(log.End));
        Assert.That(done, Is.GreaterThan(1000), "flushes that waited were among them");

        void Round()
        {
            writer.GetSpan(3000)[..3000].Fill((byte)'x');
            writer.Advance(3000);
            Take(writer.FlushAsync());
        }

        void Take(ValueTask<FlushResult> flush)
        {
            var awaiter = flush.GetAwaiter();
            if (awaiter.IsCompleted)
            {
                awaiter.GetResult();
                return;
            }

            awaiter.UnsafeOnCompleted(onFlushed);
            while (reader.TryRead(2500, out var chunk))
            {
                got += chunk.Data.Length;
                reader.Release(chunk.Next);
            }

            awaiter.GetResult();
        }
    }

    private static async Task<string> WriteAsync(PipeWriter writer, int bytes, int seed)
    {
        var random = new Random(seed);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var left = bytes; left > 0;)
        {
            var memory = writer.GetMemory(random.Next(8) == 0 ? random.Next(1, 3000) : 0);
            var count = Math.Min(Math.Min(memory.Length, left), random.Next(3) == 0 ? random.Next(1, 70_000) : random.Next(1, 200));
            random.NextBytes(memory.Span[..count]);
            hash.AppendData(memory.Span[..count]);
            writer.Advance(count);
            left -= count;
            await writer.FlushAsync();
        }

        await writer.CompleteAsync();
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static async Task<string> ReadAsync(OutputLog log, bool text, int maxBytes)
    {
        using var reader = log.Attach(new ReaderOptions { Text = text });
        using var hash = new Hashes();
        await Task.Yield();
        while (true)
        {
            var chunk = await reader.ReadAsync(maxBytes, CancellationToken.None);
            if (!hash.Add(chunk))
                return hash.ToString();
            reader.Release(chunk.Next);
        }
    }

    private static Task<string> ReadByCallback(OutputLog log, bool text, int maxBytes, bool onPool)
    {
        var done = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var hash = new Hashes();
        var reader = log.Attach(new ReaderOptions
        {
            Text = text,
            OnOutput = onPool ? r => ThreadPool.UnsafeQueueUserWorkItem(_ => Drain(r), null) : Drain,
        });
        Drain(reader);
        return done.Task;

        void Drain(OutputReader reader)
        {
            while (reader.TryRead(maxBytes, out var chunk))
            {
                if (hash.Add(chunk))
                {
                    reader.Release(chunk.Next);
                    continue;
                }

                reader.Dispose();
                done.SetResult(hash.ToString());
                hash.Dispose();
                return;
            }
        }
    }

    // Attaches again and again where it was, as it likes, and checks each byte against its offset.
    private static async Task<(long Reached, long Missed)> FollowAsync(OutputLog log, int seed)
    {
        var random = new Random(seed);
        long at = 0;
        long missed = 0;
        var expected = new byte[64 * 1024];
        while (true)
        {
            using var reader = log.Attach(new ReaderOptions { From = at, Lossless = random.Next(2) == 0 });
            for (var reads = random.Next(1, 400); reads > 0; reads--)
            {
                var before = at;
                var chunk = await reader.ReadAsync(random.Next(1, 8000), CancellationToken.None);
                Assert.That(chunk.Offset, Is.EqualTo(at + chunk.Missed));
                missed += chunk.Missed;
                at = chunk.Next;
                if (chunk.Exit is not null)
                    return (at, missed);
                Numbers(expected.AsSpan(0, chunk.Data.Length), chunk.Offset);
                if (random.Next(4) == 0)
                    await Task.Yield(); // the writer goes on while the piece is held
                Assert.That(chunk.Data.Span.SequenceEqual(expected.AsSpan(0, chunk.Data.Length)), Is.True);
                reader.Release(random.Next(3) == 0 ? before : at); // of what it has read it holds less than half a log
                if (random.Next(100) == 0)
                    reader.Lossless = !reader.Lossless;
            }
        }
    }

    // The bytes that stand at an offset: the numbers 0, 1, 2... of eight bytes each.
    private static void Numbers(Span<byte> data, long offset)
    {
        Span<byte> number = stackalloc byte[8];
        for (var i = 0; i < data.Length; i++)
        {
            if (i == 0 || ((offset + i) & 7) == 0)
                BinaryPrimitives.WriteInt64LittleEndian(number, (offset + i) >> 3);
            data[i] = number[(int)((offset + i) & 7)];
        }
    }

    private sealed class Hashes : IDisposable
    {
        private readonly IncrementalHash _out = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private readonly IncrementalHash _error = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private long _next;

        public bool Add(OutputChunk chunk)
        {
            if (chunk.Missed != 0 || chunk.Offset != _next)
                throw new InvalidOperationException($"A lossless reader got {chunk} at {_next}.");
            _next = chunk.Next;
            (chunk.Kind == OutputKind.Out ? _out : _error).AppendData(chunk.Data.Span);
            return chunk.Exit is null;
        }

        public override string ToString() =>
            $"{Convert.ToHexString(_out.GetCurrentHash())} {Convert.ToHexString(_error.GetCurrentHash())}";

        public void Dispose()
        {
            _out.Dispose();
            _error.Dispose();
        }
    }
}
