using Tmds.DBus.Protocol;

namespace FurtherLink.Tests.Gatt.Support;

/// <summary>Calls and signals of few lines on a bus.</summary>
internal static class BusCalls
{
    public const string Properties = "org.freedesktop.DBus.Properties";
    public const string ObjectManager = "org.freedesktop.DBus.ObjectManager";

    public delegate void Body(ref MessageWriter writer);

    public static MessageBuffer Call(
        this DBusConnection connection, string destination, string path, string interfaceName, string member, string? signature = null, Body? body = null)
    {
        var writer = connection.GetMessageWriter();
        writer.WriteMethodCallHeader(destination, path, interfaceName, member, signature!, MessageFlags.None);
        body?.Invoke(ref writer);
        return writer.CreateMessage();
    }

    public static void Signal(this DBusConnection connection, string path, string interfaceName, string member, string signature, Body body)
    {
        var writer = connection.GetMessageWriter();
        writer.WriteSignalHeader(null!, path, interfaceName, member, signature);
        body(ref writer);
        connection.TrySendMessage(writer.CreateMessage());
    }

    /// <summary>Tells everybody of properties that have changed.</summary>
    public static void SignalChange(this DBusConnection connection, string path, string interfaceName, Dictionary<string, VariantValue> changed) =>
        connection.Signal(path, Properties, "PropertiesChanged", "sa{sv}as", (ref MessageWriter writer) =>
        {
            writer.WriteString(interfaceName);
            writer.WriteDictionary(changed);
            writer.WriteArray(Array.Empty<string>());
        });

    /// <summary>The objects of an application.</summary>
    public static Task<List<BusObject>> GetManagedObjectsAsync(this DBusConnection connection, string destination, string path) =>
        connection.CallMethodAsync(connection.Call(destination, path, ObjectManager, "GetManagedObjects"), static (message, _) =>
        {
            var objects = new List<BusObject>();
            var reader = message.GetBodyReader();
            var paths = reader.ReadDictionaryStart();
            while (reader.HasNext(paths))
            {
                var one = reader.ReadObjectPathAsString();
                var interfaces = reader.ReadDictionaryStart();
                while (reader.HasNext(interfaces))
                    objects.Add(new BusObject(one, reader.ReadString(), reader.ReadDictionaryOfStringToVariantValue()));
            }

            return objects;
        });

    public static Task<Dictionary<string, VariantValue>> GetAllAsync(this DBusConnection connection, string destination, string path, string interfaceName) =>
        connection.CallMethodAsync(
            connection.Call(destination, path, Properties, "GetAll", "s", (ref MessageWriter writer) => writer.WriteString(interfaceName)),
            static (message, _) => message.GetBodyReader().ReadDictionaryOfStringToVariantValue());

    public static Task SetAsync(this DBusConnection connection, string destination, string path, string interfaceName, string name, VariantValue value) =>
        connection.CallMethodAsync(connection.Call(destination, path, Properties, "Set", "ssv", (ref MessageWriter writer) =>
        {
            writer.WriteString(interfaceName);
            writer.WriteString(name);
            writer.WriteVariant(value);
        }));
}

/// <summary>An interface of an object on a bus.</summary>
internal sealed record BusObject(string Path, string Interface, Dictionary<string, VariantValue> Properties)
{
    public string Text(string name) => Properties.TryGetValue(name, out var value) && value.Type is VariantValueType.String ? value.GetString() : "";
}
