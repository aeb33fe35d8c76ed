using System.Net.Sockets;
using Tmds.DBus.Protocol;

namespace FurtherLink.Tests.Gatt.Support;

/// <summary>A characteristic of an application, as the daemon deals with it: it reads and writes for centrals, and passes on what it is notified of.</summary>
internal sealed class FakeCharacteristic(DBusConnection connection, BluezFaults faults, string owner, BusObject shown) : IAsyncDisposable
{
    public const string Interface = "org.bluez.GattCharacteristic1";

    private readonly SemaphoreSlim _subscribing = new(1);
    private readonly CancellationTokenSource _gone = new();
    private readonly Lock _lock = new();
    private readonly List<Subscription> _subscriptions = [];
    private Socket? _socket;
    private Task _draining = Task.CompletedTask;

    public string Uuid { get; } = shown.Text("UUID");

    public string Path => shown.Path;

    public string[] Flags { get; } = shown.Properties.TryGetValue("Flags", out var flags) ? flags.GetArray<string>() : [];

    /// <summary>Whether there is a socket for its notifications.</summary>
    public bool IsAcquired
    {
        get
        {
            lock (_lock)
                return _socket is not null;
        }
    }

    /// <summary>The MTU with which the socket was asked for: that of who subscribed first.</summary>
    public int AcquiredMtu { get; private set; }

    /// <summary>Who is subscribed.</summary>
    public IReadOnlyList<Subscription> Subscriptions
    {
        get
        {
            lock (_lock)
                return [.. _subscriptions];
        }
    }

    /// <summary>Reads from an offset; all that is left.</summary>
    public async Task<byte[]> ReadAsync(FakeCentral central, int offset)
    {
        Demand(central, "read", AttributeError.ReadNotPermitted);
        return await CallAsync("ReadValue", "a{sv}", central, offset, value: null, isRead: true, static (message, _) => message.GetBodyReader().ReadArrayOfByte());
    }

    /// <summary>Writes.</summary>
    public async Task WriteAsync(FakeCentral central, byte[] value)
    {
        Demand(central, "write", AttributeError.WriteNotPermitted);
        // 512 by the standard; the daemon counts the 2 bytes of the handle.
        if (value.Length > 510)
            throw new AttributeError(AttributeError.InvalidLength, "Invalid attribute value length");
        await CallAsync("WriteValue", "aya{sv}", central, offset: 0, value, isRead: false, static (_, _) => true);
    }

    /// <summary>Subscribes a central: the first one starts notifications.</summary>
    public async Task<Subscription> SubscribeAsync(FakeCentral central)
    {
        Demand(central, "notify", AttributeError.WriteNotPermitted);
        await _subscribing.WaitAsync();
        try
        {
            var subscription = new Subscription(central, faults);
            bool isFirst;
            lock (_lock)
            {
                isFirst = _subscriptions.Count == 0;
                _subscriptions.Add(subscription);
            }

            if (IsAcquired || (shown.Properties.ContainsKey("NotifyAcquired") && !faults.SignalsOnly && await TryAcquireAsync(central)))
                return subscription;
            if (isFirst)
                await TryCallAsync("StartNotify");
            return subscription;
        }
        finally
        {
            _subscribing.Release();
        }
    }

    /// <summary>A central does not listen any more, or has gone: the last one ends notifications.</summary>
    public async Task UnsubscribeAsync(FakeCentral central)
    {
        await _subscribing.WaitAsync();
        try
        {
            Subscription? subscription;
            bool isLast;
            lock (_lock)
            {
                subscription = _subscriptions.Find(one => one.Central == central);
                if (subscription is null)
                    return;
                _subscriptions.Remove(subscription);
                isLast = _subscriptions.Count == 0;
            }

            await subscription.DisposeAsync();
            if (isLast && !CloseSocket(null))
                await TryCallAsync("StopNotify");
        }
        finally
        {
            _subscribing.Release();
        }
    }

    /// <summary>Passes a value on to everybody.</summary>
    public void Deliver(byte[] value)
    {
        foreach (var subscription in Subscriptions)
            subscription.Take(value);
    }

    /// <summary>The application has gone.</summary>
    public async ValueTask DisposeAsync()
    {
        await _gone.CancelAsync();
        CloseSocket(null);
        await _draining;
        foreach (var subscription in Subscriptions)
            await subscription.DisposeAsync();
    }

    private void Demand(FakeCentral central, string kind, byte otherwise)
    {
        if (!Flags.Any(flag => flag == kind || flag.EndsWith("-" + kind, StringComparison.Ordinal) || (kind == "write" && flag == "write-without-response")))
            throw new AttributeError(otherwise, $"{Uuid} has no flag {kind} among {string.Join(' ', Flags)}");
        // "encrypt-write", "secure-read": whatever else is allowed.
        if (Flags.Any(flag => flag.EndsWith("-" + kind, StringComparison.Ordinal) && (flag.Split('-')[0] is "encrypt" or "secure")) && !central.IsPaired)
            throw new AttributeError(AttributeError.NotEncrypted, "Insufficient Encryption");
    }

    private async Task<T> CallAsync<T>(
        string member, string signature, FakeCentral central, int offset, byte[]? value, bool isRead, MessageValueReader<T> reader)
    {
        var options = central.Options(offset);
        try
        {
            return await connection.CallMethodAsync(
                connection.Call(owner, Path, Interface, member, signature, (ref MessageWriter writer) =>
                {
                    if (value is not null)
                        writer.WriteArray(value);
                    writer.WriteDictionary(options);
                }),
                reader);
        }
        catch (DBusErrorReplyException e)
        {
            throw AttributeError.Of(e.ErrorName, e.ErrorMessage, isRead);
        }
    }

    private async Task<bool> TryAcquireAsync(FakeCentral central)
    {
        var options = central.Options(offset: 0);
        try
        {
            var (handle, mtu) = await connection.CallMethodAsync(
                connection.Call(owner, Path, Interface, "AcquireNotify", "a{sv}", (ref MessageWriter writer) => writer.WriteDictionary(options)),
                static (message, _) =>
                {
                    var reader = message.GetBodyReader();
                    return (reader.ReadHandle<SafeSocketHandle>(), reader.ReadUInt16());
                });
            var socket = new Socket(handle!);
            AcquiredMtu = mtu;
            lock (_lock)
                _socket = socket;
            _draining = DrainAsync(socket);
            return true;
        }
        catch (DBusErrorReplyException)
        {
            return false; // the daemon tries StartNotify then
        }
    }

    private async Task TryCallAsync(string member)
    {
        try
        {
            await connection.CallMethodAsync(connection.Call(owner, Path, Interface, member));
        }
        catch (DBusExceptionBase)
        {
            // The daemon does not look at the answer.
        }
    }

    private async Task DrainAsync(Socket socket)
    {
        var buffer = new byte[512];
        try
        {
            while (true)
            {
                await faults.Drains.WaitAsync(_gone.Token);
                var length = await socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None);
                if (length == 0)
                    break;
                await faults.Drains.WaitAsync(_gone.Token);
                Deliver(buffer[..length]);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Closed by either side.
        }

        CloseSocket(socket);
    }

    private bool CloseSocket(Socket? which)
    {
        Socket? closed;
        lock (_lock)
        {
            if (which is not null && which != _socket)
                return false;
            closed = _socket;
            _socket = null;
        }

        closed?.Dispose();
        return closed is not null;
    }
}
