using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Gatt.Support;

/// <summary>
/// BlueZ's daemon as a peripheral sees it, on a bus of a test's own: an adapter, what registers there, and centrals (<see cref="FakeCentral"/>) that a test
/// plays. It asks an application for its objects before it answers its registration, as the real one does. Thread safe.
/// </summary>
internal sealed class FakeBluez : IAsyncDisposable
{
    public const string Name = "org.bluez";
    public const string AdapterPath = "/org/bluez/hci0";
    public const string AdapterInterface = "org.bluez.Adapter1";
    public const string DeviceInterface = "org.bluez.Device1";

    private readonly string _address;
    private readonly Lock _lock = new();
    private readonly List<FakeCentral> _centrals = [];
    private FakeDaemon? _daemon;
    private int _addresses;

    private FakeBluez(string address) => _address = address;

    public BluezFaults Faults { get; } = new();

    /// <summary>What has been registered and is.</summary>
    public FakeRegistry Registry => Daemon.Registry;

    /// <summary>Applications that have registered.</summary>
    public IReadOnlyList<FakeApplication> Applications => _daemon?.Registry.Applications ?? [];

    /// <summary>What is advertised.</summary>
    public IReadOnlyList<BusObject> Advertisements => _daemon?.Registry.Advertisements ?? [];

    /// <summary>The agent that is asked about pairing; null = none.</summary>
    public FakeRegistry.AgentEntry? Agent => _daemon?.Registry.Agent;

    /// <summary>Whether there is an adapter that is on.</summary>
    public bool IsPowered => _daemon is { } daemon && daemon.Objects.Has(AdapterPath) && daemon.Objects.Get(AdapterPath, AdapterInterface, "Powered").GetBool();

    internal FakeDaemon Daemon => _daemon ?? throw new InvalidOperationException("The daemon is not on the bus.");

    /// <summary>Starts it.</summary>
    /// <param name="bus">Where.</param>
    /// <param name="hasAdapter">Whether there is an adapter.</param>
    /// <param name="isPowered">Whether that is on.</param>
    public static async Task<FakeBluez> StartAsync(PrivateBus bus, bool hasAdapter = true, bool isPowered = true)
    {
        var bluez = new FakeBluez(bus.Address);
        await bluez.ReturnAsync(hasAdapter, isPowered);
        return bluez;
    }

    /// <summary>Comes (back) to the bus, under another name of its own, knowing of nobody.</summary>
    public async Task ReturnAsync(bool hasAdapter = true, bool isPowered = true) =>
        _daemon = await FakeDaemon.StartAsync(_address, Faults, CentralAt, hasAdapter, isPowered);

    /// <summary>Leaves the bus without a word, as one that has crashed: whoever was connected is not.</summary>
    public async Task LeaveAsync()
    {
        var daemon = Daemon;
        foreach (var central in Centrals())
            central.Lose();
        _daemon = null;
        await daemon.DisposeAsync();
    }

    /// <summary>Unplugs the adapter.</summary>
    public async Task RemoveAdapterAsync()
    {
        foreach (var central in Centrals())
            central.Lose();
        await Daemon.RemoveAdapterAsync();
    }

    /// <summary>Plugs an adapter in.</summary>
    public void AddAdapter(bool isPowered = false) => Daemon.AddAdapter(isPowered);

    /// <summary>Switches the adapter on or off, as somebody at the machine may.</summary>
    public Task PowerAsync(bool isOn) => Daemon.PowerAsync(isOn);

    /// <summary>Waits until an application and an advertisement are registered.</summary>
    public Task ServedAsync() => Patience.UntilAsync(() => Applications.Count > 0 && Advertisements.Count > 0, "an application and an advertisement");

    /// <summary>A device with Bluetooth, not connected yet.</summary>
    /// <param name="mtu">How much its link carries at once, in bytes.</param>
    /// <param name="address">Its radio's address; null = one that no other has.</param>
    public FakeCentral NewCentral(int mtu = 517, string? address = null)
    {
        lock (_lock)
        {
            var central = new FakeCentral(this, address ?? $"C0:FF:EE:00:00:{++_addresses:X2}", mtu);
            _centrals.Add(central);
            return central;
        }
    }

    /// <summary>The same, connected.</summary>
    public async Task<FakeCentral> ConnectAsync(int mtu = 517)
    {
        var central = NewCentral(mtu);
        await central.ConnectAsync();
        return central;
    }

    /// <summary>A characteristic that an application has registered.</summary>
    public FakeCharacteristic Characteristic(string uuid) =>
        Applications.SelectMany(static one => one.Characteristics).FirstOrDefault(one => string.Equals(one.Uuid, uuid, StringComparison.OrdinalIgnoreCase))
        ?? throw new InvalidOperationException($"No application has registered a characteristic {uuid}.");

    public async ValueTask DisposeAsync()
    {
        if (_daemon is not null)
            await LeaveAsync();
    }

    private FakeCentral[] Centrals()
    {
        lock (_lock)
            return [.. _centrals];
    }

    private FakeCentral? CentralAt(string path) => Centrals().FirstOrDefault(one => one.Path == path);
}
