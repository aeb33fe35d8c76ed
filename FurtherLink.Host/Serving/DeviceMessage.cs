using FurtherLink.Transports.Portacode.Gateways;

namespace FurtherLink.Host.Serving;

/// <summary>What a person reads when the device behind a gateway has started: who it is, and how it stands with the gateway.</summary>
internal static class DeviceMessage
{
    /// <summary>Writes what is known at once.</summary>
    public static void WriteIdentity(TextWriter output, string version, Uri gateway, DeviceIdentity identity)
    {
        output.WriteLine($"FurtherLink {version} is a device behind the gateway");
        output.WriteLine($"  {DeviceDirectory.Printable(gateway)}");
        output.WriteLine($"Key {identity.Fingerprint}");
        output.WriteLine($"  {identity.PublicKeyFile}");
        output.Flush();
    }

    /// <summary>Writes what came of the first attempt.</summary>
    public static void WriteState(TextWriter output, GatewayReport report)
    {
        output.WriteLine(report switch
        {
            { State: GatewayState.Connected } => "Connected.",
            { State: GatewayState.Rejected } => $"Rejected: {report.Why}. Register the key with the gateway{(report.IsLast ? "" : "; attempts go on")}.",
            _ => $"Waiting: {report.Why}; attempts go on.",
        });
        if (!report.IsLast)
            output.WriteLine("Ctrl-C stops it.");
        output.Flush();
    }
}
