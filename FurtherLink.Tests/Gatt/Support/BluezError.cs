namespace FurtherLink.Tests.Gatt.Support;

/// <summary>By what a <see cref="FakeBluez"/> answers a call that it does not carry out.</summary>
internal sealed class BluezError(string name, string message) : Exception(message)
{
    public string Name { get; } = name;

    public static BluezError AlreadyExists => new("org.bluez.Error.AlreadyExists", "Already Exists");

    public static BluezError DoesNotExist => new("org.bluez.Error.DoesNotExist", "Does Not Exist");

    public static BluezError InvalidArguments(string why) => new("org.bluez.Error.InvalidArguments", why);

    public static BluezError Failed(string why) => new("org.bluez.Error.Failed", why);
}

/// <summary>An error of the attribute protocol: what a central sees of a request that failed.</summary>
/// <param name="code">Its number (Bluetooth Core, Vol 3, Part F, 3.4.1.1).</param>
/// <param name="message">What BlueZ was told.</param>
internal sealed class AttributeError(byte code, string message) : Exception($"0x{code:x2}: {message}")
{
    public const byte ReadNotPermitted = 0x02;
    public const byte WriteNotPermitted = 0x03;
    public const byte RequestNotSupported = 0x06;
    public const byte InvalidOffset = 0x07;
    public const byte InvalidLength = 0x0d;
    public const byte NotEncrypted = 0x0f;
    public const byte Unlikely = 0x0e;
    public const byte Application = 0x80;

    public byte Code { get; } = code;

    /// <summary>What BlueZ makes of an error that an application answers with.</summary>
    public static AttributeError Of(string name, string message, bool isRead) => new(name switch
    {
        "org.bluez.Error.InvalidOffset" => InvalidOffset,
        "org.bluez.Error.InvalidValueLength" => InvalidLength,
        "org.bluez.Error.NotAuthorized" => 0x08,
        "org.bluez.Error.InProgress" => 0xfe,
        "org.bluez.Error.NotSupported" => RequestNotSupported,
        "org.bluez.Error.NotPermitted" => isRead ? ReadNotPermitted : WriteNotPermitted,
        "org.bluez.Error.Failed" => Application,
        _ => Unlikely,
    }, message);
}
