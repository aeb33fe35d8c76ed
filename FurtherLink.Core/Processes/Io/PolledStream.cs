using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes.Io;

/// <summary>
/// One direction of a descriptor that others share, as a stream: it is left blocking, since that is a matter of all who share it, and a thread of the
/// stream's own waits for it by poll(2). One operation at a time, asynchronous ones only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class PolledStream : Stream
{
    // pipe(7): poll says that a pipe has room where PIPE_BUF bytes fit, so that writing them does not wait.
    private const int MaxWrite = 4096;

    private readonly Lock _lock = new();
    private readonly bool _writes;
    private readonly Descriptor _descriptor;
    private readonly Descriptor _interrupt = Libc.EventDescriptor();
    private readonly SemaphoreSlim _work = new(0);
    private TaskCompletionSource<int>? _done;
    private Memory<byte> _buffer;
    private CancellationToken _token;
    private Thread? _thread;
    private bool _disposed;

    /// <summary>Opens it beside the descriptor, which stays as it is.</summary>
    public PolledStream(int number, bool writes)
    {
        _writes = writes;
        _descriptor = Libc.Duplicate(number);
    }

    /// <inheritdoc/>
    public override bool CanRead => !_writes;

    /// <inheritdoc/>
    public override bool CanWrite => _writes;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _writes ? throw new NotSupportedException() : await RunAsync(buffer, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_writes)
            throw new NotSupportedException();
        if (!buffer.IsEmpty)
            await RunAsync(MemoryMarshal.AsMemory(buffer), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Flush()
    {
        // Nothing is held back.
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
        }

        if (_thread is null)
        {
            Release();
        }
        else
        {
            Interrupt();
            _work.Release();
        }
        base.Dispose(disposing);
    }

    private async Task<int> RunAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var done = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_done is { Task.IsCompleted: false })
                throw new InvalidOperationException("One read or write at a time.");
            (_done, _buffer, _token) = (done, buffer, cancellationToken);
            if (_thread is null)
            {
                _thread = new Thread(Run) { IsBackground = true, Name = _writes ? "FurtherLink output" : "FurtherLink input" };
                _thread.Start();
            }
        }

        _work.Release();
        using (cancellationToken.UnsafeRegister(static stream => ((PolledStream)stream!).Interrupt(), this))
            return await done.Task.ConfigureAwait(false);
    }

    private void Run()
    {
        while (true)
        {
            _work.Wait();
            if (_done is { Task.IsCompleted: false } done)
                Finish(done);
            if (!Volatile.Read(ref _disposed))
                continue;
            Release();
            return;
        }
    }

    private void Finish(TaskCompletionSource<int> done)
    {
        try
        {
            done.SetResult(Move());
        }
        catch (OperationCanceledException)
        {
            done.SetCanceled(_token);
        }
        catch (Exception e)
        {
            done.SetException(e);
        }
    }

    private int Move()
    {
        var moved = 0;
        while (true)
        {
            if (!Libc.Poll(_descriptor, _writes, _interrupt))
            {
                Heed();
                continue;
            }

            var some = _writes ? WriteSome(_buffer.Span[moved..]) : _buffer.IsEmpty ? 0 : Libc.Read(_descriptor, _buffer.Span);
            if (some == Libc.WouldBlock)
                continue;
            moved += some;
            if (!_writes || moved == _buffer.Length)
                return moved;
        }
    }

    private void Heed()
    {
        // It may have been meant for an operation before this one.
        Span<byte> count = stackalloc byte[sizeof(ulong)];
        _ = Libc.Read(_interrupt, count);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed), this);
        _token.ThrowIfCancellationRequested();
    }

    private int WriteSome(ReadOnlySpan<byte> bytes)
    {
        var count = Libc.Write(_descriptor, bytes[..Math.Min(bytes.Length, MaxWrite)]);
        return count != Libc.OtherEndClosed ? count : throw new IOException("nobody reads it any more", Libc.BrokenPipe);
    }

    private void Interrupt()
    {
        try
        {
            _ = Libc.Write(_interrupt, BitConverter.GetBytes(1UL));
        }
        catch (ObjectDisposedException)
        {
            // It has ended already.
        }
    }

    private void Release()
    {
        _descriptor.Dispose();
        _interrupt.Dispose();
        _work.Dispose();
    }
}
