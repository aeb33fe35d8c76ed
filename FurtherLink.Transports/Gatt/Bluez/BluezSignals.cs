using Tmds.DBus.Protocol;

namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>Listens to what changes at BlueZ: adapters that come and go or are switched, devices that are gone. Called on the bus's thread.</summary>
/// <param name="adapters">Called when an adapter may have come, gone or been switched on or off; with its path where it has gone, else null.</param>
/// <param name="gone">Called with the path of a device whose link has ended.</param>
internal sealed class BluezSignals(Action<string?> adapters, Action<string> gone) : IDisposable
{
    private readonly List<IDisposable> _subscriptions = [];

    /// <summary>Begins to listen.</summary>
    /// <exception cref="DBusExceptionBase">There is no bus any more.</exception>
    public async Task ListenAsync(DBusConnection bus)
    {
        foreach (var member in (string[])["InterfacesAdded", "InterfacesRemoved"])
        {
            var rule = new MatchRule { Type = MessageType.Signal, Sender = BluezNames.Service, Interface = BluezNames.ObjectManager, Member = member };
            _subscriptions.Add(await bus.AddMatchAsync(
                rule, static (message, _) => message.GetBodyReader().ReadObjectPathAsString(), (Notification<string> change) => OnObject(change, member), emitOnCapturedContext: false)
                .ConfigureAwait(false));
        }

        var properties = new MatchRule
        {
            Type = MessageType.Signal,
            Sender = BluezNames.Service,
            Interface = BluezNames.Properties,
            Member = "PropertiesChanged",
            PathNamespace = BluezNames.AgentManagerPath,
        };
        _subscriptions.Add(await bus.AddMatchAsync(properties, static (message, _) => Change.Read(message), (Notification<Change> change) => OnProperties(change), emitOnCapturedContext: false)
            .ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public void Dispose() => _subscriptions.ForEach(static one => one.Dispose());

    private void OnObject(Notification<string> change, string member)
    {
        if (change.IsCompletion)
            return;
        if (change.Value.Contains("/dev_", StringComparison.Ordinal))
        {
            if (member == "InterfacesRemoved")
                gone(change.Value);
        }
        else
            adapters(member == "InterfacesRemoved" ? change.Value : null);
    }

    private void OnProperties(Notification<Change> change)
    {
        if (change.IsCompletion)
            return;
        var value = change.Value;
        if (value.Interface == BluezNames.Device && value.IsDisconnected)
            gone(value.Path);
        else if (value.Interface == BluezNames.Adapter && value.IsSwitched)
            adapters(null);
    }

    /// <summary>What has changed of an object.</summary>
    private readonly record struct Change(string Path, string Interface, bool IsDisconnected, bool IsSwitched)
    {
        public static Change Read(Message message)
        {
            var reader = message.GetBodyReader();
            var name = reader.ReadString();
            var properties = reader.ReadDictionaryOfStringToVariantValue();
            return new Change(
                message.PathAsString ?? "", name,
                properties.TryGetValue("Connected", out var connected) && connected.Type is VariantValueType.Bool && !connected.GetBool(),
                properties.ContainsKey("Powered"));
        }
    }
}
