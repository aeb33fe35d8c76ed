using FurtherLink.Transports.Gatt;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FurtherLink.Tests.Gatt.Support;

/// <summary>A host that serves clients over Bluetooth, by a BlueZ that is played on a bus of its own.</summary>
internal sealed class GattRig : IAsyncDisposable
{
    private readonly PrivateBus _bus;
    private readonly string _folder;

    private GattRig(PrivateBus bus, FakeBluez bluez, IHost host, string folder) => (_bus, Bluez, Host, _folder) = (bus, bluez, host, folder);

    public FakeBluez Bluez { get; }

    public IHost Host { get; }

    public string BusAddress => _bus.Address;

    /// <summary>The work directory.</summary>
    public string Work => _folder;

    /// <summary>Starts it, open to everybody unless told otherwise; it is not offered yet.</summary>
    public static async Task<GattRig> StartAsync(Action<GattOptions>? configure = null, Action<BluezFaults>? faults = null, bool hasAdapter = true, bool isPowered = true)
    {
        var bus = await PrivateBus.StartAsync();
        var bluez = await FakeBluez.StartAsync(bus, hasAdapter, isPowered);
        faults?.Invoke(bluez.Faults);
        var folder = Directory.CreateTempSubdirectory("fl-gatt-").FullName;
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddFurtherLink().AddStandardRunners().AddGatt(configure: options =>
        {
            (options.LegacyUnencrypted, options.LegacyOpen) = (true, true);
            options.BusAddress = bus.Address;
            options.Rate = 10_000_000;
            options.Name = "here";
            configure?.Invoke(options);
        });
        builder.Services.Configure<LinkOptions>(link => link.WorkDirectory = folder);
        var host = builder.Build();
        await host.StartAsync();
        return new GattRig(bus, bluez, host, folder);
    }

    /// <summary>Starts it and waits until it is offered.</summary>
    public static async Task<GattRig> ServeAsync(Action<GattOptions>? configure = null, Action<BluezFaults>? faults = null)
    {
        var rig = await StartAsync(configure, faults);
        await rig.Bluez.ServedAsync();
        return rig;
    }

    /// <summary>A central with a link, whose clients hear what is said to runs.</summary>
    public async Task<FurtherCentral> ConnectAsync(int mtu = 517)
    {
        var central = new FurtherCentral(await Bluez.ConnectAsync(mtu));
        await central.ListenAsync("cba");
        return central;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.StopAsync();
        Host.Dispose();
        await Bluez.DisposeAsync();
        await _bus.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
