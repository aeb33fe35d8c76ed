using System.IO.Pipelines;
using System.Runtime.Versioning;
using System.Threading.Tasks.Sources;
using FurtherLink.Processes.Io;
using FurtherLink.Processes.Native;

namespace FurtherLink.Tests.Processes;

[SupportedOSPlatform("linux")]
public sealed class IoLoopTests
{
    private IoLoop _loop = null!;

    [SetUp]
    public void SetUp() => _loop = new IoLoop();

    [TearDown]
    public async Task TearDown() => await _loop.DisposeAsync();

    [Test]
    public async Task Post_FromManyThreads_EachGetsATurnAfterIt()
    {
        var (read, write) = Libc.Pipe(nonBlockingRead: true);
        using var _ = read;
        using var __ = write;
        _loop.Register(read, Libc.EpollIn, new Ignore(), out var _);
        var works = Enumerable.Range(0, 8).Select(_ => new CountedTurn()).ToArray();
        await Task.WhenAll(works.Select(work => Task.Run(async () =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                work.Wanted = i;
                _loop.Post(work);
                if (i % 100 == 0)
                    await work.SeenAsync(i);
            }

            await work.SeenAsync(9_999);
        })));
    }

    [Test]
    public async Task Output_ManyChunks_AllocatesNothing()
    {
        // Every tenth flush waits and is completed by another thread.
        var (read, write) = Libc.Pipe(nonBlockingRead: true);
        using var _ = read;
        using var __ = write;
        var sink = new SometimesFullWriter();
        var pump = new OutputPump(_loop, read, sink, terminal: false, () => { });
        _loop.Register(read, Libc.EpollIn, pump, out var _);
        var chunk = new byte[4096];
        for (var i = 0; i < 2000; i++)
        {
            Libc.Write(write, chunk);
            await sink.TakenAsync();
        }

        // None per chunk: the runtime itself may allocate once in a thousand chunks, for a lock that two threads wait for.
        Assert.That(sink.AllocatedLater, Is.LessThan(100));
    }

    [Test]
    public async Task Dispose_WithWhatIsRegistered_EndsTheThread()
    {
        var (read, write) = Libc.Pipe(nonBlockingRead: true);
        using var _ = read;
        using var __ = write;
        _loop.Register(read, Libc.EpollIn, new Ignore(), out var token);
        await _loop.DisposeAsync();
        _loop.Unregister(read, token);
        _loop.Post(new CountedTurn());
        await _loop.DisposeAsync();
        Assert.That(() => _loop.Register(read, Libc.EpollIn, new Ignore(), out var _), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public async Task Handler_Throws_OthersGoOn()
    {
        var (read, write) = Libc.Pipe(nonBlockingRead: true);
        using var _ = read;
        using var __ = write;
        _loop.Register(read, Libc.EpollIn, new Thrower(), out var _);
        Libc.Write(write, [1]);
        var work = new CountedTurn { Wanted = 1 };
        _loop.Post(work);
        await work.SeenAsync(1);
    }

    [Test]
    public async Task Register_OfWhatIsReadyAlready_TokenIsThereBeforeItsHandlerHears()
    {
        // A program that ends at once has what it printed unregistered before the thread that started it has come back.
        for (var i = 0; i < 2000; i++)
        {
            var (read, write) = Libc.Pipe(nonBlockingRead: true);
            using var _ = read;
            using var __ = write;
            var handler = new TokenReader();
            _loop.Register(write, Libc.EpollOut, handler, out handler.Token);
            Assert.That(await handler.SeenAsync(), Is.EqualTo(handler.Token));
        }
    }

    [Test]
    public async Task Change_ToWhatIsThereAlready_IsTold()
    {
        var (read, write) = Libc.Pipe(nonBlockingRead: true);
        using var _ = read;
        using var __ = write;
        var told = new Told();
        _loop.Register(write, 0, told, out var token);
        _loop.Change(write, Libc.EpollOut, token);
        Assert.That(await told.NextAsync() & Libc.EpollOut, Is.Not.Zero);
    }

    [Test]
    public void Change_OfWhatIsWatchedNoMore_DoesNothing()
    {
        var (read, write) = Libc.Pipe(nonBlockingRead: true);
        using var _ = read;
        using var __ = write;
        _loop.Register(write, Libc.EpollOut, new Ignore(), out var token);
        _loop.Unregister(write, token);
        Assert.That(() => _loop.Change(write, Libc.EpollOut, token), Throws.Nothing);
    }

    private sealed class TokenReader : IDescriptorHandler
    {
        private readonly TaskCompletionSource<long> _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public long Token;

        public Task<long> SeenAsync() => _seen.Task.WaitAsync(TimeSpan.FromSeconds(60));

        public void OnReady(uint events) => _seen.TrySetResult(Volatile.Read(ref Token));
    }

    private sealed class Told : IDescriptorHandler
    {
        private readonly TaskCompletionSource<uint> _events = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<uint> NextAsync() => _events.Task.WaitAsync(TimeSpan.FromSeconds(60));

        public void OnReady(uint events) => _events.TrySetResult(events);
    }

    private sealed class Ignore : IDescriptorHandler
    {
        public void OnReady(uint events)
        {
        }
    }

    private sealed class Thrower : IDescriptorHandler
    {
        public void OnReady(uint events) => throw new InvalidOperationException("a handler's fault");
    }

    /// <summary>Takes chunks and counts what the loop's thread allocates meanwhile.</summary>
    private sealed class SometimesFullWriter : PipeWriter, IValueTaskSource<FlushResult>
    {
        private readonly byte[] _memory = new byte[64 * 1024];
        private readonly SemaphoreSlim _taken = new(0);
        private ManualResetValueTaskSourceCore<FlushResult> _source;
        private long _allocatedAtReturn;
        private int _chunks;
        private bool _full;

        /// <summary>Bytes over the second thousand of chunks, outside this writer.</summary>
        public long AllocatedLater { get; private set; }

        public async Task TakenAsync()
        {
            Assert.That(await _taken.WaitAsync(TimeSpan.FromSeconds(60)), Is.True);
            if (!_full)
                return;
            _full = false;
            _source.SetResult(default);
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => _memory;

        public override Span<byte> GetSpan(int sizeHint = 0) => _memory;

        public override void Advance(int bytes)
        {
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            if (++_chunks > 1000)
                AllocatedLater += GC.GetAllocatedBytesForCurrentThread() - _allocatedAtReturn;
            var full = _full = _chunks % 10 == 0;
            if (full)
                _source.Reset();
            var result = full ? new ValueTask<FlushResult>(this, _source.Version) : default;
            _taken.Release();
            _allocatedAtReturn = GC.GetAllocatedBytesForCurrentThread();
            return result;
        }

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }

        FlushResult IValueTaskSource<FlushResult>.GetResult(short token) => _source.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _source.GetStatus(token);

        void IValueTaskSource<FlushResult>.OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _source.OnCompleted(continuation, state, token, flags);
    }
}
