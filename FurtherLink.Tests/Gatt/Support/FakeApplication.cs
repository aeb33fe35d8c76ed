using System.Text.RegularExpressions;
using Tmds.DBus.Protocol;

namespace FurtherLink.Tests.Gatt.Support;

/// <summary>An application that has registered at a <see cref="FakeBluez"/>, with its services.</summary>
internal sealed partial class FakeApplication : IAsyncDisposable
{
    private readonly IDisposable _signals;

    private FakeApplication(string owner, string path, List<BusObject> objects, List<FakeCharacteristic> characteristics, IDisposable signals)
    {
        Owner = owner;
        Path = path;
        Objects = objects;
        Characteristics = characteristics;
        _signals = signals;
    }

    /// <summary>Its name on the bus.</summary>
    public string Owner { get; }

    /// <summary>The path above its objects.</summary>
    public string Path { get; }

    /// <summary>All that it has shown.</summary>
    public IReadOnlyList<BusObject> Objects { get; }

    public IReadOnlyList<FakeCharacteristic> Characteristics { get; }

    /// <summary>The UUIDs of its services.</summary>
    public string[] Services => [.. Objects.Where(static one => one.Interface == "org.bluez.GattService1").Select(static one => one.Text("UUID"))];

    /// <summary>Asks an application for its objects; it answers only while the daemon has not answered it.</summary>
    public static async Task<FakeApplication> ReadAsync(DBusConnection connection, BluezFaults faults, string owner, string path)
    {
        var objects = await connection.GetManagedObjectsAsync(owner, path);
        var services = objects.Where(static one => one.Interface == "org.bluez.GattService1").Select(static one => one.Path).ToHashSet(StringComparer.Ordinal);
        if (services.Count == 0)
            throw BluezError.InvalidArguments("No object received");
        foreach (var one in objects)
            Check(one, path, services, faults);
        var characteristics = objects.Where(static one => one.Interface == FakeCharacteristic.Interface)
            .Select(one => new FakeCharacteristic(connection, faults, owner, one)).ToList();
        var byPath = characteristics.ToDictionary(static one => one.Path, StringComparer.Ordinal);
        var signals = await connection.AddMatchAsync(
            new MatchRule { Type = MessageType.Signal, Sender = owner, Interface = BusCalls.Properties, Member = "PropertiesChanged" },
            static (message, _) => Changed(message),
            change =>
            {
                if (change.HasValue && change.Value.Value is { } value && byPath.TryGetValue(change.Value.Path, out var characteristic))
                    characteristic.Deliver(value);
            },
            emitOnCapturedContext: false);
        return new FakeApplication(owner, path, objects, characteristics, signals);
    }

    public async ValueTask DisposeAsync()
    {
        _signals.Dispose();
        foreach (var characteristic in Characteristics)
            await characteristic.DisposeAsync();
    }

    private static void Check(BusObject one, string path, HashSet<string> services, BluezFaults faults)
    {
        // In the words of the real one: it says why in its own log only.
        var refused = BluezError.Failed("Failed to create entry in database");
        if (one.Interface is not ("org.bluez.GattService1" or FakeCharacteristic.Interface))
            return;
        if (!one.Path.StartsWith(path == "/" ? path : path + "/", StringComparison.Ordinal) || !Uuid.IsMatch(one.Text("UUID")))
            throw refused;
        if (one.Interface != FakeCharacteristic.Interface)
        {
            if (!one.Properties.TryGetValue("Primary", out var primary) || primary.Type is not VariantValueType.Bool)
                throw refused;
            return;
        }

        if (!one.Properties.TryGetValue("Service", out var service) || service.Type is not VariantValueType.ObjectPath
            || !services.Contains(service.GetObjectPathAsString()) || !one.Properties.TryGetValue("Flags", out var flags)
            || !flags.GetArray<string>().All(flag => Flags.Contains(flag, StringComparer.Ordinal) && !faults.UnknownFlags.Contains(flag)))
            throw refused;
    }

    private static (string Path, byte[]? Value) Changed(Message message)
    {
        var reader = message.GetBodyReader();
        var isValue = reader.ReadString() == FakeCharacteristic.Interface;
        var changed = reader.ReadDictionaryOfStringToVariantValue();
        return (message.PathAsString!, isValue && changed.TryGetValue("Value", out var value) ? value.GetArray<byte>() : null);
    }

    private static readonly string[] Flags =
    [
        "broadcast", "read", "write-without-response", "write", "notify", "indicate", "authenticated-signed-writes", "extended-properties", "reliable-write",
        "writable-auxiliaries", "encrypt-read", "encrypt-write", "encrypt-notify", "encrypt-indicate", "encrypt-authenticated-read",
        "encrypt-authenticated-write", "encrypt-authenticated-notify", "encrypt-authenticated-indicate", "secure-read", "secure-write", "secure-notify",
        "secure-indicate", "authorize",
    ];

    [GeneratedRegex("^([0-9a-fA-F]{4}|[0-9a-fA-F]{8}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$")]
    private static partial Regex Uuid { get; }
}
