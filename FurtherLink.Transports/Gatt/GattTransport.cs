using FurtherLink.Security.Pairing;
using FurtherLink.Transports.Gatt.Bluez;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tmds.DBus.Protocol;

namespace FurtherLink.Transports.Gatt;

/// <summary>
/// Offers the services by BlueZ as long as the host runs. Where there is no bus, no BlueZ, no adapter, or one that is off, it says so once and comes back by
/// itself; nothing else in the host is affected.
/// </summary>
internal sealed partial class GattTransport : BackgroundService, IPairingAnswers
{
    private readonly FurtherService _service;
    private readonly PairingDesk _desk;
    private readonly GattOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Peripheral _peripheral;
    private readonly SemaphoreSlim _changed = new(0, 1);
    private string? _told;
    private bool _switchedOn;
    private volatile string? _offered; // the adapter's path; null when it has gone since

    /// <summary>Makes it.</summary>
    public GattTransport(FurtherService service, PairingDesk desk, IOptions<GattOptions> options, TimeProvider time, ILogger<GattTransport> logger)
    {
        _service = service;
        _desk = desk;
        _options = options.Value;
        _time = time;
        _logger = logger;
        _peripheral = new Peripheral(
            [(FurtherService.Uuid, service.Characteristics), (InformationService.Uuid, InformationService.Create(_options.Information))],
            _options.Name ?? "furtherlink-" + Environment.MachineName,
            _options.Advertise ? [FurtherService.Uuid, InformationService.Uuid] : [],
            !_options.LegacyUnencrypted,
            this);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _changed.Dispose();
    }

    /// <inheritdoc/>
    public bool Allows(string device, uint? passkey)
    {
        var allowed = _options.AlwaysPair || _desk.IsOpen;
        if (!allowed)
            Log.NotPaired(_logger, Central.AddressOf(device));
        else if (passkey is { } number)
            Log.Compare(_logger, Central.AddressOf(device), number);
        return allowed;
    }

    /// <inheritdoc/>
    public void Show(string device, uint passkey) => Log.Compare(_logger, Central.AddressOf(device), passkey);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ServeBusAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (e is DBusExceptionBase or IOException or System.Net.Sockets.SocketException or InvalidOperationException)
            {
                Tell(Explain(e));
            }

            ForgetAll();
            await Task.Delay(_options.RetryDelay, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _service.Clients.StopAsync().ConfigureAwait(false);
    }

    private static string Explain(Exception e) => e switch
    {
        DBusConnectFailedException => $"there is no system message bus ({e.Message}); it is in Debian's package dbus",
        DBusErrorReplyException { ErrorName: "org.freedesktop.DBus.Error.AccessDenied" } =>
            $"this user may not use Bluetooth ({e.Message}); \"sudo usermod -aG bluetooth {Environment.UserName}\" and a new login let it",
        DBusErrorReplyException reply => $"BlueZ says: {reply.ErrorMessage} ({reply.ErrorName})",
        _ => e.Message,
    };

    /// <summary>Serves as long as there is the bus.</summary>
    private async Task ServeBusAsync(CancellationToken stoppingToken)
    {
        using var bus = new DBusConnection(_options.BusAddress ?? DBusAddress.System ?? throw new IOException("there is no system message bus; it is in Debian's package dbus"));
        await bus.ConnectAsync().ConfigureAwait(false);
        using var signals = new BluezSignals(OnChange, ForgetDevice);
        await signals.ListenAsync(bus).ConfigureAwait(false);
        using var owners = await bus.WatchNameOwnerAsync(BluezNames.Service).ConfigureAwait(false);
        while (true)
        {
            if (owners.GetCurrentOwner() is null)
                Tell("BlueZ does not run; it is in Debian's package bluez, and \"sudo systemctl start bluetooth\" starts it");
            var owner = await owners.WaitForOwnerAsync(stoppingToken).ConfigureAwait(false);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, owners.GetOwnerChangedCancellationToken(owner));
            try
            {
                await ServeDaemonAsync(bus, NameOwnerWatcher.GetOwnerBusName(owner), ended.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or DBusExceptionBase && !stoppingToken.IsCancellationRequested && ended.IsCancellationRequested)
            {
                // BlueZ has gone; another may come. Where the bus has gone, the next call says so.
                ForgetAll();
            }
        }
    }

    /// <summary>Serves as long as BlueZ runs.</summary>
    private async Task ServeDaemonAsync(DBusConnection bus, string daemon, CancellationToken ended)
    {
        var calls = new BluezCalls(bus);
        BluezAdapter? offered = null;
        try
        {
            while (true)
            {
                var adapters = await calls.FindAdaptersAsync().ConfigureAwait(false);
                var adapter = adapters.Find(IsWanted);
                if (offered is not null && (_offered is null || adapter is null || adapter.Path != offered.Path || !adapter.Powered))
                {
                    await Peripheral.WithdrawAsync(bus, offered).ConfigureAwait(false);
                    offered = null;
                    ForgetAll();
                }

                if (offered is null && adapter is not null && await IsOnAsync(calls, adapter).ConfigureAwait(false))
                {
                    offered = adapter;
                    _offered = adapter.Path;
                    await _peripheral.OfferAsync(bus, daemon, adapter, _logger).ConfigureAwait(false);
                    _told = null;
                    _switchedOn = true;
                    Log.Serving(_logger, adapter.Name, _peripheral.Name);
                }
                else if (adapter is null)
                    Tell(_options.Adapter is { } name ? $"there is no adapter {name}" : "there is no adapter for Bluetooth LE");
                await _changed.WaitAsync(ended).ConfigureAwait(false);
            }
        }
        finally
        {
            if (offered is not null)
                await Peripheral.WithdrawAsync(bus, offered).ConfigureAwait(false);
        }
    }

    private bool IsWanted(BluezAdapter adapter) => adapter.Serves && (_options.Adapter is null || adapter.Name == _options.Adapter);

    /// <summary>Switches it on, once: who switches it off later has a reason.</summary>
    private async Task<bool> IsOnAsync(BluezCalls calls, BluezAdapter adapter)
    {
        if (adapter.Powered)
            return true;
        if (!_switchedOn)
        {
            _switchedOn = true;
            Rfkill.Unblock();
            try
            {
                await calls.SetAsync(adapter.Path, BluezNames.Adapter, "Powered", true).ConfigureAwait(false);
                return true;
            }
            catch (DBusErrorReplyException e)
            {
                Tell($"the adapter {adapter.Name} cannot be switched on: {e.ErrorMessage} ({e.ErrorName}); \"rfkill list\" says whether it is blocked");
                return false;
            }
        }

        Tell($"the adapter {adapter.Name} is off; \"bluetoothctl power on\" switches it on");
        return false;
    }

    private void OnChange(string? removed)
    {
        // It may be there again before anybody looks, and knows nothing of us then.
        if (removed is not null && removed == _offered)
            _offered = null;
        try
        {
            _changed.Release();
        }
        catch (SemaphoreFullException)
        {
            // It will be looked at.
        }
    }

    private void ForgetDevice(string device)
    {
        foreach (var characteristic in _service.Characteristics)
            characteristic.Forget(device);
        _service.Clients.Forget(device);
    }

    private void ForgetAll() => _service.Clients.Forget();

    private void Tell(string why)
    {
        if (why == _told)
            return;
        _told = why;
        Log.Waiting(_logger, why);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Bluetooth: clients find this device as \"{Name}\" by the adapter {Adapter}")]
        public static partial void Serving(ILogger logger, string adapter, string name);

        [LoggerMessage(LogLevel.Warning, "Bluetooth waits: {Why}")]
        public static partial void Waiting(ILogger logger, string why);

        [LoggerMessage(LogLevel.Warning, "Bluetooth: {Address} wants to pair, which it may only while \"furtherlink pair\" waits for somebody")]
        public static partial void NotPaired(ILogger logger, string address);

        [LoggerMessage(LogLevel.Information, "Bluetooth: {Address} pairs; it must show the number {Passkey:D6}")]
        public static partial void Compare(ILogger logger, string address, uint passkey);
    }
}
