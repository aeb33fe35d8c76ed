using Tmds.DBus.Protocol;

namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>Answers BlueZ's questions while a device pairs.</summary>
/// <param name="path">Where it is on the bus.</param>
/// <param name="pairing">Decides.</param>
internal sealed class AgentObject(string path, IPairingAnswers pairing) : ServedObject(path, BluezNames.Agent)
{
    /// <inheritdoc/>
    public override bool IsManaged => false;

    /// <inheritdoc/>
    public override Dictionary<string, VariantValue> Properties => [];

    /// <inheritdoc/>
    public override bool TryCall(string member, MethodContext call)
    {
        var reader = call.Request.GetBodyReader();
        switch (member)
        {
            case "RequestAuthorization":
                Decide(pairing.Allows(reader.ReadObjectPathAsString(), passkey: null), call);
                return true;
            case "RequestConfirmation":
                var device = reader.ReadObjectPathAsString();
                Decide(pairing.Allows(device, reader.ReadUInt32()), call);
                return true;
            case "DisplayPasskey":
                var shown = reader.ReadObjectPathAsString();
                pairing.Show(shown, reader.ReadUInt32());
                ReplyDone(call);
                return true;
            case "AuthorizeService":
                // Of a device that has paired: what it may do is decided by who it is.
                ReplyDone(call);
                return true;
            case "Release" or "Cancel":
                ReplyDone(call);
                return true;
            default:
                return false;
        }
    }

    private static void Decide(bool allowed, MethodContext call)
    {
        if (!allowed)
            throw new BluezException(BluezNames.Errors.Rejected, "nobody has opened this device to be paired");
        ReplyDone(call);
    }
}

/// <summary>Decides who may pair. Called on the bus's thread; must not wait.</summary>
internal interface IPairingAnswers
{
    /// <summary>Whether a device may pair.</summary>
    /// <param name="device">The path of its object.</param>
    /// <param name="passkey">The number that both sides show and compare; null = none.</param>
    bool Allows(string device, uint? passkey);

    /// <summary>Shows a number that is to be typed at the other side.</summary>
    void Show(string device, uint passkey);
}
