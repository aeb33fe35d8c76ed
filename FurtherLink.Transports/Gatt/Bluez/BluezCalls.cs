using Tmds.DBus.Protocol;

namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>Calls of BlueZ's objects. Each completes when BlueZ has answered, and fails with <see cref="DBusErrorReplyException"/> where it says no.</summary>
/// <param name="bus">The bus.</param>
internal sealed class BluezCalls(DBusConnection bus)
{
    /// <summary>Adapters with what they can, by path.</summary>
    public Task<List<BluezAdapter>> FindAdaptersAsync()
    {
        return bus.CallMethodAsync(Create(bus), static (message, _) => BluezAdapter.ReadAll(message), null);

        static MessageBuffer Create(DBusConnection bus)
        {
            using var writer = bus.GetMessageWriter();
            writer.WriteMethodCallHeader(BluezNames.Service, "/", BluezNames.ObjectManager, "GetManagedObjects", null!, MessageFlags.None);
            return writer.CreateMessage();
        }
    }

    /// <summary>Sets a property.</summary>
    public Task SetAsync(string path, string interfaceName, string property, VariantValue value)
    {
        return bus.CallMethodAsync(Create());

        MessageBuffer Create()
        {
            using var writer = bus.GetMessageWriter();
            writer.WriteMethodCallHeader(BluezNames.Service, path, BluezNames.Properties, "Set", "ssv", MessageFlags.None);
            writer.WriteString(interfaceName);
            writer.WriteString(property);
            writer.WriteVariant(value);
            return writer.CreateMessage();
        }
    }

    /// <summary>Hands an object of ours to a manager, without options.</summary>
    public Task RegisterAsync(string path, string manager, string member, string served)
    {
        return bus.CallMethodAsync(Create());

        MessageBuffer Create()
        {
            using var writer = bus.GetMessageWriter();
            writer.WriteMethodCallHeader(BluezNames.Service, path, manager, member, "oa{sv}", MessageFlags.None);
            writer.WriteObjectPath(served);
            writer.WriteDictionary(Array.Empty<KeyValuePair<string, VariantValue>>());
            return writer.CreateMessage();
        }
    }

    /// <summary>Takes an object of ours back from a manager.</summary>
    public Task UnregisterAsync(string path, string manager, string member, string served)
    {
        return bus.CallMethodAsync(Create());

        MessageBuffer Create()
        {
            using var writer = bus.GetMessageWriter();
            writer.WriteMethodCallHeader(BluezNames.Service, path, manager, member, "o", MessageFlags.None);
            writer.WriteObjectPath(served);
            return writer.CreateMessage();
        }
    }

    /// <summary>Has an agent of ours asked while devices pair.</summary>
    /// <param name="served">Its path.</param>
    /// <param name="capability">What a person can do here ("DisplayYesNo", "NoInputNoOutput").</param>
    public async Task RegisterAgentAsync(string served, string capability)
    {
        await bus.CallMethodAsync(Register()).ConfigureAwait(false);
        await bus.CallMethodAsync(MakeDefault()).ConfigureAwait(false);

        MessageBuffer Register()
        {
            using var writer = bus.GetMessageWriter();
            writer.WriteMethodCallHeader(BluezNames.Service, BluezNames.AgentManagerPath, BluezNames.AgentManager, "RegisterAgent", "os", MessageFlags.None);
            writer.WriteObjectPath(served);
            writer.WriteString(capability);
            return writer.CreateMessage();
        }

        MessageBuffer MakeDefault()
        {
            using var writer = bus.GetMessageWriter();
            writer.WriteMethodCallHeader(BluezNames.Service, BluezNames.AgentManagerPath, BluezNames.AgentManager, "RequestDefaultAgent", "o", MessageFlags.None);
            writer.WriteObjectPath(served);
            return writer.CreateMessage();
        }
    }
}
