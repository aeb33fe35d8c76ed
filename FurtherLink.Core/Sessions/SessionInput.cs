using System.Buffers;
using System.IO.Pipelines;
using FurtherLink.Messages;
using FurtherLink.Telemetry;

namespace FurtherLink.Sessions;

/// <summary>
/// What waits for a program's input: writes keep their order, wait at most the timeout for a program that does not read, and are
/// then taken back whole. Accepts writes before the program runs. Thread safe; nothing in it blocks.
/// </summary>
/// <param name="timeout">How long a write waits.</param>
/// <param name="time">The clock.</param>
/// <param name="taken">Called when the program has taken a numbered input, under a lock; null = nobody wants to know.</param>
/// <param name="put">Called with the bytes that are handed to the program, once and in their order, under a lock; null = nobody wants to know.</param>
/// <param name="metrics">Counts what is handed to the program; null = nobody does.</param>
internal sealed class SessionInput(
    TimeSpan timeout, TimeProvider time, Action<InputMark>? taken = null, Action<ReadOnlySequence<byte>>? put = null, LinkMetrics? metrics = null) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly InputLedger _ledger = new(taken ?? (_ => { }));
    private readonly LinkedList<Waiting> _waiting = new();
    private PipeWriter? _writer;
    private ITimer? _timer;
    // Before the program runs, writes wait as if for a flush.
    private bool _busy = true;
    private bool _ended;
    private bool _closed;
    private long _put;
    private long _taken;

    /// <summary>Writes, or waits for room; the bytes are taken or copied before it returns.</summary>
    /// <returns>Completes when it is within the input bound; of a numbered input when the program has taken it.</returns>
    /// <exception cref="LinkException">See <see cref="ISession.WriteAsync"/>.</exception>
    public ValueTask WriteAsync(in ReadOnlySequence<byte> data, InputOptions options)
    {
        var end = options.End;
        Waiting waiting;
        InputLedger.Pending? pending = null;
        lock (_lock)
        {
            if (options.Mark is { } known && _ledger.TryFind(known, out var earlier))
                return new ValueTask(earlier);
            if (_closed)
                return ValueTask.FromException(Closed());
            if (_ended)
                return ValueTask.FromException(new LinkException(FailureCode.InputClosed, "the input was ended by an earlier message"));
            if (options.Mark is { } mark)
                pending = _ledger.Accept(mark);
            _ended = end;
            if (!_busy)
            {
                Put(data, end, pending);
                if (IsLost && !end)
                    return ValueTask.FromException(Closed());
                return pending is null ? ValueTask.CompletedTask : new ValueTask(pending.Done.Task);
            }

            waiting = new Waiting(Copy(data), end, time.GetTimestamp(), pending);
            _waiting.AddLast(waiting);
            Arm();
        }

        return new ValueTask(pending is null ? waiting.Done.Task : pending.Done.Task);
    }

    /// <summary>The program has taken so many bytes of all that was ever written to it.</summary>
    public void OnTaken(long total)
    {
        lock (_lock)
        {
            _taken = total;
            _ledger.Take(total);
        }
    }

    /// <summary>The program runs: what has waited goes in.</summary>
    public void Open(PipeWriter writer)
    {
        lock (_lock)
        {
            _writer = writer;
            _busy = _closed;
            Continue();
        }
    }

    /// <summary>The program is gone: what waits fails.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            Close();
            _timer?.Dispose();
            _timer = null;
        }
    }

    // A program may take what it gets and end before the flush has come back.
    private bool IsLost => _closed && _taken < _put;

    private static byte[] Copy(in ReadOnlySequence<byte> data)
    {
        // All of it is written at once: clearing it first would cost as much again.
        var copy = GC.AllocateUninitializedArray<byte>((int)data.Length);
        data.CopyTo(copy);
        return copy;
    }

    private static LinkException Closed() => new(FailureCode.InputClosed, "the program has closed its input");

    private void Put(in ReadOnlySequence<byte> data, bool end, InputLedger.Pending? pending)
    {
        // Before the flush, which may tell what was taken on this very call.
        _put += data.Length;
        if (pending is not null)
            _ledger.Put(pending, _put);
        foreach (var part in data)
            _writer!.Write(part.Span);
        put?.Invoke(data);
        metrics?.Typed(data.Length);
        _ = FlushAsync(_writer!);
        if (end)
            _writer!.Complete();
        // Of an end without bytes nothing is told: it is taken with what lies before it.
        _ledger.Take(_taken);
    }

    /// <summary>Called under the lock; where the flush completes at once, so does this, under the same lock.</summary>
    private async Task FlushAsync(PipeWriter writer)
    {
        var waits = false;
        var open = false;
        try
        {
            var flush = writer.FlushAsync(CancellationToken.None);
            waits = _busy = !flush.IsCompleted;
            open = !(await flush.ConfigureAwait(false)).IsCompleted;
        }
        catch (IOException)
        {
            // The program has closed its input: an expected end, told to the writers below.
        }

        lock (_lock)
        {
            if (!open)
                Close();
            if (!waits)
                return;
            _busy = false;
            Continue();
        }
    }

    private void Continue()
    {
        while (!_busy && !_closed && _waiting.First is { } first)
        {
            _waiting.RemoveFirst();
            Put(new ReadOnlySequence<byte>(first.Value.Data), first.Value.End, first.Value.Pending);
            if (IsLost && !first.Value.End)
                first.Value.Done.TrySetException(Closed());
            else
                first.Value.Done.TrySetResult();
        }

        Arm();
    }

    private void Close()
    {
        _closed = true;
        foreach (var waiting in _waiting)
            waiting.Done.TrySetException(Closed());
        _waiting.Clear();
        _ledger.Close(Closed());
    }

    private void Arm()
    {
        // A program that is still being started cannot stall; its start has limits of its own.
        if (_waiting.First is not { } first || _writer is null)
            return;
        var left = timeout - time.GetElapsedTime(first.Value.Since);
        left = left < TimeSpan.Zero ? TimeSpan.Zero : left;
        _timer ??= time.CreateTimer(static state => ((SessionInput)state!).Expire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(left, Timeout.InfiniteTimeSpan);
    }

    private void Expire()
    {
        lock (_lock)
        {
            while (_waiting.First is { } first && time.GetElapsedTime(first.Value.Since) >= timeout)
            {
                _waiting.RemoveFirst();
                var stalled = new LinkException(
                    FailureCode.InputStalled, $"the program has not read its input for {timeout.TotalSeconds:0.###} s; nothing of this input was written");
                Refuse(first.Value, stalled);
                // What a client has numbered keeps its order: what came behind is sent again with it.
                if (first.Value.Pending is { Mark.ClientId: var clientId } pending)
                {
                    _ledger.TakeBack(pending, stalled);
                    foreach (var later in _waiting.Where(one => one.Pending?.Mark.ClientId == clientId).ToList())
                    {
                        _waiting.Remove(later);
                        Refuse(later, stalled);
                    }
                }
            }

            Arm();
        }
    }

    private void Refuse(Waiting waiting, LinkException why)
    {
        if (waiting.End)
            _ended = false;
        waiting.Done.TrySetException(why);
    }

    private sealed record Waiting(byte[] Data, bool End, long Since, InputLedger.Pending? Pending)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
