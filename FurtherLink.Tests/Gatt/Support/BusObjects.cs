using Tmds.DBus.Protocol;

namespace FurtherLink.Tests.Gatt.Support;

/// <summary>The objects that a <see cref="FakeBluez"/> shows, with their properties; it says what changes. Thread safe.</summary>
internal sealed class BusObjects(DBusConnection connection)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Dictionary<string, Dictionary<string, VariantValue>>> _objects = new(StringComparer.Ordinal);

    public bool Has(string path)
    {
        lock (_lock)
            return _objects.ContainsKey(path);
    }

    /// <summary>The paths below one.</summary>
    public List<string> Below(string path)
    {
        lock (_lock)
            return [.. _objects.Keys.Where(one => one.StartsWith(path + "/", StringComparison.Ordinal))];
    }

    public void Add(string path, Dictionary<string, Dictionary<string, VariantValue>> interfaces)
    {
        lock (_lock)
            _objects[path] = interfaces;
        connection.Signal("/", BusCalls.ObjectManager, "InterfacesAdded", "oa{sa{sv}}", (ref MessageWriter writer) =>
        {
            writer.WriteObjectPath(path);
            lock (_lock)
                Write(ref writer, interfaces);
        });
    }

    public void Remove(string path)
    {
        string[] interfaces;
        lock (_lock)
        {
            if (!_objects.Remove(path, out var removed))
                return;
            interfaces = [.. removed.Keys];
        }

        connection.Signal("/", BusCalls.ObjectManager, "InterfacesRemoved", "oas", (ref MessageWriter writer) =>
        {
            writer.WriteObjectPath(path);
            writer.WriteArray(interfaces);
        });
    }

    public VariantValue Get(string path, string interfaceName, string name)
    {
        lock (_lock)
        {
            return Find(path, interfaceName).TryGetValue(name, out var value)
                ? value
                : throw new BluezError("org.freedesktop.DBus.Error.InvalidArgs", $"No such property '{name}'");
        }
    }

    /// <summary>Changes properties; says so, of those that are not the same already.</summary>
    public void Change(string path, string interfaceName, params (string Name, VariantValue Value)[] properties)
    {
        var changed = new Dictionary<string, VariantValue>(StringComparer.Ordinal);
        lock (_lock)
        {
            var all = Find(path, interfaceName);
            foreach (var (name, value) in properties)
            {
                if (all.TryGetValue(name, out var before) && before == value)
                    continue;
                all[name] = changed[name] = value;
            }
        }

        if (changed.Count > 0)
            connection.SignalChange(path, interfaceName, changed);
    }

    /// <summary>Writes a reply to Properties.GetAll.</summary>
    public void WriteAll(ref MessageWriter writer, string path, string interfaceName)
    {
        lock (_lock)
            writer.WriteDictionary(Find(path, interfaceName));
    }

    /// <summary>Writes a reply to GetManagedObjects.</summary>
    public void WriteObjects(ref MessageWriter writer)
    {
        lock (_lock)
        {
            var all = writer.WriteDictionaryStart();
            foreach (var (path, interfaces) in _objects)
            {
                writer.WriteDictionaryEntryStart();
                writer.WriteObjectPath(path);
                Write(ref writer, interfaces);
            }

            writer.WriteDictionaryEnd(all);
        }
    }

    private static void Write(ref MessageWriter writer, Dictionary<string, Dictionary<string, VariantValue>> interfaces)
    {
        var all = writer.WriteDictionaryStart();
        foreach (var (name, properties) in interfaces)
        {
            writer.WriteDictionaryEntryStart();
            writer.WriteString(name);
            writer.WriteDictionary(properties);
        }

        writer.WriteDictionaryEnd(all);
    }

    private Dictionary<string, VariantValue> Find(string path, string interfaceName)
    {
        if (!_objects.TryGetValue(path, out var interfaces))
            throw new BluezError("org.freedesktop.DBus.Error.UnknownObject", $"No object at {path}");
        return interfaces.TryGetValue(interfaceName, out var properties)
            ? properties
            : throw new BluezError("org.freedesktop.DBus.Error.InvalidArgs", $"No such interface '{interfaceName}'");
    }
}
