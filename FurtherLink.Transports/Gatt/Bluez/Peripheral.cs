using Tmds.DBus.Protocol;

namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>What this device is to others: its services, its name, and who may pair with it.</summary>
/// <param name="Services">The characteristics of each service, by its UUID.</param>
/// <param name="Name">What it is called in advertisements.</param>
/// <param name="Advertised">The UUIDs of the services that are advertised; none = it does not advertise.</param>
/// <param name="IsEncrypted">Whether it is for devices alone whose link is encrypted.</param>
/// <param name="Pairing">Decides who may pair.</param>
internal sealed record Peripheral(
    IReadOnlyList<(string Uuid, IReadOnlyList<Characteristic> Characteristics)> Services, string Name, string[] Advertised, bool IsEncrypted, IPairingAnswers Pairing)
{
    private const string Root = "/org/furtherlink";
    private const string Advertisement = Root + "/advertisement";
    private const string Agent = Root + "/agent";

    /// <summary>Offers it by an adapter, until the bus is left or <see cref="WithdrawAsync"/>.</summary>
    /// <param name="bus">The bus.</param>
    /// <param name="daemon">BlueZ's own name on it.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="logger">The log.</param>
    /// <exception cref="DBusExceptionBase">BlueZ refuses, or is not there any more.</exception>
    public async Task OfferAsync(DBusConnection bus, string daemon, BluezAdapter adapter, Microsoft.Extensions.Logging.ILogger logger)
    {
        var calls = new BluezCalls(bus);
        try
        {
            await RegisterAsync(IsEncrypted ? Encryption.All : Encryption.None).ConfigureAwait(false);
        }
        catch (DBusErrorReplyException) when (IsEncrypted)
        {
            // An older BlueZ refuses all for the flag that it does not know.
            bus.RemoveMethodHandler(Root);
            await RegisterAsync(Encryption.ReadsAndWrites).ConfigureAwait(false);
        }

        await calls.RegisterAgentAsync(Agent, IsEncrypted ? "DisplayYesNo" : "NoInputNoOutput").ConfigureAwait(false);
        await calls.SetAsync(adapter.Path, BluezNames.Adapter, "Pairable", true).ConfigureAwait(false);
        if (Advertised.Length > 0 && adapter.Advertises)
            await calls.RegisterAsync(adapter.Path, BluezNames.AdvertisingManager, "RegisterAdvertisement", Advertisement).ConfigureAwait(false);

        Task RegisterAsync(Encryption encryption)
        {
            bus.AddMethodHandler(new ServedObjects(Root, CreateObjects(bus, encryption), daemon, logger));
            return calls.RegisterAsync(adapter.Path, BluezNames.GattManager, "RegisterApplication", Root);
        }
    }

    /// <summary>Takes back what BlueZ still has of it.</summary>
    public static async Task WithdrawAsync(DBusConnection bus, BluezAdapter adapter)
    {
        var calls = new BluezCalls(bus);
        await TryAsync(calls.UnregisterAsync(adapter.Path, BluezNames.AdvertisingManager, "UnregisterAdvertisement", Advertisement)).ConfigureAwait(false);
        await TryAsync(calls.UnregisterAsync(adapter.Path, BluezNames.GattManager, "UnregisterApplication", Root)).ConfigureAwait(false);
        await TryAsync(calls.UnregisterAsync(BluezNames.AgentManagerPath, BluezNames.AgentManager, "UnregisterAgent", Agent)).ConfigureAwait(false);
        bus.RemoveMethodHandler(Root);

        static async Task TryAsync(Task call)
        {
            try
            {
                await call.ConfigureAwait(false);
            }
            catch (DBusExceptionBase)
            {
                // It is gone already, with the adapter or BlueZ.
            }
        }
    }

    private List<ServedObject> CreateObjects(DBusConnection bus, Encryption encryption)
    {
        var objects = new List<ServedObject> { new AgentObject(Agent, Pairing), new AdvertisementObject(Advertisement, Name, Advertised) };
        for (var i = 0; i < Services.Count; i++)
        {
            var path = $"{Root}/service{i}";
            objects.Add(new ServiceObject(path, Services[i].Uuid));
            objects.AddRange(Services[i].Characteristics.Select((one, index) => new CharacteristicObject($"{path}/char{index}", path, one, encryption, bus)));
        }

        return objects;
    }
}
