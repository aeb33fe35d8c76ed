namespace FurtherLink.Transports.Gatt;

/// <summary>Settings of the transport over Bluetooth LE.</summary>
public sealed class GattOptions
{
    /// <summary>
    /// The adapter, as BlueZ calls it ("hci1"). Null, the default = the first that can be a peripheral.
    /// </summary>
    public string? Adapter { get; set; }

    /// <summary>
    /// The name that people look for while the device advertises; what does not fit into an advertisement is cut by BlueZ. Null, the default = "furtherlink-" and the
    /// machine's name.
    /// </summary>
    public string? Name { get; set; }

    /// <summary>Whether the device advertises as long as it runs. Default true; without it only devices connect that know its address.</summary>
    public bool Advertise { get; set; } = true;

    /// <summary>
    /// Careful: whoever is near enough may pair at any time. Default false: only while a window to pair is open, which a person opens at the device. To have
    /// paired only encrypts the link; what a client may do is decided by its token.
    /// </summary>
    public bool AlwaysPair { get; set; }

    /// <summary>
    /// Careful: everything goes through the air unencrypted, for old clients that cannot pair. Default false: BlueZ lets only devices in whose link is
    /// encrypted, for which they pair.
    /// </summary>
    public bool LegacyUnencrypted { get; set; }

    /// <summary>
    /// Careful: everybody who is near enough may run programs as any user, without credentials. Default false: a client shows a token in its first message.
    /// </summary>
    public bool LegacyOpen { get; set; }

    /// <summary>
    /// Bytes a second for all clients together that do not acknowledge output: BlueZ takes everything at once, however slow the radio is, and what it holds
    /// cannot be called back. Default 8000, at least 100. Clients that acknowledge (the extension "ack") go as fast as the link.
    /// </summary>
    public int Rate { get; set; } = 8000;

    /// <summary>
    /// How long a client may say nothing before its programs are stopped, or left to themselves as the program's start has said. Default 10 s, at least 1 s.
    /// </summary>
    public TimeSpan ClientTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Clients that one device may have at a time. Default 8, at least 1.</summary>
    public int MaxClientsPerDevice { get; set; } = 8;

    /// <summary>The longest message that a device may write, in bytes. Default 1 MiB, at least 1 KiB.</summary>
    public int MaxMessage { get; set; } = 1024 * 1024;

    /// <summary>How long to wait before BlueZ, or an adapter, is tried again where it cannot be told when it comes. Default 5 s, at least 100 ms.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The message bus where BlueZ is, a D-Bus address; null, the default = the system's.</summary>
    internal string? BusAddress { get; set; }

    /// <summary>What the Device Information Service says.</summary>
    public DeviceInformation Information { get; set; } = new();
}

/// <summary>What the Device Information Service says of the device; null leaves a value out.</summary>
public sealed class DeviceInformation
{
    /// <summary>Who made it (2A29). Default "FurtherLink".</summary>
    public string? Manufacturer { get; set; } = "FurtherLink";

    /// <summary>What it is (2A24). Default: the board's name where the system knows it, else the machine's name.</summary>
    public string? Model { get; set; }

    /// <summary>Its serial number (2A25). Default none.</summary>
    public string? Serial { get; set; }

    /// <summary>The version of its firmware (2A26). Default: the kernel's.</summary>
    public string? Firmware { get; set; }

    /// <summary>The version of its hardware (2A27). Default none.</summary>
    public string? Hardware { get; set; }

    /// <summary>The vendor of the PnP id (2A50), as the Bluetooth SIG numbers companies. Default 0xFFFF: none.</summary>
    public int Vendor { get; set; } = 0xFFFF;

    /// <summary>The product of the PnP id. Default 0.</summary>
    public int Product { get; set; }

    /// <summary>The version of the PnP id. Default 0.</summary>
    public int ProductVersion { get; set; }

    /// <summary>The system id (2A23), eight bytes in hexadecimal. Default none.</summary>
    public string? SystemId { get; set; }
}
