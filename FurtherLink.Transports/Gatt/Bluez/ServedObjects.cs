using Microsoft.Extensions.Logging;
using Tmds.DBus.Protocol;

namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>All objects of ours on one connection to the bus. They are BlueZ's to call and nobody else's.</summary>
/// <param name="root">The path above all of them; what is asked for there are the objects of the application.</param>
/// <param name="objects">The objects.</param>
/// <param name="daemon">BlueZ's own name on the bus.</param>
/// <param name="logger">The log.</param>
internal sealed partial class ServedObjects(string root, IEnumerable<ServedObject> objects, string daemon, ILogger logger) : IPathMethodHandler
{
    private readonly Dictionary<string, ServedObject> _objects = objects.ToDictionary(static one => one.Path, StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Path => root;

    /// <inheritdoc/>
    public bool HandlesChildPaths => true;

    /// <inheritdoc/>
    public ValueTask HandleMethodAsync(MethodContext context)
    {
        try
        {
            Handle(context);
        }
        catch (BluezException e)
        {
            context.ReplyError(e.Error, e.Message);
        }
        catch (DBusReadException e)
        {
            context.ReplyError(BluezNames.Errors.Failed, e.Message);
        }
        catch (Exception e)
        {
            Log.Failed(logger, e, context.Request.MemberAsString ?? "");
            context.ReplyError(BluezNames.Errors.Failed, "a fault of this device");
        }

        return ValueTask.CompletedTask;
    }

    private void Handle(MethodContext call)
    {
        var request = call.Request;
        // On the system's bus anybody on this device may call: it would be a central that nobody has paired.
        if (request.SenderAsString != daemon)
            throw new BluezException(BluezNames.Errors.AccessDenied, "these objects are for BlueZ alone");
        var path = request.PathAsString ?? "";
        var member = request.MemberAsString ?? "";
        var name = request.InterfaceAsString;
        if (path == root && name == BluezNames.ObjectManager && member == "GetManagedObjects")
        {
            ReplyObjects(call);
            return;
        }

        if (!_objects.TryGetValue(path, out var served))
            throw new BluezException(BluezNames.Errors.UnknownObject, $"there is no object {path}");
        if (name == BluezNames.Properties ? !TryProperties(served, member, call) : name != served.Interface || !served.TryCall(member, call))
            call.ReplyUnknownMethodError();
    }

    private static bool TryProperties(ServedObject served, string member, MethodContext call)
    {
        var reader = call.Request.GetBodyReader();
        switch (member)
        {
            case "GetAll":
                var all = call.CreateReplyWriter("a{sv}");
                all.WriteDictionary(reader.ReadString() == served.Interface ? served.Properties : []);
                call.Reply(all.CreateMessage());
                return true;
            case "Get":
                reader.ReadString();
                var name = reader.ReadString();
                if (!served.Properties.TryGetValue(name, out var value))
                    throw new BluezException(BluezNames.Errors.UnknownProperty, $"there is no property {name}");
                var one = call.CreateReplyWriter("v");
                one.WriteVariant(value);
                call.Reply(one.CreateMessage());
                return true;
            default:
                return false;
        }
    }

    private void ReplyObjects(MethodContext call)
    {
        var writer = call.CreateReplyWriter("a{oa{sa{sv}}}");
        var all = writer.WriteDictionaryStart();
        foreach (var served in _objects.Values.Where(static one => one.IsManaged))
        {
            writer.WriteDictionaryEntryStart();
            writer.WriteObjectPath(served.Path);
            var interfaces = writer.WriteDictionaryStart();
            writer.WriteDictionaryEntryStart();
            writer.WriteString(served.Interface);
            writer.WriteDictionary(served.Properties);
            writer.WriteDictionaryEnd(interfaces);
        }

        writer.WriteDictionaryEnd(all);
        call.Reply(writer.CreateMessage());
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Bluetooth: {Member} failed through a fault of this server")]
        public static partial void Failed(ILogger logger, Exception exception, string member);
    }
}
