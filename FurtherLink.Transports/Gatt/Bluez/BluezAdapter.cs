using Tmds.DBus.Protocol;

namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>An adapter, as BlueZ tells of it.</summary>
/// <param name="Path">Its object ("/org/bluez/hci0").</param>
/// <param name="Powered">Whether it is on.</param>
/// <param name="Serves">Whether it can be a peripheral.</param>
/// <param name="Advertises">Whether it can advertise.</param>
internal sealed record BluezAdapter(string Path, bool Powered, bool Serves, bool Advertises)
{
    /// <summary>What it is called ("hci0").</summary>
    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    /// <summary>Reads all of them from the answer to GetManagedObjects.</summary>
    public static List<BluezAdapter> ReadAll(Message message)
    {
        var found = new List<BluezAdapter>();
        var reader = message.GetBodyReader();
        var objects = reader.ReadDictionaryStart();
        while (reader.HasNext(objects))
        {
            reader.AlignStruct();
            var path = reader.ReadObjectPathAsString();
            Dictionary<string, VariantValue>? adapter = null;
            var (serves, advertises) = (false, false);
            var interfaces = reader.ReadDictionaryStart();
            while (reader.HasNext(interfaces))
            {
                reader.AlignStruct();
                var name = reader.ReadString();
                var properties = reader.ReadDictionaryOfStringToVariantValue();
                if (name == BluezNames.Adapter)
                    adapter = properties;
                serves |= name == BluezNames.GattManager;
                advertises |= name == BluezNames.AdvertisingManager;
            }

            if (adapter is not null)
                found.Add(new BluezAdapter(path, adapter.TryGetValue("Powered", out var powered) && powered.Type is VariantValueType.Bool && powered.GetBool(), serves, advertises));
        }

        return found;
    }
}
