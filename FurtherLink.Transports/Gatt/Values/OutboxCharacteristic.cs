using System.Buffers;
using FurtherLink.Transports.Gatt.Bluez;
using FurtherLink.Transports.Gatt.Chunks;

namespace FurtherLink.Transports.Gatt.Values;

/// <summary>
/// Notifies devices of messages, in chunks. Whoever has subscribed hears all of them; what was sent last can be read, too. Thread safe but for what BlueZ
/// calls.
/// </summary>
internal sealed class OutboxCharacteristic : Characteristic, IDisposable
{
    private readonly ChunkedReads _reads;
    private readonly NotifyChannel _notifications = new();
    private volatile byte[] _last = [];

    /// <summary>Makes one.</summary>
    /// <param name="uuid">Its UUID.</param>
    public OutboxCharacteristic(string uuid)
        : base(uuid) => _reads = new ChunkedReads(_ => _last);

    /// <inheritdoc/>
    public override bool Reads => true;

    /// <inheritdoc/>
    public override NotifyChannel Notifications => _notifications;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Read(Central central) => _reads.Read(central);

    /// <inheritdoc/>
    public override void Forget(string device) => _reads.Forget(device);

    /// <summary>Sends an answer that can be read afterwards, too.</summary>
    public ValueTask AnswerAsync(byte[] message, CancellationToken cancellationToken)
    {
        _last = message;
        return SendAsync(new ReadOnlySequence<byte>(message), static _ => ValueTask.CompletedTask, cancellationToken);
    }

    /// <summary>Sends a message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="pace">Called before each chunk with its length; completes when it may go.</param>
    /// <param name="cancellationToken">Leaves the rest of it out.</param>
    public async ValueTask SendAsync(ReadOnlySequence<byte> message, Func<int, ValueTask> pace, CancellationToken cancellationToken)
    {
        var cut = new ChunkedMessage(_notifications.NextMessage(), message, ChunkedMessage.SizeFor(_notifications.Mtu));
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkedMessage.MaxChunk);
        try
        {
            var count = cut.Count;
            for (var index = 0; index < count; index++)
            {
                var length = cut.Write(index, chunk);
                await pace(length).ConfigureAwait(false);
                if (!await _notifications.SendAsync(chunk.AsMemory(0, length), cancellationToken).ConfigureAwait(false))
                    return; // nobody hears it
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _notifications.Dispose();
}
