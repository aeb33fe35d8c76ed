namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>What of a characteristic is only for devices whose link is encrypted.</summary>
internal enum Encryption
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Reads and writes: what BlueZ before 5.63 knows of.</summary>
    ReadsAndWrites,

    /// <summary>Everything, to subscribe included.</summary>
    All,
}
