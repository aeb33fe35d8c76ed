namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>Names of the system's message bus and of BlueZ's interfaces on it (bluez/doc, org.bluez.*.rst).</summary>
internal static class BluezNames
{
    public const string Service = "org.bluez";
    public const string Adapter = "org.bluez.Adapter1";
    public const string Device = "org.bluez.Device1";
    public const string Agent = "org.bluez.Agent1";
    public const string AgentManager = "org.bluez.AgentManager1";
    public const string AgentManagerPath = "/org/bluez";
    public const string GattManager = "org.bluez.GattManager1";
    public const string GattService = "org.bluez.GattService1";
    public const string GattCharacteristic = "org.bluez.GattCharacteristic1";
    public const string AdvertisingManager = "org.bluez.LEAdvertisingManager1";
    public const string Advertisement = "org.bluez.LEAdvertisement1";
    public const string ObjectManager = "org.freedesktop.DBus.ObjectManager";
    public const string Properties = "org.freedesktop.DBus.Properties";

    /// <summary>Errors that BlueZ turns into those of the attribute protocol.</summary>
    public static class Errors
    {
        public const string Failed = "org.bluez.Error.Failed";
        public const string InvalidOffset = "org.bluez.Error.InvalidOffset";
        public const string InvalidValueLength = "org.bluez.Error.InvalidValueLength";
        public const string NotPermitted = "org.bluez.Error.NotPermitted";
        public const string NotSupported = "org.bluez.Error.NotSupported";
        public const string Rejected = "org.bluez.Error.Rejected";
        public const string AccessDenied = "org.freedesktop.DBus.Error.AccessDenied";
        public const string UnknownObject = "org.freedesktop.DBus.Error.UnknownObject";
        public const string UnknownProperty = "org.freedesktop.DBus.Error.UnknownProperty";
    }
}
