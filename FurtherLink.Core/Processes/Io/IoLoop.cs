using System.Runtime.Versioning;
using FurtherLink.Processes.Native;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FurtherLink.Processes.Io;

/// <summary>
/// One thread with every descriptor of every program: tells handlers what epoll tells, and runs what is posted. Nothing on it waits. Its
/// thread begins with the first registration.
/// </summary>
/// <param name="logger">Where faults of handlers go; null = nowhere.</param>
/// <param name="time">The clock; null = the system's.</param>
[SupportedOSPlatform("linux")]
internal sealed partial class IoLoop(ILogger<IoLoop>? logger = null, TimeProvider? time = null) : IAsyncDisposable, IDisposable
{
    private const int EventsAtOnce = 64;
    private const long WakeToken = 0;

    private readonly Lock _lock = new();
    private readonly Dictionary<long, IDescriptorHandler> _handlers = [];
    private readonly Queue<LoopWork> _turns = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ILogger _logger = logger ?? NullLogger<IoLoop>.Instance;
    private LoopWork? _posted;
    private Descriptor? _epoll;
    private Descriptor? _wake;
    private Thread? _thread;
    private long _lastToken = WakeToken;
    private bool _stopping;

    /// <summary>Whether it serves, or begins to with the first registration.</summary>
    public bool IsUsable => !Volatile.Read(ref _stopping) && !_ended.Task.IsCompleted;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; } = time ?? TimeProvider.System;

    /// <summary>Who is put off. The loop's thread alone.</summary>
    public Pacing Pacing { get; } = new(time ?? TimeProvider.System);

    /// <summary>Begins to watch a descriptor, edge-triggered: a handler hears of a change once and then acts until it would block.</summary>
    /// <param name="descriptor">The descriptor; not blocking.</param>
    /// <param name="events">What to hear of, beside errors and hang-ups.</param>
    /// <param name="handler">Who is told.</param>
    /// <param name="token">For <see cref="Unregister"/>; there before the handler hears anything, which may be before this returns.</param>
    public void Register(Descriptor descriptor, uint events, IDescriptorHandler handler, out long token)
    {
        lock (_lock)
        {
            Start();
            token = ++_lastToken;
            _handlers.Add(token, handler);
            try
            {
                Libc.EpollAdd(_epoll!, descriptor, events | Libc.EpollEdgeTriggered, token);
            }
            catch
            {
                _handlers.Remove(token);
                throw;
            }
        }
    }

    /// <summary>Watches a descriptor for other events from now on, and tells those of them that there are already.</summary>
    /// <param name="descriptor">The descriptor.</param>
    /// <param name="events">As in <see cref="Register"/>.</param>
    /// <param name="token">What that gave; nothing happens where it is watched no more.</param>
    public void Change(Descriptor descriptor, uint events, long token)
    {
        lock (_lock)
        {
            if (_handlers.ContainsKey(token) && !_epoll!.IsClosed)
                Libc.EpollChange(_epoll, descriptor, events | Libc.EpollEdgeTriggered, token);
        }
    }

    /// <summary>Stops watching a descriptor that is still open. What the kernel had reported before may be lost.</summary>
    public void Unregister(Descriptor descriptor, long token)
    {
        lock (_lock)
        {
            if (_handlers.Remove(token) && !_epoll!.IsClosed)
                Libc.EpollRemove(_epoll, descriptor);
        }
    }

    /// <summary>Gives something a turn on the loop. Any thread; never waits; posted twice before its turn it still gets one.</summary>
    public void Post(LoopWork work)
    {
        if (!work.TryPost())
            return;
        if (Thread.CurrentThread == _thread)
        {
            _turns.Enqueue(work);
            return;
        }

        LoopWork? first;
        do
        {
            first = Volatile.Read(ref _posted);
            work.Next = first;
        }
        while (Interlocked.CompareExchange(ref _posted, work, first) != first);
        // Who finds others waiting need not wake the loop: the first of them has.
        if (first is null)
            Wake();
    }

    /// <summary>Ends the thread and closes its descriptors. What was registered hears nothing more.</summary>
    public void Dispose()
    {
        Stop();
        _thread?.Join();
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        Stop();
        if (_thread is not null)
            await _ended.Task.ConfigureAwait(false);
    }

    private void Start()
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        if (_thread is not null)
            return;
        _epoll = Libc.EpollCreate();
        _wake = Libc.EventDescriptor();
        Libc.EpollAdd(_epoll, _wake, Libc.EpollIn, WakeToken);
        _thread = new Thread(Run) { IsBackground = true, Name = "FurtherLink I/O" };
        _thread.Start();
    }

    private void Stop()
    {
        lock (_lock)
        {
            if (_stopping)
                return;
            Volatile.Write(ref _stopping, true);
            if (_thread is not null)
                Wake();
        }
    }

    private void Wake()
    {
        ReadOnlySpan<byte> one = BitConverter.IsLittleEndian ? [1, 0, 0, 0, 0, 0, 0, 0] : [0, 0, 0, 0, 0, 0, 0, 1];
        try
        {
            _ = Libc.Write(_wake!, one);
        }
        catch (ObjectDisposedException)
        {
            // The loop has ended: what is posted to it is not wanted any more.
        }
    }

    private void Run()
    {
        var events = new byte[EventsAtOnce * Libc.EpollEventSize];
        try
        {
            while (!Volatile.Read(ref _stopping))
            {
                var count = Libc.EpollWait(_epoll!, events, WaitAtMost());
                for (var i = 0; i < count; i++)
                {
                    var (what, token) = Libc.EpollEvent(events, i);
                    if (token == WakeToken)
                        TakePosted();
                    else
                        Tell(token, what);
                }

                // One turn for everybody who waited at this moment, then the kernel again: a flood delays others by one turn of its own.
                for (var turns = _turns.Count; turns > 0; turns--)
                    TakeTurn(_turns.Dequeue());
                TakePaced();
            }
        }
        finally
        {
            lock (_lock)
            {
                _epoll!.Dispose();
                _wake!.Dispose();
            }

            _ended.TrySetResult();
        }
    }

    /// <summary>How long the kernel may be waited for, in its milliseconds.</summary>
    private int WaitAtMost()
    {
        if (_turns.Count > 0)
            return 0;
        return Pacing.Rest is { } rest ? (int)Math.Ceiling(Math.Max(0, rest.TotalMilliseconds)) : Timeout.Infinite;
    }

    private void TakeTurn(LoopWork work)
    {
        if (!Pacing.TryPutOff(work))
            RunOne(work);
    }

    private void TakePaced()
    {
        if (!Pacing.TryTake(_turns, out var work))
            return;
        var start = Time.GetTimestamp();
        RunOne(work);
        Pacing.TurnTook(start);
    }

    private void TakePosted()
    {
        Span<byte> count = stackalloc byte[sizeof(ulong)];
        _ = Libc.Read(_wake!, count);
        var newest = Interlocked.Exchange(ref _posted, null);
        LoopWork? oldest = null;
        while (newest is not null)
        {
            var next = newest.Next;
            newest.Next = oldest;
            oldest = newest;
            newest = next;
        }

        while (oldest is not null)
        {
            var next = oldest.Next;
            oldest.Next = null;
            _turns.Enqueue(oldest);
            oldest = next;
        }
    }

    private void Tell(long token, uint events)
    {
        IDescriptorHandler? handler;
        lock (_lock)
            _handlers.TryGetValue(token, out handler);
        try
        {
            handler?.OnReady(events);
        }
        catch (Exception e)
        {
            // One program's trouble must not end the thread that serves all of them.
            Log.HandlerFailed(_logger, e);
        }
    }

    private void RunOne(LoopWork work)
    {
        work.Take();
        try
        {
            work.Run();
        }
        catch (Exception e)
        {
            Log.HandlerFailed(_logger, e);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "A handler on the I/O loop failed")]
        public static partial void HandlerFailed(ILogger logger, Exception exception);
    }
}
