using FurtherLink.Transports.Portacode.Gateways;

namespace FurtherLink.Host.Serving;

/// <summary>What a person reads when the device behind a gateway has started: who it is, and how it stands with the gateway.</summary>
internal static class DeviceMessage
{
    /// <summary>Writes it.</summary>
    public static void Write(TextWriter output, string version, Uri gateway, DeviceIdentity identity, GatewayReport report)
    {
        output.WriteLine($"FurtherLink {version} is a device behind the gateway");
        output.WriteLine($"  {DeviceDirectory.Printable(gateway)}");
        output.WriteLine($"Key {identity.Fingerprint}");
        output.WriteLine($"  {identity.PublicKeyFile}");
        output.WriteLine(report switch
        {
            { State: GatewayState.Connected } => "Connected.",
            { State: GatewayState.Rejected } => $"Rejected: {report.Why}. Register the key with the gateway{(report.IsLast ? "" : "; attempts go on")}.",
            { Why.Length: > 0 } => $"Waiting: {report.Why}; attempts go on.",
            _ => "Waiting: the gateway has not answered yet.",
        });
        if (!report.IsLast)
            output.WriteLine("Ctrl-C stops it.");
        output.Flush();
    }
}
