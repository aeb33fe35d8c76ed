using Tmds.DBus.Protocol;

namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>An object of ours on the bus, with one interface of BlueZ's, which BlueZ calls.</summary>
/// <param name="path">Where it is.</param>
/// <param name="interfaceName">The interface.</param>
internal abstract class ServedObject(string path, string interfaceName)
{
    /// <summary>Where it is.</summary>
    public string Path { get; } = path;

    /// <summary>Its interface.</summary>
    public string Interface { get; } = interfaceName;

    /// <summary>Whether it is told of as a part of the application (services and characteristics are).</summary>
    public virtual bool IsManaged => true;

    /// <summary>Its properties, all constant.</summary>
    public abstract Dictionary<string, VariantValue> Properties { get; }

    /// <summary>Answers a call of a member of its interface, on the bus's thread.</summary>
    /// <param name="member">The member.</param>
    /// <param name="call">The call; what waits takes it over (<see cref="MethodContext.DisposesAsynchronously"/>).</param>
    /// <returns>False where there is no such member.</returns>
    /// <exception cref="BluezException">It cannot be carried out.</exception>
    public abstract bool TryCall(string member, MethodContext call);

    /// <summary>Answers with nothing but that it is done.</summary>
    protected static void ReplyDone(MethodContext call)
    {
        if (!call.NoReplyExpected)
            call.Reply(call.CreateReplyWriter(null!).CreateMessage());
    }
}
