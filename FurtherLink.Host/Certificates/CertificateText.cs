using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Certificates;

/// <summary>A certificate in words for a person who is to trust it.</summary>
internal static class CertificateText
{
    /// <summary>Describes it, and how it is trusted.</summary>
    /// <param name="certificate">It.</param>
    /// <param name="isOwn">Whether the host made it.</param>
    /// <param name="options">How the host serves.</param>
    public static string Describe(ServerCertificate certificate, bool isOwn, ServeOptions options)
    {
        var hash = certificate.Certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant();
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Certificate {certificate.Path}{(isOwn ? ", made by this host and renewed in time" : "")}\n");
        text.Append(CultureInfo.InvariantCulture, $"  Names   {(certificate.Names.Count > 0 ? string.Join(", ", certificate.Names) : "none")}\n");
        text.Append(CultureInfo.InvariantCulture, $"  Valid   {Date(certificate.Certificate.NotBefore)} to {Date(certificate.Certificate.NotAfter)}\n");
        text.Append(CultureInfo.InvariantCulture, $"  SHA-256 {certificate.Fingerprint}\n");
        if (options.NoTls)
            text.Append("The settings turn TLS off (NoTls): it is not used.\n");
        text.Append("To know this host by it, on another machine, as an option or within the address:\n");
        text.Append(CultureInfo.InvariantCulture, $"  --device wss://HOST:{options.Port} --fingerprint {hash}\n");
        text.Append(CultureInfo.InvariantCulture, $"  wss://HOST:{options.Port}#sha256={hash}\n");
        text.Append("To have browsers and other programs trust it, export it and add the file to what they trust:\n");
        text.Append("  furtherlink cert --export furtherlink.pem\n");
        text.Append(CultureInfo.InvariantCulture, $"  curl --cacert furtherlink.pem https://{(certificate.Names.Count > 0 ? certificate.Names[0] : "HOST")}:{options.Port}/status\n");
        return text.ToString();
    }

    private static string Date(DateTime time) => time.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
