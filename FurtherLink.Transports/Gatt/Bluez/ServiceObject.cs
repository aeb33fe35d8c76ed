using Tmds.DBus.Protocol;

namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>A primary service.</summary>
/// <param name="path">Where it is.</param>
/// <param name="uuid">Its UUID.</param>
internal sealed class ServiceObject(string path, string uuid) : ServedObject(path, BluezNames.GattService)
{
    /// <inheritdoc/>
    public override Dictionary<string, VariantValue> Properties => new(StringComparer.Ordinal) { ["UUID"] = uuid, ["Primary"] = true };

    /// <inheritdoc/>
    public override bool TryCall(string member, MethodContext call) => false;
}
