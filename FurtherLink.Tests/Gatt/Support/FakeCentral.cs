using System.Collections.Concurrent;
using Tmds.DBus.Protocol;

namespace FurtherLink.Tests.Gatt.Support;

/// <summary>A device with Bluetooth that uses the services behind a <see cref="FakeBluez"/>.</summary>
internal sealed class FakeCentral(FakeBluez bluez, string address, int mtu)
{
    private readonly SemaphoreSlim _request = new(1); // a link carries one request at a time
    private readonly ConcurrentDictionary<FakeCharacteristic, Subscription> _subscriptions = new();

    public string Address { get; } = address;

    /// <summary>Its object on the bus.</summary>
    public string Path { get; } = $"{FakeBluez.AdapterPath}/dev_{address.Replace(':', '_')}";

    /// <summary>How much its link carries at once, in bytes.</summary>
    public int Mtu { get; set; } = mtu;

    public bool IsConnected { get; private set; }

    /// <summary>Whether it has paired: its link is encrypted then.</summary>
    public bool IsPaired { get; private set; }

    /// <summary>Its link: shut, no notification arrives, and those for it pile up in the daemon. Requests pass.</summary>
    public Gate Link { get; } = new();

    /// <summary>Connects.</summary>
    public Task ConnectAsync()
    {
        if (!bluez.IsPowered)
            throw new InvalidOperationException("There is no adapter that is on.");
        IsConnected = true;
        var objects = bluez.Daemon.Objects;
        if (objects.Has(Path))
            objects.Change(Path, FakeBluez.DeviceInterface, ("Connected", true), ("ServicesResolved", true));
        else
            Show(objects);
        return Task.CompletedTask;
    }

    /// <summary>Pairs, if whoever has registered an agent lets it.</summary>
    /// <param name="passkey">The number that both sides show, where both can; as it is shown here.</param>
    /// <returns>Whether it has paired.</returns>
    public async Task<bool> PairAsync(uint passkey = 123456)
    {
        EnsureConnected();
        var daemon = bluez.Daemon;
        if (daemon.Registry.Agent is not { } agent || !daemon.Objects.Get(FakeBluez.AdapterPath, FakeBluez.AdapterInterface, "Pairable").GetBool())
            return false;
        var compares = agent.Capability is "DisplayYesNo" or "KeyboardDisplay";
        try
        {
            await daemon.Connection.CallMethodAsync(daemon.Connection.Call(
                agent.Owner, agent.Path, "org.bluez.Agent1", compares ? "RequestConfirmation" : "RequestAuthorization", compares ? "ou" : "o",
                (ref MessageWriter writer) =>
                {
                    writer.WriteObjectPath(Path);
                    if (compares)
                        writer.WriteUInt32(passkey);
                }));
        }
        catch (DBusErrorReplyException)
        {
            return false;
        }

        IsPaired = true;
        daemon.Objects.Change(Path, FakeBluez.DeviceInterface, ("Paired", true), ("Bonded", true));
        return true;
    }

    /// <summary>Reads a value, in as many pieces as its link needs.</summary>
    public async Task<byte[]> ReadAsync(string uuid)
    {
        var value = new List<byte>();
        int length;
        do
        {
            byte[] piece;
            try
            {
                piece = await ReadPieceAsync(uuid, value.Count);
            }
            catch (AttributeError e) when (e.Code == AttributeError.InvalidOffset && value.Count > 0)
            {
                break; // so a client learns that there is no more
            }

            value.AddRange(piece);
            length = piece.Length;
        }
        while (length == Mtu - 1 && value.Count < 512);
        return [.. value];
    }

    /// <summary>Reads one piece, as much as its link carries at once.</summary>
    public Task<byte[]> ReadPieceAsync(string uuid, int offset) => RequestAsync(async () =>
    {
        var rest = await bluez.Characteristic(uuid).ReadAsync(this, offset);
        return rest.Length < Mtu ? rest : rest[..(Mtu - 1)];
    });

    /// <summary>Writes a value and waits until it has been taken.</summary>
    /// <exception cref="AttributeError">It has not.</exception>
    public Task WriteAsync(string uuid, byte[] value) => RequestAsync(async () =>
    {
        await bluez.Characteristic(uuid).WriteAsync(this, value);
        return true;
    });

    /// <summary>Writes a value as a command: nobody says what has become of it.</summary>
    public async Task WriteCommandAsync(string uuid, byte[] value)
    {
        EnsureConnected();
        try
        {
            await bluez.Characteristic(uuid).WriteAsync(this, value);
        }
        catch (AttributeError)
        {
            // Dropped without a word.
        }
    }

    /// <summary>Hears of a characteristic from now on.</summary>
    public async Task<Subscription> SubscribeAsync(string uuid)
    {
        EnsureConnected();
        var characteristic = bluez.Characteristic(uuid);
        return _subscriptions[characteristic] = await characteristic.SubscribeAsync(this);
    }

    /// <summary>Hears of it no more.</summary>
    public async Task UnsubscribeAsync(string uuid)
    {
        var characteristic = bluez.Characteristic(uuid);
        if (_subscriptions.TryRemove(characteristic, out _))
            await characteristic.UnsubscribeAsync(this);
    }

    /// <summary>Its link ends.</summary>
    public async Task DisconnectAsync()
    {
        if (!IsConnected)
            return;
        IsConnected = false;
        foreach (var characteristic in _subscriptions.Keys)
        {
            if (_subscriptions.TryRemove(characteristic, out _))
                await characteristic.UnsubscribeAsync(this);
        }

        bluez.Daemon.Objects.Change(Path, FakeBluez.DeviceInterface, ("Connected", false), ("ServicesResolved", false));
    }

    /// <summary>The daemon forgets it, and that it has paired.</summary>
    public async Task ForgetAsync()
    {
        await DisconnectAsync();
        IsPaired = false;
        bluez.Daemon.Objects.Remove(Path);
    }

    /// <summary>Its link has ended with the daemon or the adapter: nobody is told, and subscriptions end with the application that they are to.</summary>
    internal void Lose()
    {
        IsConnected = false;
        _subscriptions.Clear();
    }

    /// <summary>What an application is told of it with each call.</summary>
    internal Dictionary<string, VariantValue> Options(int offset)
    {
        var options = new Dictionary<string, VariantValue>(StringComparer.Ordinal)
        {
            ["device"] = new ObjectPath(Path),
            ["link"] = "LE",
            ["mtu"] = (ushort)Mtu,
        };
        if (offset > 0)
            options["offset"] = (ushort)offset;
        return options;
    }

    private void Show(BusObjects objects) => objects.Add(Path, new(StringComparer.Ordinal)
    {
        [FakeBluez.DeviceInterface] = new(StringComparer.Ordinal)
        {
            ["Address"] = Address,
            ["AddressType"] = "public",
            ["Alias"] = Address.Replace(':', '-'),
            ["Paired"] = IsPaired,
            ["Bonded"] = IsPaired,
            ["Trusted"] = false,
            ["Blocked"] = false,
            ["Connected"] = true,
            ["ServicesResolved"] = true,
            ["Adapter"] = new ObjectPath(FakeBluez.AdapterPath),
        },
    });

    private async Task<T> RequestAsync<T>(Func<Task<T>> request)
    {
        EnsureConnected();
        await _request.WaitAsync();
        try
        {
            return await request();
        }
        finally
        {
            _request.Release();
        }
    }

    private void EnsureConnected()
    {
        if (!IsConnected)
            throw new InvalidOperationException("The central is not connected.");
    }
}
