using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Serving;

/// <summary>The certificate that the host shows, with the rest of its chain.</summary>
/// <param name="certificate">The certificate with its private key.</param>
/// <param name="chain">What its file holds after it.</param>
/// <param name="path">The file it came from.</param>
internal sealed class ServerCertificate(X509Certificate2 certificate, X509Certificate2Collection chain, string path) : IDisposable
{
    /// <summary>The certificate with its private key.</summary>
    public X509Certificate2 Certificate { get; } = certificate;

    /// <summary>Intermediate certificates sent along.</summary>
    public X509Certificate2Collection Chain { get; } = chain;

    /// <summary>The file it came from.</summary>
    public string Path { get; } = path;

    /// <summary>SHA-256 of the certificate, as openssl and browsers show it: "AB:CD:...".</summary>
    public string Fingerprint => string.Join(':', Certificate.GetCertHash(HashAlgorithmName.SHA256).Select(octet => octet.ToString("X2")));

    /// <summary>
    /// The one to use: configured files; else extra/cert.pem with extra/key.pem beside the executable or in the working directory; else the
    /// host's own, made where it is missing.
    /// </summary>
    /// <exception cref="SettingException">Files that are meant cannot be used.</exception>
    public static ServerCertificate Find(ServeOptions options, TimeProvider clock)
    {
        if (options.CertificatePath is { } configured)
            return Load("CertificatePath", configured, options.KeyPath is null ? "CertificatePath" : "KeyPath", options.KeyPath ?? configured);
        if (options.KeyPath is not null)
            throw new SettingException("KeyPath: says the key of a certificate, but CertificatePath is not given.");
        foreach (var directory in new[] { AppContext.BaseDirectory, Environment.CurrentDirectory })
        {
            var certificate = System.IO.Path.Combine(directory, "extra", "cert.pem");
            var key = System.IO.Path.Combine(directory, "extra", "key.pem");
            if (File.Exists(certificate) || File.Exists(key))
                return Load("CertificatePath", certificate, "KeyPath", key);
        }

        var state = StateDirectory.Locate(options.StateDirectory, Environment.GetEnvironmentVariable);
        StateDirectory.Prepare(state);
        return OwnCertificate.Open(state, clock);
    }

    /// <summary>Reads a certificate and its key from PEM files.</summary>
    /// <param name="certificateSetting">The setting to name where the certificate is wrong.</param>
    /// <param name="certificatePath">The certificate's file.</param>
    /// <param name="keySetting">The setting to name where the key is wrong.</param>
    /// <param name="keyPath">The key's file.</param>
    /// <exception cref="SettingException">A file cannot be read, holds something else, or they do not belong together.</exception>
    public static ServerCertificate Load(string certificateSetting, string certificatePath, string keySetting, string keyPath)
    {
        var certificateText = Read(certificateSetting, certificatePath);
        var keyText = Read(keySetting, keyPath);
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(certificateText);
        }
        catch (CryptographicException exception)
        {
            throw new SettingException($"{certificateSetting}: \"{certificatePath}\" holds a certificate that cannot be read: {exception.Message}");
        }

        if (all.Count == 0)
            throw new SettingException($"{certificateSetting}: \"{certificatePath}\" holds no certificate in PEM form (-----BEGIN CERTIFICATE-----).");
        if (!keyText.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            throw new SettingException($"{keySetting}: \"{keyPath}\" holds no private key in PEM form (-----BEGIN PRIVATE KEY-----).");
        if (keyText.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal))
            throw new SettingException($"{keySetting}: \"{keyPath}\" is locked with a password; give the key without one.");
        var leaf = all[0];
        all.RemoveAt(0);
        try
        {
            return new ServerCertificate(X509Certificate2.CreateFromPem(leaf.ExportCertificatePem(), keyText), all, certificatePath);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw new SettingException($"{keySetting}: the key in \"{keyPath}\" does not belong to the certificate in \"{certificatePath}\", or cannot be read.");
        }
        finally
        {
            leaf.Dispose();
        }
    }

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

    private static string Read(string setting, string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SettingException($"{setting}: there is no file \"{path}\".");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"{setting}: \"{path}\" cannot be read: {exception.Message}");
        }
    }
}
