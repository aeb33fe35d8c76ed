using Tmds.DBus.Protocol;

namespace FurtherLink.Tests.Gatt.Support;

/// <summary>Who has registered what at a <see cref="FakeBluez"/>. Thread safe.</summary>
internal sealed class FakeRegistry(DBusConnection connection, BluezFaults faults, BusObjects objects)
{
    public const int MaxAdvertisements = 5;
    public const string AdvertisingManager = "org.bluez.LEAdvertisingManager1";

    private readonly Lock _lock = new();
    private readonly List<FakeApplication> _applications = [];
    private readonly List<(string Owner, BusObject Shown)> _advertisements = [];
    private readonly List<AgentEntry> _agents = []; // the first is asked

    /// <summary>An agent.</summary>
    /// <param name="Owner">Its name on the bus.</param>
    /// <param name="Path">Its object.</param>
    /// <param name="Capability">What it can do: "NoInputNoOutput", "DisplayYesNo", "KeyboardDisplay" and so on.</param>
    public sealed record AgentEntry(string Owner, string Path, string Capability);

    public IReadOnlyList<FakeApplication> Applications
    {
        get
        {
            lock (_lock)
                return [.. _applications];
        }
    }

    public IReadOnlyList<BusObject> Advertisements
    {
        get
        {
            lock (_lock)
                return [.. _advertisements.Select(static one => one.Shown)];
        }
    }

    public AgentEntry? Agent
    {
        get
        {
            lock (_lock)
                return _agents.FirstOrDefault();
        }
    }

    /// <summary>How often RegisterApplication was called.</summary>
    public int ApplicationCalls { get; private set; }

    public async Task RegisterApplicationAsync(string owner, string path)
    {
        ApplicationCalls++;
        if (faults.RefusesApplications is { } error)
            throw new BluezError(error, "Refused");
        if (Applications.Any(one => one.Owner == owner && one.Path == path))
            throw BluezError.AlreadyExists;
        var application = await FakeApplication.ReadAsync(connection, faults, owner, path);
        lock (_lock)
            _applications.Add(application);
    }

    public async Task UnregisterApplicationAsync(string owner, string path)
    {
        var application = Applications.FirstOrDefault(one => one.Owner == owner && one.Path == path) ?? throw BluezError.DoesNotExist;
        await RemoveAsync(application);
    }

    public async Task RegisterAdvertisementAsync(string owner, string path)
    {
        if (faults.RefusesAdvertisements is { } error)
            throw new BluezError(error, "Refused");
        lock (_lock)
        {
            if (_advertisements.Any(one => one.Owner == owner && one.Shown.Path == path))
                throw BluezError.AlreadyExists;
            if (_advertisements.Count == MaxAdvertisements)
                throw new BluezError("org.bluez.Error.NotPermitted", "Maximum advertisements reached");
        }

        var properties = await connection.GetAllAsync(owner, path, "org.bluez.LEAdvertisement1");
        if (!properties.TryGetValue("Type", out var type) || type.GetString() is not ("peripheral" or "broadcast"))
            throw BluezError.Failed("Failed to parse advertisement.");
        if (!objects.Get(FakeBluez.AdapterPath, FakeBluez.AdapterInterface, "Powered").GetBool())
            throw BluezError.Failed("Failed to register advertisement");
        lock (_lock)
            _advertisements.Add((owner, new BusObject(path, "org.bluez.LEAdvertisement1", properties)));
        CountAdvertisements();
    }

    public void UnregisterAdvertisement(string owner, string path)
    {
        lock (_lock)
        {
            if (_advertisements.RemoveAll(one => one.Owner == owner && one.Shown.Path == path) == 0)
                throw BluezError.DoesNotExist;
        }

        CountAdvertisements();
    }

    public void RegisterAgent(string owner, string path, string capability)
    {
        lock (_lock)
        {
            if (_agents.Any(one => one.Owner == owner))
                throw BluezError.AlreadyExists;
            if (capability is not ("" or "DisplayOnly" or "DisplayYesNo" or "KeyboardOnly" or "NoInputNoOutput" or "KeyboardDisplay"))
                throw BluezError.InvalidArguments("Invalid arguments in method call");
            _agents.Add(new AgentEntry(owner, path, capability.Length == 0 ? "KeyboardDisplay" : capability));
        }
    }

    public void UnregisterAgent(string owner, string path)
    {
        lock (_lock)
        {
            if (_agents.RemoveAll(one => one.Owner == owner && one.Path == path) == 0)
                throw BluezError.DoesNotExist;
        }
    }

    public void RequestDefaultAgent(string owner, string path)
    {
        lock (_lock)
        {
            var agent = _agents.Find(one => one.Owner == owner && one.Path == path) ?? throw BluezError.DoesNotExist;
            _agents.Remove(agent);
            _agents.Insert(0, agent);
        }
    }

    /// <summary>Somebody has left the bus: what is theirs goes at once.</summary>
    public async Task ForgetAsync(string owner)
    {
        lock (_lock)
        {
            _advertisements.RemoveAll(one => one.Owner == owner);
            _agents.RemoveAll(one => one.Owner == owner);
        }

        CountAdvertisements();
        foreach (var application in Applications.Where(one => one.Owner == owner))
            await RemoveAsync(application);
    }

    /// <summary>The adapter has gone: who advertises by it is told so, services go without a word.</summary>
    public async Task ClearAsync(bool releases)
    {
        (string Owner, BusObject Shown)[] advertisements;
        lock (_lock)
        {
            advertisements = [.. _advertisements];
            _advertisements.Clear();
        }

        if (releases)
        {
            foreach (var (owner, shown) in advertisements)
                connection.TrySendMessage(connection.Call(owner, shown.Path, shown.Interface, "Release"));
        }

        foreach (var application in Applications)
            await RemoveAsync(application);
    }

    private async Task RemoveAsync(FakeApplication application)
    {
        lock (_lock)
            _applications.Remove(application);
        await application.DisposeAsync();
    }

    private void CountAdvertisements()
    {
        var count = (byte)Advertisements.Count;
        if (objects.Has(FakeBluez.AdapterPath))
            objects.Change(FakeBluez.AdapterPath, AdvertisingManager, ("ActiveInstances", count), ("SupportedInstances", (byte)(MaxAdvertisements - count)));
    }
}
