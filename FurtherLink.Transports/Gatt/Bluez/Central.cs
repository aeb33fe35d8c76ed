using Tmds.DBus.Protocol;

namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>Who reads or writes, as BlueZ tells with each call.</summary>
/// <param name="Device">The path of the device's object, "/org/bluez/hci0/dev_00_11_22_33_44_55"; "" where BlueZ does not say.</param>
/// <param name="Mtu">How much its link carries at once, in bytes; null where BlueZ does not say.</param>
/// <param name="Offset">From which byte of a value it reads or writes.</param>
internal readonly record struct Central(string Device, int? Mtu, int Offset)
{
    /// <summary>The address by which it is known to limits and logs: that of its radio.</summary>
    public string Address => AddressOf(Device);

    /// <summary>The radio's address in the path of a device's object.</summary>
    public static string AddressOf(string device)
    {
        var start = device.LastIndexOf("/dev_", StringComparison.Ordinal);
        return start < 0 ? "bluetooth" : device[(start + 5)..].Replace('_', ':');
    }

    /// <summary>Reads it from the options of a call.</summary>
    public static Central Of(Dictionary<string, VariantValue> options) => new(
        options.TryGetValue("device", out var device) && device.Type is VariantValueType.ObjectPath ? device.GetObjectPathAsString() : "",
        options.TryGetValue("mtu", out var mtu) && mtu.Type is VariantValueType.UInt16 ? mtu.GetUInt16() : null,
        options.TryGetValue("offset", out var offset) && offset.Type is VariantValueType.UInt16 ? offset.GetUInt16() : 0);
}
