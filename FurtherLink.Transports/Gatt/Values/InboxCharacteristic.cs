using FurtherLink.Transports.Gatt.Bluez;

namespace FurtherLink.Transports.Gatt.Values;

/// <summary>Takes messages that devices write in chunks.</summary>
/// <param name="uuid">Its UUID.</param>
/// <param name="maxMessage">The longest message that is accepted, in bytes.</param>
/// <param name="time">The clock.</param>
/// <param name="taken">Called with each whole message, on the bus's thread; completes when its device may write on.</param>
internal sealed class InboxCharacteristic(string uuid, int maxMessage, TimeProvider time, Func<Central, ReadOnlyMemory<byte>, ValueTask> taken)
    : Characteristic(uuid)
{
    private readonly ChunkedWrites _writes = new(maxMessage, time, taken);

    /// <inheritdoc/>
    public override bool Writes => true;

    /// <inheritdoc/>
    public override ValueTask WriteAsync(Central central, ReadOnlyMemory<byte> value) => _writes.WriteAsync(central, value);

    /// <inheritdoc/>
    public override void Forget(string device) => _writes.Forget(device);
}
