using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Certificates;

/// <summary>The certificate that the host shows, with the rest of its chain.</summary>
/// <param name="certificate">The certificate with its private key.</param>
/// <param name="chain">What its file holds after it.</param>
/// <param name="path">The file it came from.</param>
/// <param name="keyPath">The file that its key came from.</param>
/// <param name="stamp">What its files held, in short.</param>
internal sealed class ServerCertificate(X509Certificate2 certificate, X509Certificate2Collection chain, string path, string keyPath, string stamp) : IDisposable
{
    /// <summary>The certificate with its private key.</summary>
    public X509Certificate2 Certificate { get; } = certificate;

    /// <summary>Intermediate certificates sent along.</summary>
    public X509Certificate2Collection Chain { get; } = chain;

    /// <summary>The file it came from.</summary>
    public string Path { get; } = path;

    /// <summary>The file that its key came from.</summary>
    public string KeyPath { get; } = keyPath;

    /// <summary>SHA-256 of the certificate, as openssl and browsers show it: "AB:CD:...".</summary>
    public string Fingerprint => string.Join(':', Certificate.GetCertHash(HashAlgorithmName.SHA256).Select(octet => octet.ToString("X2")));

    /// <summary>What its files held, as <see cref="CertificateSource.ReadStamp"/> gives it.</summary>
    public string Stamp { get; } = stamp;

    /// <summary>The names and addresses that it is for.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            var names = Certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
            return names is null ? [] : [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(static address => address.ToString())];
        }
    }

    /// <summary>Itself and its chain as PEM, without the key.</summary>
    public string ToPem() => string.Concat(Chain.Prepend(Certificate).Select(static each => each.ExportCertificatePem() + "\n"));

    /// <summary>Reads a certificate and its key from PEM files, or from one that holds both.</summary>
    /// <exception cref="SettingException">A file cannot be read, holds something else, or they do not belong together.</exception>
    public static ServerCertificate Load(SettingFile certificate, SettingFile key)
    {
        var certificateText = certificate.Read();
        var keyText = key.Read();
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(certificateText);
        }
        catch (CryptographicException exception)
        {
            throw certificate.Mistake($"\"{certificate.Path}\" holds a certificate that cannot be read: {exception.Message}");
        }

        if (all.Count == 0)
            throw certificate.Mistake($"\"{certificate.Path}\" holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
        if (!keyText.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            throw key.Mistake($"\"{key.Path}\" holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)");
        if (keyText.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal))
            throw key.Mistake($"\"{key.Path}\" is locked with a password; give the key without one");
        using var leaf = all[0];
        all.RemoveAt(0);
        try
        {
            return new ServerCertificate(X509Certificate2.CreateFromPem(leaf.ExportCertificatePem(), keyText), all, certificate.Path, key.Path, StampOf(certificateText, keyText));
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw key.Mistake($"the key in \"{key.Path}\" does not belong to the certificate in \"{certificate.Path}\", or cannot be read");
        }
    }

    /// <summary>What files hold, in short; nothing of the key can be found out by it.</summary>
    public static string StampOf(string certificate, string key) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{certificate}\0{key}")));

    /// <summary>What a person should know about its dates; null = nothing.</summary>
    public string? Warning(TimeProvider clock)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        if (now > Certificate.NotAfter.ToUniversalTime())
            return $"The certificate {Path} expired on {Certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}; clients that check it will refuse.";
        return now < Certificate.NotBefore.ToUniversalTime()
            ? $"The certificate {Path} is not valid before {Certificate.NotBefore.ToUniversalTime():yyyy-MM-dd}; is this device's clock right?"
            : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Certificate.Dispose();
        foreach (var intermediate in Chain)
            intermediate.Dispose();
    }
}
