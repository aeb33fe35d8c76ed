using Tmds.DBus.Protocol;

namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>A characteristic on the bus.</summary>
/// <param name="path">Where it is.</param>
/// <param name="service">The path of its service.</param>
/// <param name="characteristic">What is behind it.</param>
/// <param name="encryption">What of it is only for those whose link is encrypted.</param>
/// <param name="connection">The bus.</param>
internal sealed class CharacteristicObject(string path, string service, Characteristic characteristic, Encryption encryption, DBusConnection connection)
    : ServedObject(path, BluezNames.GattCharacteristic)
{
    /// <inheritdoc/>
    public override Dictionary<string, VariantValue> Properties
    {
        get
        {
            var properties = new Dictionary<string, VariantValue>(StringComparer.Ordinal)
            {
                ["UUID"] = characteristic.Uuid,
                ["Service"] = new ObjectPath(service),
                ["Flags"] = VariantValue.Array(Flags),
            };
            // It is there at all: BlueZ then hands out a socket for notifications.
            if (characteristic.Notifications is not null)
                properties["NotifyAcquired"] = false;
            return properties;
        }
    }

    private string[] Flags
    {
        get
        {
            var flags = new List<string>();
            var encrypted = encryption is not Encryption.None;
            if (characteristic.Reads)
                flags.Add(encrypted ? "encrypt-read" : "read");
            if (characteristic.Writes && encrypted)
                flags.Add("encrypt-write");
            else if (characteristic.Writes)
                flags.AddRange(["write", "write-without-response"]);
            if (characteristic.Notifications is not null)
                flags.AddRange(encryption is Encryption.All ? ["notify", "encrypt-notify"] : ["notify"]);
            return [.. flags];
        }
    }

    /// <inheritdoc/>
    public override bool TryCall(string member, MethodContext call)
    {
        var reader = call.Request.GetBodyReader();
        switch (member)
        {
            case "ReadValue" when characteristic.Reads:
                var value = characteristic.Read(Central.Of(reader.ReadDictionaryOfStringToVariantValue()));
                var reply = call.CreateReplyWriter("ay");
                reply.WriteArray(value.Span);
                call.Reply(reply.CreateMessage());
                return true;
            case "WriteValue" when characteristic.Writes:
                var written = reader.ReadArrayOfByte();
                Take(Central.Of(reader.ReadDictionaryOfStringToVariantValue()), written, call);
                return true;
            case "AcquireNotify" when characteristic.Notifications is { } notifications:
                Acquire(notifications, Central.Of(reader.ReadDictionaryOfStringToVariantValue()), call);
                return true;
            case "StartNotify" when characteristic.Notifications is { } notifications:
                notifications.StartSignals(Signal);
                ReplyDone(call);
                return true;
            case "StopNotify" when characteristic.Notifications is { } notifications:
                notifications.StopSignals();
                ReplyDone(call);
                return true;
            case "Confirm":
                ReplyDone(call);
                return true;
            default:
                return false;
        }
    }

    private void Take(Central central, byte[] value, MethodContext call)
    {
        if (central.Offset != 0)
            throw new BluezException(BluezNames.Errors.InvalidOffset, "a chunk is written whole");
        var taken = characteristic.WriteAsync(central, value);
        if (taken.IsCompletedSuccessfully)
            ReplyDone(call);
        else
        {
            // Others are served meanwhile.
            call.DisposesAsynchronously = true;
            _ = AnswerAsync(taken, call);
        }
    }

    private static async Task AnswerAsync(ValueTask taken, MethodContext call)
    {
        using (call)
        {
            try
            {
                await taken.ConfigureAwait(false);
                ReplyDone(call);
            }
            catch (BluezException e)
            {
                call.ReplyError(e.Error, e.Message);
            }
            catch (Exception e) when (e is OperationCanceledException or InvalidOperationException)
            {
                call.ReplyError(BluezNames.Errors.Failed, "the device stops");
            }
        }
    }

    private static void Acquire(NotifyChannel notifications, Central central, MethodContext call)
    {
        var mtu = central.Mtu ?? NotifyChannel.LeastMtu;
        using var theirs = notifications.Acquire(mtu);
        var writer = call.CreateReplyWriter("hq");
        writer.WriteHandle(theirs);
        writer.WriteUInt16((ushort)mtu);
        call.Reply(writer.CreateMessage());
    }

    /// <summary>Notifies by a change of the property Value, where BlueZ takes no socket.</summary>
    private bool Signal(ReadOnlySpan<byte> value)
    {
        var writer = connection.GetMessageWriter();
        writer.WriteSignalHeader(null!, Path, BluezNames.Properties, "PropertiesChanged", "sa{sv}as");
        writer.WriteString(Interface);
        var changed = writer.WriteDictionaryStart();
        writer.WriteDictionaryEntryStart();
        writer.WriteString("Value");
        writer.WriteVariant(VariantValue.Array(value.ToArray()));
        writer.WriteDictionaryEnd(changed);
        writer.WriteArrayEnd(writer.WriteArrayStart(DBusType.String));
        return connection.TrySendMessage(writer.CreateMessage());
    }
}
