using System.Buffers;
using System.IO.Pipelines;
using FurtherLink.Messages;

namespace FurtherLink.Sessions;

/// <summary>
/// What waits for a program's input: writes keep their order, wait at most the timeout for a program that does not read, and are
/// then taken back whole. Accepts writes before the program runs. Thread safe; nothing in it blocks.
/// </summary>
/// <param name="timeout">How long a write waits.</param>
/// <param name="time">The clock.</param>
internal sealed class SessionInput(TimeSpan timeout, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiting> _waiting = new();
    private PipeWriter? _writer;
    private ITimer? _timer;
    // Before the program runs, writes wait as if for a flush.
    private bool _busy = true;
    private bool _ended;
    private bool _closed;

    /// <summary>Writes, or waits for room; the bytes are taken or copied before it returns.</summary>
    /// <exception cref="LinkException">See <see cref="ISession.WriteAsync"/>.</exception>
    public ValueTask WriteAsync(in ReadOnlySequence<byte> data, bool end)
    {
        Waiting waiting;
        lock (_lock)
        {
            if (_closed)
                return ValueTask.FromException(Closed());
            if (_ended)
                return ValueTask.FromException(new LinkException(FailureCode.InputClosed, "the input was ended by an earlier message"));
            _ended = end;
            if (!_busy)
            {
                Put(data, end);
                return _closed && !end ? ValueTask.FromException(Closed()) : ValueTask.CompletedTask;
            }

            waiting = new Waiting(data.ToArray(), end, time.GetTimestamp());
            _waiting.AddLast(waiting);
            Arm();
        }

        return new ValueTask(waiting.Done.Task);
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

    private static LinkException Closed() => new(FailureCode.InputClosed, "the program has closed its input");

    private void Put(in ReadOnlySequence<byte> data, bool end)
    {
        foreach (var part in data)
            _writer!.Write(part.Span);
        _ = FlushAsync(_writer!);
        if (end)
            _writer!.Complete();
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
            Put(new ReadOnlySequence<byte>(first.Value.Data), first.Value.End);
            if (_closed && !first.Value.End)
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
                if (first.Value.End)
                    _ended = false;
                first.Value.Done.TrySetException(new LinkException(
                    FailureCode.InputStalled, $"the program has not read its input for {timeout.TotalSeconds:0.###} s; nothing of this input was written"));
            }

            Arm();
        }
    }

    private sealed record Waiting(byte[] Data, bool End, long Since)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
