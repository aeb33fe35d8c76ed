using System.Text;
using FurtherLink.Transports.Gatt.Bluez;

namespace FurtherLink.Transports.Gatt.Values;

/// <summary>A text that devices read in chunks.</summary>
/// <param name="uuid">Its UUID.</param>
/// <param name="text">What it is now.</param>
internal sealed class TextCharacteristic(string uuid, Func<string> text) : Characteristic(uuid)
{
    private readonly ChunkedReads _reads = new(_ => Encoding.UTF8.GetBytes(text()));

    /// <inheritdoc/>
    public override bool Reads => true;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Read(Central central) => _reads.Read(central);

    /// <inheritdoc/>
    public override void Forget(string device) => _reads.Forget(device);
}
