using FurtherLink.Transports.Gatt.Bluez;

namespace FurtherLink.Transports.Gatt.Values;

/// <summary>A value of a standard service, read as it is.</summary>
/// <param name="uuid">Its UUID.</param>
/// <param name="value">The value, at most 512 bytes.</param>
internal sealed class ValueCharacteristic(string uuid, ReadOnlyMemory<byte> value) : Characteristic(uuid)
{
    /// <inheritdoc/>
    public override bool Reads => true;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Read(Central central) => From(value, central.Offset);
}
