namespace FurtherLink.Tests.Gatt.Support;

/// <summary>What goes wrong with a <see cref="FakeBluez"/>; all of it is as BlueZ and radios are known to be. Nothing does unless a test asks for it.</summary>
internal sealed class BluezFaults
{
    /// <summary>Notifications are cut to 5 bytes less than the MTU (to those that take several in one packet) in place of 3.</summary>
    public bool CutsNotifications { get; set; }

    /// <summary>Notifications overtake each other: the seed of the order; null = they do not.</summary>
    public int? Reorders { get; set; }

    /// <summary>By how many places one may be overtaken.</summary>
    public int ReorderWindow { get; set; } = 6;

    /// <summary>The seed by which some notifications come twice; null = none does.</summary>
    public int? Duplicates { get; set; }

    /// <summary>It knows no sockets for notifications and takes signals only.</summary>
    public bool SignalsOnly { get; set; }

    /// <summary>Whether it takes what is sent through sockets for notifications. The real one always does, without bound.</summary>
    public Gate Drains { get; } = new();

    /// <summary>The adapter can not be powered on: a switch or the system blocks its radio.</summary>
    public bool BlocksPower { get; set; }

    /// <summary>The name of the error by which RegisterApplication is answered, "org.bluez.Error.NotPermitted" for instance; null = none.</summary>
    public string? RefusesApplications { get; set; }

    /// <summary>The same for RegisterAdvertisement.</summary>
    public string? RefusesAdvertisements { get; set; }

    /// <summary>Flags of characteristics that it does not know, as older versions do not: an application that has one is refused.</summary>
    public ISet<string> UnknownFlags { get; } = new HashSet<string>(StringComparer.Ordinal);
}
