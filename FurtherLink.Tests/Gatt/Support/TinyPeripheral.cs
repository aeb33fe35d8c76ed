using System.Net.Sockets;
using FurtherLink.Transports.Gatt.Bluez;
using Microsoft.Win32.SafeHandles;
using Tmds.DBus.Protocol;

namespace FurtherLink.Tests.Gatt.Support;

/// <summary>The least application of BlueZ's that there is, to try the fake with: one characteristic that is read, written and notified of.</summary>
internal sealed class TinyPeripheral : IPathMethodHandler, IDisposable
{
    public const string Uuid = "12341000-1234-1234-1234-123456789cba";
    private const string Root = "/tiny";

    private readonly DBusConnection _connection;
    private readonly bool _hasSockets;
    private readonly string[] _flags;
    private Socket? _socket;

    private TinyPeripheral(DBusConnection connection, bool hasSockets, string[] flags)
    {
        _connection = connection;
        _hasSockets = hasSockets;
        _flags = flags;
    }

    public byte[] Value { get; set; } = [];

    /// <summary>The calls it was sent, as "member device mtu offset".</summary>
    public List<string> Calls { get; } = [];

    string IPathMethodHandler.Path => Root;

    bool IPathMethodHandler.HandlesChildPaths => true;

    public static async Task<TinyPeripheral> StartAsync(PrivateBus bus, bool hasSockets = true, params string[] flags)
    {
        var connection = new DBusConnection(bus.Address);
        await connection.ConnectAsync();
        var peripheral = new TinyPeripheral(connection, hasSockets, flags.Length > 0 ? flags : ["read", "write", "notify"]);
        connection.AddMethodHandler(peripheral);
        return peripheral;
    }

    public Task RegisterAsync() => RegisterAsync("org.bluez.GattManager1", "RegisterApplication", Root);

    public Task AdvertiseAsync() => RegisterAsync("org.bluez.LEAdvertisingManager1", "RegisterAdvertisement", Root + "/advertisement");

    public Task RegisterAgentAsync(string capability) => _connection.CallMethodAsync(
        _connection.Call("org.bluez", "/org/bluez", "org.bluez.AgentManager1", "RegisterAgent", "os", (ref MessageWriter writer) =>
        {
            writer.WriteObjectPath(Root + "/agent");
            writer.WriteString(capability);
        }));

    public Task SetAsync(string name, VariantValue value) => _connection.SetAsync("org.bluez", "/org/bluez/hci0", "org.bluez.Adapter1", name, value);

    public async Task NotifyAsync(byte[] value)
    {
        if (_socket is not null)
            await _socket.SendAsync(value, SocketFlags.None);
        else
            _connection.SignalChange(Root + "/s/c", FakeCharacteristic.Interface, new(StringComparer.Ordinal) { ["Value"] = VariantValue.Array(value) });
    }

    /// <summary>Sends through the socket as often as it takes it at once.</summary>
    public int FillSocket(byte[] value, int most)
    {
        _socket!.Blocking = false;
        for (var sent = 0; sent < most; sent++)
        {
            _socket.Send(value, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
                return sent;
        }

        return most;
    }

    /// <summary>Waits until the other end of the socket is closed.</summary>
    public async Task<int> EndOfSocketAsync() => await _socket!.ReceiveAsync(new byte[1], SocketFlags.None);

    public ValueTask HandleMethodAsync(MethodContext context)
    {
        var request = context.Request;
        switch (request.MemberAsString)
        {
            case "GetManagedObjects":
                ReplyObjects(context);
                break;
            case "GetAll":
                var all = context.CreateReplyWriter("a{sv}");
                all.WriteDictionary(new Dictionary<string, VariantValue>(StringComparer.Ordinal) { ["Type"] = "peripheral", ["LocalName"] = "tiny" });
                context.Reply(all.CreateMessage());
                break;
            case "ReadValue":
                var offset = Note(request, value: false).Offset;
                var read = context.CreateReplyWriter("ay");
                read.WriteArray(Value.AsSpan(offset));
                context.Reply(read.CreateMessage());
                break;
            case "WriteValue":
                Value = Note(request, value: true).Value;
                Done(context);
                break;
            case "AcquireNotify":
                Note(request, value: false);
                SafeFileHandle theirs;
                (_socket, theirs) = SocketPair.Create();
                using (theirs)
                {
                    var acquired = context.CreateReplyWriter("hq");
                    acquired.WriteHandle(theirs);
                    acquired.WriteUInt16(517);
                    context.Reply(acquired.CreateMessage());
                }

                break;
            case "RequestConfirmation" when request.GetBodyReader() is var reader && reader.ReadObjectPathAsString() is { } device && reader.ReadUInt32() is 13:
                context.ReplyError("org.bluez.Error.Rejected", device);
                break;
            default:
                Calls.Add(request.MemberAsString!);
                Done(context);
                break;
        }

        return ValueTask.CompletedTask;
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _connection.Dispose();
    }

    private static void Done(MethodContext context)
    {
        if (!context.NoReplyExpected)
            context.Reply(context.CreateReplyWriter(null!).CreateMessage());
    }

    private Task RegisterAsync(string interfaceName, string member, string path) => _connection.CallMethodAsync(
        _connection.Call("org.bluez", "/org/bluez/hci0", interfaceName, member, "oa{sv}", (ref MessageWriter writer) =>
        {
            writer.WriteObjectPath(path);
            writer.WriteDictionary(new Dictionary<string, VariantValue>(StringComparer.Ordinal));
        }));

    private (byte[] Value, int Offset) Note(Message request, bool value)
    {
        var reader = request.GetBodyReader();
        var bytes = value ? reader.ReadArrayOfByte() : [];
        var options = reader.ReadDictionaryOfStringToVariantValue();
        var offset = options.TryGetValue("offset", out var given) ? given.GetUInt16() : 0;
        Calls.Add($"{request.MemberAsString} {options["device"].GetObjectPathAsString()} {options["link"].GetString()} {options["mtu"].GetUInt16()} {offset}");
        return (bytes, offset);
    }

    private void ReplyObjects(MethodContext context)
    {
        var writer = context.CreateReplyWriter("a{oa{sa{sv}}}");
        var all = writer.WriteDictionaryStart();
        Write(ref writer, Root + "/s", "org.bluez.GattService1", new(StringComparer.Ordinal) { ["UUID"] = FurtherCentral.Service, ["Primary"] = true });
        var properties = new Dictionary<string, VariantValue>(StringComparer.Ordinal)
        {
            ["UUID"] = Uuid,
            ["Service"] = new ObjectPath(Root + "/s"),
            ["Flags"] = VariantValue.Array(_flags),
        };
        if (_hasSockets)
            properties["NotifyAcquired"] = false;
        Write(ref writer, Root + "/s/c", FakeCharacteristic.Interface, properties);
        writer.WriteDictionaryEnd(all);
        context.Reply(writer.CreateMessage());
    }

    private static void Write(ref MessageWriter writer, string path, string interfaceName, Dictionary<string, VariantValue> properties)
    {
        writer.WriteDictionaryEntryStart();
        writer.WriteObjectPath(path);
        var interfaces = writer.WriteDictionaryStart();
        writer.WriteDictionaryEntryStart();
        writer.WriteString(interfaceName);
        writer.WriteDictionary(properties);
        writer.WriteDictionaryEnd(interfaces);
    }
}
