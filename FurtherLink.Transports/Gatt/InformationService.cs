using System.Buffers.Binary;
using System.Text;
using FurtherLink.Transports.Gatt.Bluez;
using FurtherLink.Transports.Gatt.Values;

namespace FurtherLink.Transports.Gatt;

/// <summary>The Device Information Service of the Bluetooth SIG (0x180A). BlueZ has one of its own unless its main.conf says "DeviceID = false".</summary>
internal static class InformationService
{
    /// <summary>Its UUID.</summary>
    public const string Uuid = "0000180a-0000-1000-8000-00805f9b34fb";

    private const string BoardFile = "/proc/device-tree/model";

    /// <summary>Its characteristics.</summary>
    public static IReadOnlyList<Characteristic> Create(DeviceInformation information)
    {
        var values = new List<Characteristic>();
        AddText(0x2a29, information.Manufacturer);
        AddText(0x2a24, information.Model ?? Board());
        Add(0x2a50, PnpId(information));
        AddText(0x2a25, information.Serial);
        AddText(0x2a26, information.Firmware ?? Environment.OSVersion.Version.ToString());
        AddText(0x2a27, information.Hardware);
        AddText(0x2a28, FurtherLinkVersion.Current);
        if (information.SystemId is { } id)
            Add(0x2a23, Convert.FromHexString(id));
        return values;

        void AddText(ushort number, string? text)
        {
            if (text is not null)
                Add(number, Encoding.UTF8.GetBytes(text));
        }

        void Add(ushort number, byte[] value) => values.Add(new ValueCharacteristic($"0000{number:x4}-0000-1000-8000-00805f9b34fb", value));
    }

    /// <summary>Whose number it is (1: the Bluetooth SIG's), then vendor, product and version.</summary>
    private static byte[] PnpId(DeviceInformation information)
    {
        var id = new byte[7];
        id[0] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(id.AsSpan(1), (ushort)information.Vendor);
        BinaryPrimitives.WriteUInt16LittleEndian(id.AsSpan(3), (ushort)information.Product);
        BinaryPrimitives.WriteUInt16LittleEndian(id.AsSpan(5), (ushort)information.ProductVersion);
        return id;
    }

    private static string Board()
    {
        try
        {
            return File.ReadAllText(BoardFile).TrimEnd('\0', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Environment.MachineName;
        }
    }
}
