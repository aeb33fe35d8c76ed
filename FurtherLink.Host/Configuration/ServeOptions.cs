using System.Globalization;
using FurtherLink.Messages;

namespace FurtherLink.Host.Configuration;

/// <summary>What the host itself needs to know; the rest of the settings belongs to the libraries it composes.</summary>
internal sealed class ServeOptions
{
    /// <summary>The TCP port; 0 = any free one. Default 8028.</summary>
    public int Port { get; init; } = 8028;

    /// <summary>Where to listen: "loopback", "any" or IP addresses. Default loopback.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = ["loopback"];

    /// <summary>Plain HTTP instead of TLS. Default false.</summary>
    public bool NoTls { get; init; }

    /// <summary>The PEM file with the certificate; null = found or made.</summary>
    public SettingValue? Certificate { get; init; }

    /// <summary>The PEM file with the key; null = the certificate's.</summary>
    public SettingValue? Key { get; init; }

    /// <summary>The PEM file with the authorities whose certificates clients may show; null = clients are asked for none.</summary>
    public SettingValue? ClientAuthorities { get; init; }

    /// <summary>What a client may do that shows such a certificate. Default drive.</summary>
    public Access ClientAccess { get; init; } = Access.Drive;

    /// <summary>Where the host keeps what is its own; null = by the environment.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>Where tokens are kept; null = in the state directory.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Where passwords are; null = there are none.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>Where the audit log is appended; null = nowhere.</summary>
    public string? AuditFile { get; init; }

    /// <summary>Programs of sessions that are kept or pause run in a process that outlives the server. Default true.</summary>
    public bool Hold { get; init; } = true;

    /// <summary>Where to listen on a Unix domain socket; null = in the state directory, "none" = nowhere.</summary>
    public string? Socket { get; init; }

    /// <summary>Metrics are given at /metrics. Default false.</summary>
    public bool Metrics { get; init; }

    /// <summary>Log at debug level. Default false.</summary>
    public bool Debug { get; init; }

    /// <summary>Everybody and every web page is let in. Default false.</summary>
    public bool LegacyOpen { get; init; }

    /// <summary>Also starts beyond this device while nobody has any credentials yet. Default false.</summary>
    public bool Pairing { get; init; }

    /// <summary>How long the headers of a request may take. Default 10 s.</summary>
    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Host names beside the machine's own. Default none.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Web origins whose pages need credentials. Default none.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Web origins that are trusted beside the host's own. Default none.</summary>
    public IReadOnlyList<string> TrustedOrigins { get; init; } = [];

    /// <summary>Portacode gateways may dial in. Default false.</summary>
    public bool Portacode { get; init; }

    /// <summary>Clients are served over Bluetooth LE, too. Default false.</summary>
    public bool Bluetooth { get; init; }

    /// <summary>The Portacode gateway to dial; null = none.</summary>
    public Uri? Gateway { get; init; }

    /// <summary>The folder with the device's key for gateways; null = "keys" in the state directory.</summary>
    public string? KeyDirectory { get; init; }

    /// <summary>The longest message a gateway may send, in bytes; null = its default.</summary>
    public int? GatewayMaxMessage { get; init; }

    /// <summary>Takes them from a configuration that has been checked.</summary>
    public static ServeOptions Read(HostConfiguration configuration)
    {
        var addresses = List("Address");
        return new ServeOptions
        {
            Port = Text("Port") is { } port ? int.Parse(port) : 8028,
            Addresses = addresses.Count > 0 ? addresses : ["loopback"],
            NoTls = Text("NoTls") is { } plain && Checks.IsOn(plain),
            Certificate = Value("CertificatePath"),
            Key = Value("KeyPath"),
            ClientAuthorities = Value("ClientCertificateAuthorities"),
            ClientAccess = Text("ClientCertificateAccess") is { } access ? Enum.Parse<Access>(access, ignoreCase: true) : Access.Drive,
            StateDirectory = Text("StateDirectory"),
            Hold = !(Text("NoHold") is { } held && Checks.IsOn(held)),
            TokenFile = Text("TokenFile"),
            PasswordFile = Text("PasswordFile"),
            AuditFile = Text("AuditFile"),
            Socket = Text("Socket"),
            Metrics = Text("Metrics") is { } metrics && Checks.IsOn(metrics),
            Debug = Text("Debug") is { } debug && Checks.IsOn(debug),
            LegacyOpen = Text("LegacyOpen") is { } open && Checks.IsOn(open),
            Pairing = Text("Pairing") is { } pairing && Checks.IsOn(pairing),
            HeaderTimeout = Text("HeaderTimeout") is { } header ? TimeSpan.Parse(header, CultureInfo.InvariantCulture) : TimeSpan.FromSeconds(10),
            AllowedHosts = List("AllowedHosts"),
            AllowedOrigins = List("AllowedOrigins"),
            TrustedOrigins = List("TrustedOrigins"),
            Portacode = Text("Portacode:Listen") is { } listen && Checks.IsOn(listen),
            Bluetooth = Text("Bluetooth:Listen") is { } radio && Checks.IsOn(radio) && !(Text("Bluetooth:Skip") is { } skip && Checks.IsOn(skip)),
            Gateway = Text("Portacode:GatewayUrl") is { } gateway ? new Uri(gateway) : null,
            KeyDirectory = Text("Portacode:KeyDirectory"),
            GatewayMaxMessage = Text("Portacode:MaxMessage") is { } longest ? int.Parse(longest) : null,
        };

        string? Text(string name) => Value(name)?.Text;
        SettingValue? Value(string name) => configuration.Find(FullKey(name)) is { Text.Length: > 0 } value ? value : null;
        List<string> List(string name) => [.. configuration.FindList(FullKey(name)).Select(value => value.Text)];
        static string FullKey(string name) => HostConfiguration.Section + ":" + name;
    }
}
