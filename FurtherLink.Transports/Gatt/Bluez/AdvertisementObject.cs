using Tmds.DBus.Protocol;

namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>What the device says of itself to who scans.</summary>
/// <param name="path">Where it is on the bus.</param>
/// <param name="name">Its name.</param>
/// <param name="services">The UUIDs of its services.</param>
internal sealed class AdvertisementObject(string path, string name, string[] services) : ServedObject(path, BluezNames.Advertisement)
{
    // A computer (Bluetooth Assigned Numbers, section 2.6).
    private const ushort Computer = 0x0080;

    /// <inheritdoc/>
    public override bool IsManaged => false;

    /// <inheritdoc/>
    public override Dictionary<string, VariantValue> Properties => new(StringComparer.Ordinal)
    {
        ["Type"] = "peripheral",
        ["ServiceUUIDs"] = VariantValue.Array(services),
        ["LocalName"] = name,
        ["Appearance"] = Computer,
    };

    /// <inheritdoc/>
    public override bool TryCall(string member, MethodContext call)
    {
        if (member != "Release")
            return false;
        ReplyDone(call);
        return true;
    }
}
