using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Security.Claims;
using FurtherLink.Codecs;
using FurtherLink.Framing;
using FurtherLink.Transports.Gatt.Values;

namespace FurtherLink.Transports.Gatt.Clients;

/// <summary>One client: its messages go to the server as those of a connection of its own, and what comes back goes out in chunks.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "Whoever serves it ends it by DropAsync, which disposes.")]
internal sealed class RunClient
{
    private readonly IDuplexPipe _pipe;
    private readonly OutboxCharacteristic _outbox;
    private readonly TokenBucket _bucket;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _cut = new();
    private readonly SemaphoreSlim _taking = new(1);
    private long _heard;
    private volatile bool _acknowledges;

    /// <summary>Makes one.</summary>
    /// <param name="pipe">The transport's end of its pipes.</param>
    /// <param name="outbox">Where what it is told goes.</param>
    /// <param name="bucket">How fast, together with all others that do not acknowledge.</param>
    /// <param name="time">The clock.</param>
    public RunClient(IDuplexPipe pipe, OutboxCharacteristic outbox, TokenBucket bucket, TimeProvider time)
    {
        _pipe = pipe;
        _outbox = outbox;
        _bucket = bucket;
        _time = time;
        _heard = time.GetTimestamp();
    }

    /// <summary>Who it is; null = nobody known.</summary>
    public Func<ClaimsPrincipal?> Principal { get; init; } = static () => null;

    /// <summary>For how long nothing has been heard of it.</summary>
    public TimeSpan Silence => _time.GetElapsedTime(Volatile.Read(ref _heard));

    /// <summary>Takes a message of its, in the order in which they came.</summary>
    /// <returns>Completes when it may send on; with false where its connection has ended.</returns>
    public async ValueTask<bool> TakeAsync(MessageHead head, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _heard, _time.GetTimestamp());
        // Who says what has arrived has a window, and needs no pace of ours.
        if (head.Type == "ack")
            _acknowledges = true;
        await _taking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            new FrameWriter(_pipe.Output).Write(FrameKind.Text, head.Message.Span);
            return !(await _pipe.Output.FlushAsync(cancellationToken).ConfigureAwait(false)).IsCompleted;
        }
        catch (InvalidOperationException)
        {
            return false; // completed
        }
        finally
        {
            _taking.Release();
        }
    }

    /// <summary>Its device has gone, or nothing is heard of it: its connection ends as one that is lost.</summary>
    public void Cut()
    {
        _cut.Cancel();
        _pipe.Input.CancelPendingRead();
        _pipe.Output.Complete();
    }

    /// <summary>Sends all that the server says, until it ends or is cut.</summary>
    /// <returns>Bytes of all frames that were sent whole, their headers included.</returns>
    public async Task<long> SendAllAsync()
    {
        var sent = 0L;
        try
        {
            while (true)
            {
                var result = await _pipe.Input.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                var buffer = result.Buffer;
                var end = result.IsCompleted || result.IsCanceled;
                try
                {
                    while (!_cut.IsCancellationRequested && Frames.TryRead(ref buffer, int.MaxValue, out var frame))
                    {
                        end |= frame.Kind is FrameKind.Close;
                        if (frame.Kind is FrameKind.Text)
                            await _outbox.SendAsync(frame.Body, PaceAsync, _cut.Token).ConfigureAwait(false);
                        sent += Frames.HeaderSize + frame.Body.Length;
                    }
                }
                finally
                {
                    _pipe.Input.AdvanceTo(buffer.Start, result.Buffer.End);
                }

                if (end || _cut.IsCancellationRequested)
                    return sent;
            }
        }
        catch (OperationCanceledException)
        {
            return sent;
        }
    }

    /// <summary>Takes what the server still says while it ends: it goes nowhere, but nobody must wait for it.</summary>
    public async Task DropAsync()
    {
        while (true)
        {
            var rest = await _pipe.Input.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            _pipe.Input.AdvanceTo(rest.Buffer.End);
            if (rest.IsCompleted)
                break;
        }

        await _pipe.Input.CompleteAsync().ConfigureAwait(false);
        await _pipe.Output.CompleteAsync().ConfigureAwait(false);
        _cut.Dispose();
        _taking.Dispose();
    }

    private async ValueTask PaceAsync(int length)
    {
        if (!_acknowledges && _bucket.Wait is var wait && wait > TimeSpan.Zero)
            await Task.Delay(wait, _time, _cut.Token).ConfigureAwait(false);
        _bucket.Take(length);
    }
}
