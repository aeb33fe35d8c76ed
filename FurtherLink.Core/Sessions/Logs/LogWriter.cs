using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using FurtherLink.Messages;

namespace FurtherLink.Sessions.Logs;

/// <summary>Writes one stream straight into a log's memory. Used by one thread at a time; allocates nothing once it is under way.</summary>
internal sealed class LogWriter : PipeWriter, IValueTaskSource<FlushResult>
{
    private readonly OutputLog _log;
    private readonly OutputKind _kind;
    private ManualResetValueTaskSourceCore<FlushResult> _source; // continuations run where room was made
    private CancellationTokenRegistration _registration;
    private LogBlock? _block;
    private int _written; // in the block: what the log knows of
    private int _advanced; // in the block: what the writer has filled
    private bool _completed;
    private bool _cancelNext;

    public LogWriter(OutputLog log, OutputKind kind)
    {
        _log = log;
        _kind = kind;
    }

    /// <summary>A flush waits for room. Guarded by the log's lock.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>
    /// The time of what is flushed from now on, in milliseconds since the Unix epoch: where it was taken elsewhere. Null, the default = the
    /// clock's. Flush before changing it.
    /// </summary>
    public long? Time { get; set; }

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => true;

    /// <inheritdoc/>
    public override long UnflushedBytes => _advanced - _written;

    // From a flush that waits until its awaiter has taken the result: the source serves one at a time.
    private bool _sourceInUse;

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        if (_completed)
            throw new InvalidOperationException("The writer has been completed.");
        // Without a hint the rest of a block is used down to a sixteenth: what is skipped counts as used.
        if (_block is null || _block.Bytes.Length - _advanced < (sizeHint > 0 ? sizeHint : _block.Bytes.Length / 16))
            NextBlock(sizeHint);
        return _block!.Bytes.AsMemory(_advanced);
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _block is null ? 0 : _block.Bytes.Length - _advanced);
        _advanced += bytes;
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var reader = default(OutputReader);
        FlushResult result;
        bool waits;
        lock (_log.Gate)
        {
            AppendLocked();
            result = new FlushResult(_cancelNext, _log.IsCompleted);
            waits = _log.IsFullLocked() && !result.IsCompleted && !result.IsCanceled && !_sourceInUse;
            _cancelNext = false;
            if (waits)
            {
                _source.Reset();
                _sourceInUse = IsWaiting = true;
                _log.Stall.StartLocked();
            }

            reader = _log.Waker.TakeLocked();
        }

        reader?.Wake();
        if (!waits)
            return ValueTask.FromResult(result);
        if (cancellationToken.CanBeCanceled)
            _registration = cancellationToken.UnsafeRegister(static (state, token) => ((LogWriter)state!).Abort(token), this);
        return new ValueTask<FlushResult>(this, _source.Version);
    }

    /// <inheritdoc/>
    public override void CancelPendingFlush()
    {
        lock (_log.Gate)
        {
            if (!TakeWaitingLocked())
            {
                _cancelNext = true;
                return;
            }
        }

        _source.SetResult(new FlushResult(isCanceled: true, isCompleted: false));
    }

    /// <summary>Ends the stream; what was not flushed is kept. The log goes on until <see cref="OutputLog.Complete"/>.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (_completed)
            return;
        _completed = true;
        var reader = default(OutputReader);
        lock (_log.Gate)
        {
            AppendLocked();
            if (_block is { } block)
                _log.DropLocked(block);
            _block = null;
            _written = _advanced = 0;
            reader = _log.Waker.TakeLocked();
        }

        reader?.Wake();
    }

    /// <summary>Takes the right to end the waiting flush by <see cref="EndFlush"/>, outside the lock.</summary>
    public bool TakeWaitingLocked()
    {
        var waited = IsWaiting;
        IsWaiting = false;
        if (waited)
            _log.Stall.StopLocked();
        return waited;
    }

    /// <summary>Lets the writer go on. Its continuation runs in this call.</summary>
    public void EndFlush() => _source.SetResult(new FlushResult(isCanceled: false, _log.IsCompleted));

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token)
    {
        _registration.Dispose();
        _registration = default;
        try
        {
            return _source.GetResult(token);
        }
        finally
        {
            _sourceInUse = false;
        }
    }

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void Abort(CancellationToken cancellationToken)
    {
        lock (_log.Gate)
        {
            if (!TakeWaitingLocked())
                return;
        }

        _source.SetException(new OperationCanceledException(cancellationToken));
    }

    private void NextBlock(int sizeHint)
    {
        lock (_log.Gate)
        {
            AppendLocked();
            var before = _block?.Bytes.Length ?? 0;
            if (_block is { } block)
            {
                _log.SkipLocked(block.Bytes.Length - _advanced);
                _log.DropLocked(block);
            }

            _block = _log.RentLocked(_kind, before, sizeHint);
            _written = _advanced = 0;
        }
    }

    private void AppendLocked()
    {
        if (_log.IsCompleted)
            _advanced = _written; // nobody will read it
        if (_advanced > _written)
            _log.AppendLocked(_block!, _written, _advanced - _written, Time);
        _written = _advanced;
    }
}
