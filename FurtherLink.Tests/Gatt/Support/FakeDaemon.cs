using Tmds.DBus.Protocol;

namespace FurtherLink.Tests.Gatt.Support;

/// <summary>One life of a <see cref="FakeBluez"/> on the bus: its objects, and answers to those who call them.</summary>
internal sealed class FakeDaemon : IPathMethodHandler, IAsyncDisposable
{
    private readonly BluezFaults _faults;
    private readonly Func<string, FakeCentral?> _centralAt;

    private FakeDaemon(DBusConnection connection, BluezFaults faults, Func<string, FakeCentral?> centralAt)
    {
        Connection = connection;
        _faults = faults;
        _centralAt = centralAt;
        Objects = new BusObjects(connection);
        Registry = new FakeRegistry(connection, faults, Objects);
    }

    public DBusConnection Connection { get; }

    public BusObjects Objects { get; }

    public FakeRegistry Registry { get; }

    string IPathMethodHandler.Path => "/";

    bool IPathMethodHandler.HandlesChildPaths => true;

    public static async Task<FakeDaemon> StartAsync(string address, BluezFaults faults, Func<string, FakeCentral?> centralAt, bool hasAdapter, bool isPowered)
    {
        var connection = new DBusConnection(address);
        await connection.ConnectAsync();
        var daemon = new FakeDaemon(connection, faults, centralAt);
        await connection.AddMatchAsync(
            new MatchRule { Type = MessageType.Signal, Sender = "org.freedesktop.DBus", Interface = "org.freedesktop.DBus", Member = "NameOwnerChanged" },
            static (message, _) =>
            {
                var reader = message.GetBodyReader();
                return (Name: reader.ReadString(), Before: reader.ReadString(), Now: reader.ReadString());
            },
            async change =>
            {
                if (change.HasValue && change.Value.Now.Length == 0)
                    await daemon.Registry.ForgetAsync(change.Value.Name);
            },
            emitOnCapturedContext: false);
        connection.AddMethodHandler(daemon);
        daemon.Objects.Add("/org/bluez", Interfaces(("org.bluez.AgentManager1", [])));
        if (hasAdapter)
            daemon.AddAdapter(isPowered);
        await connection.RequestNameAsync(FakeBluez.Name, RequestNameOptions.None);
        return daemon;
    }

    public void AddAdapter(bool isPowered) => Objects.Add(FakeBluez.AdapterPath, Interfaces(
        (FakeBluez.AdapterInterface, new(StringComparer.Ordinal)
        {
            ["Address"] = "00:AA:01:00:00:00",
            ["AddressType"] = "public",
            ["Name"] = "fake",
            ["Alias"] = "fake",
            ["Class"] = 0u,
            ["Powered"] = isPowered,
            ["Discoverable"] = false,
            ["DiscoverableTimeout"] = 180u,
            ["Pairable"] = false,
            ["PairableTimeout"] = 0u,
            ["Discovering"] = false,
            ["UUIDs"] = VariantValue.Array(Array.Empty<string>()),
            ["Roles"] = VariantValue.Array(new[] { "central", "peripheral" }),
        }),
        ("org.bluez.GattManager1", []),
        (FakeRegistry.AdvertisingManager, new(StringComparer.Ordinal)
        {
            ["ActiveInstances"] = (byte)0,
            ["SupportedInstances"] = (byte)FakeRegistry.MaxAdvertisements,
            ["SupportedIncludes"] = VariantValue.Array(new[] { "tx-power", "appearance", "local-name" }),
        })));

    public async Task RemoveAdapterAsync()
    {
        await Registry.ClearAsync(releases: true);
        foreach (var device in Objects.Below(FakeBluez.AdapterPath))
            Objects.Remove(device);
        Objects.Remove(FakeBluez.AdapterPath);
    }

    /// <summary>Switches the adapter on or off: off, nobody stays connected.</summary>
    public async Task PowerAsync(bool isOn)
    {
        if (!isOn)
        {
            foreach (var device in Objects.Below(FakeBluez.AdapterPath))
                await (_centralAt(device)?.DisconnectAsync() ?? Task.CompletedTask);
        }

        Objects.Change(FakeBluez.AdapterPath, FakeBluez.AdapterInterface, ("Powered", isOn));
    }

    public ValueTask HandleMethodAsync(MethodContext context)
    {
        // Those who call are called back before they are answered: the connection must read on meanwhile.
        context.DisposesAsynchronously = true;
        _ = AnswerAsync(context);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await Registry.ClearAsync(releases: false);
        Connection.Dispose();
    }

    private static Dictionary<string, Dictionary<string, VariantValue>> Interfaces(params (string Name, Dictionary<string, VariantValue> Properties)[] all) =>
        all.ToDictionary(static one => one.Name, static one => one.Properties, StringComparer.Ordinal);

    private async Task AnswerAsync(MethodContext context)
    {
        using (context)
        {
            try
            {
                if (!await TryAnswerAsync(context))
                    context.ReplyUnknownMethodError();
            }
            catch (BluezError e)
            {
                context.ReplyError(e.Name, e.Message);
            }
            catch (DBusErrorReplyException e)
            {
                context.ReplyError("org.bluez.Error.Failed", e.Message);
            }
            catch (DBusExceptionBase)
            {
                // The daemon has left the bus meanwhile.
            }
        }
    }

    private async Task<bool> TryAnswerAsync(MethodContext context)
    {
        var request = context.Request;
        var path = request.PathAsString!;
        var sender = request.SenderAsString!;
        switch (request.InterfaceAsString, request.MemberAsString)
        {
            case (BusCalls.ObjectManager, "GetManagedObjects") when path == "/":
                ReplyObjects(context);
                return true;
            case (BusCalls.Properties, "GetAll"):
                ReplyAll(context, path);
                return true;
            case (BusCalls.Properties, "Get"):
                ReplyOne(context, path);
                return true;
            case (BusCalls.Properties, "Set"):
                var (interfaceName, name, value) = ReadSet(request);
                await SetAsync(path, interfaceName, name, value);
                break;
            case ("org.bluez.AgentManager1", _) when path == "/org/bluez":
                var (agent, capability) = ReadPath(request);
                if (!TryAgent(request.MemberAsString!, sender, agent, capability))
                    return false;
                break;
            case ("org.bluez.GattManager1", "RegisterApplication") when Objects.Has(path):
                await Registry.RegisterApplicationAsync(sender, ReadPath(request).Path);
                break;
            case ("org.bluez.GattManager1", "UnregisterApplication") when Objects.Has(path):
                await Registry.UnregisterApplicationAsync(sender, ReadPath(request).Path);
                break;
            case (FakeRegistry.AdvertisingManager, "RegisterAdvertisement") when Objects.Has(path):
                await Registry.RegisterAdvertisementAsync(sender, ReadPath(request).Path);
                break;
            case (FakeRegistry.AdvertisingManager, "UnregisterAdvertisement") when Objects.Has(path):
                Registry.UnregisterAdvertisement(sender, ReadPath(request).Path);
                break;
            case (FakeBluez.AdapterInterface, "RemoveDevice") when Objects.Has(path):
                var device = ReadPath(request).Path;
                await (Objects.Has(device) ? _centralAt(device) ?? throw BluezError.DoesNotExist : throw BluezError.DoesNotExist).ForgetAsync();
                break;
            case (FakeBluez.DeviceInterface, "Disconnect") when Objects.Has(path) && _centralAt(path) is { } central:
                await central.DisconnectAsync();
                break;
            default:
                return false;
        }

        if (!context.NoReplyExpected)
            context.Reply(context.CreateReplyWriter(null!).CreateMessage());
        return true;
    }

    private bool TryAgent(string member, string sender, string path, string capability)
    {
        switch (member)
        {
            case "RegisterAgent":
                Registry.RegisterAgent(sender, path, capability);
                return true;
            case "UnregisterAgent":
                Registry.UnregisterAgent(sender, path);
                return true;
            case "RequestDefaultAgent":
                Registry.RequestDefaultAgent(sender, path);
                return true;
            default:
                return false;
        }
    }

    private async Task SetAsync(string path, string interfaceName, string name, VariantValue value)
    {
        _ = Objects.Get(path, interfaceName, name);
        switch (interfaceName, name)
        {
            case (FakeBluez.AdapterInterface, "Powered"):
                if (value.GetBool() && _faults.BlocksPower)
                    throw new BluezError("org.bluez.Error.Blocked", "Blocked through rfkill");
                await PowerAsync(value.GetBool());
                break;
            case (FakeBluez.AdapterInterface, "Alias" or "Discoverable" or "DiscoverableTimeout" or "Pairable" or "PairableTimeout"):
            case (FakeBluez.DeviceInterface, "Alias" or "Trusted" or "Blocked"):
                Objects.Change(path, interfaceName, (name, value));
                break;
            default:
                throw new BluezError("org.freedesktop.DBus.Error.PropertyReadOnly", $"Property '{name}' is not writable");
        }
    }

    private static (string Path, string Text) ReadPath(Message request)
    {
        var reader = request.GetBodyReader();
        return (reader.ReadObjectPathAsString(), request.SignatureAsString == "os" ? reader.ReadString() : "");
    }

    private static (string Interface, string Name, VariantValue Value) ReadSet(Message request)
    {
        var reader = request.GetBodyReader();
        return (reader.ReadString(), reader.ReadString(), reader.ReadVariantValue());
    }

    private void ReplyObjects(MethodContext context)
    {
        var writer = context.CreateReplyWriter("a{oa{sa{sv}}}");
        Objects.WriteObjects(ref writer);
        context.Reply(writer.CreateMessage());
    }

    private void ReplyAll(MethodContext context, string path)
    {
        var reader = context.Request.GetBodyReader();
        var writer = context.CreateReplyWriter("a{sv}");
        Objects.WriteAll(ref writer, path, reader.ReadString());
        context.Reply(writer.CreateMessage());
    }

    private void ReplyOne(MethodContext context, string path)
    {
        var reader = context.Request.GetBodyReader();
        var value = Objects.Get(path, reader.ReadString(), reader.ReadString());
        var writer = context.CreateReplyWriter("v");
        writer.WriteVariant(value);
        context.Reply(writer.CreateMessage());
    }
}
