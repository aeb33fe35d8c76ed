using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.Features;

namespace FurtherLink.Transports.WebSockets.KeepAlive;

/// <summary>
/// The bytes under a WebSocket, with pings put between its frames while nothing comes from the client: each write is one whole frame. Read and
/// written by one WebSocket.
/// </summary>
/// <param name="inner">The connection.</param>
/// <param name="lifetime">Cuts it.</param>
/// <param name="patrol">Looks at it from time to time.</param>
internal sealed class KeptStream(Stream inner, IHttpRequestLifetimeFeature lifetime, KeepAlivePatrol patrol) : Stream
{
    private const int OpcodeBits = 0x0F;
    private const int CloseOpcode = 8;

    // FIN and opcode 9, without contents.
    private static readonly byte[] Ping = [0x89, 0];

    // One writes at a time. A frame that waits because the client takes nothing keeps pings waiting, too.
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Lock _end = new();
    private long _heard = patrol.Time.GetTimestamp();
    private long _asked;
    private bool _isReading;
    private bool _isAsked;
    private volatile bool _isOwed;
    private volatile bool _isOver;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Sends a ping if nothing has come for a while, and cuts the connection if nothing has come after one.</summary>
    /// <param name="now">The time.</param>
    /// <param name="interval">After how long without a sign of life it pings.</param>
    /// <param name="timeout">How long the answer may take.</param>
    public void Look(long now, TimeSpan interval, TimeSpan timeout)
    {
        lock (_end)
        {
            // After a goodbye others see to it that it ends.
            if (_isOver)
                return;
            if (_isAsked)
            {
                if (patrol.Time.GetElapsedTime(_asked, now) < timeout)
                    return;
                _isOver = true;
                lifetime.Abort();
            }
            else if (patrol.Time.GetElapsedTime(_heard, now) >= interval)
            {
                // While nobody listens to the client its answer cannot be heard.
                _isAsked = _isReading;
                _isOwed = true;
                _asked = _heard = now;
            }
        }

        PayPing();
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = inner.ReadAsync(buffer, cancellationToken);
        if (read.IsCompletedSuccessfully)
            return await read.ConfigureAwait(false);
        Listen(isReading: true);
        try
        {
            return await read.ConfigureAwait(false);
        }
        finally
        {
            Listen(isReading: false);
        }
    }

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length > 0 && (buffer.Span[0] & OpcodeBits) == CloseOpcode)
            _isOver = true;
        if (!TryTakeTurn())
            return WriteInTurnAsync(buffer, cancellationToken);
        ValueTask write;
        try
        {
            write = inner.WriteAsync(buffer, cancellationToken);
        }
        catch
        {
            EndTurn();
            throw;
        }

        if (!write.IsCompletedSuccessfully)
            return EndTurnAfterAsync(write);
        Take(write);
        EndTurn();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Flush() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            lock (_end)
                _isOver = true;
            patrol.Remove(this);
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Listen(bool isReading)
    {
        // One that is about to be asked, or cut, has just been heard: a plain write would come too late for it.
        lock (_end)
        {
            _isReading = isReading;
            _isAsked = _isOwed = false;
            _heard = patrol.Time.GetTimestamp();
        }
    }

    private bool TryTakeTurn() => _turn.Wait(0, CancellationToken.None);

#pragma warning disable VSTHRD002 // It has completed: taking the result gives its source back to the connection.
    private static void Take(ValueTask completed) => completed.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002

    private void PayPing()
    {
        while (_isOwed && !_isOver && TryTakeTurn())
        {
            _isOwed = false;
            ValueTask write;
            try
            {
                write = inner.WriteAsync(Ping, CancellationToken.None);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
            {
                // It has ended, and who reads sees it.
                _turn.Release();
                return;
            }

            if (!write.IsCompletedSuccessfully)
            {
                _ = EndPingAsync(write);
                return;
            }

            Take(write);
            _turn.Release();
        }
    }

    private async Task EndPingAsync(ValueTask write)
    {
        try
        {
            await write.ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            // It has ended, and who reads sees it.
        }
        finally
        {
            _turn.Release();
        }
    }

    private async ValueTask WriteInTurnAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        await EndTurnAfterAsync(inner.WriteAsync(buffer, cancellationToken)).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask EndTurnAfterAsync(ValueTask write)
    {
        try
        {
            await write.ConfigureAwait(false);
        }
        finally
        {
            EndTurn();
        }
    }

    private void EndTurn()
    {
        _turn.Release();
        if (_isOwed)
            PayPing();
    }
}
