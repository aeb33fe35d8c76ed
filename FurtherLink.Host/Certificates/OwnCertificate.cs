using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Certificates;

/// <summary>The host's own key and self-signed certificate, made at the first start and kept in the state folder, readable by its user alone.</summary>
internal static class OwnCertificate
{
    private const string CertificateFile = "cert.pem";
    /// <summary>The key's name in the state folder.</summary>
    public const string KeyFile = "key.pem";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // Some platforms refuse a server certificate that is valid for more than 825 days.
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(820);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    /// <summary>Its files.</summary>
    public static (SettingFile Certificate, SettingFile Key) Files(string state) =>
        (new SettingFile("StateDirectory", Path.Combine(state, CertificateFile)), new SettingFile("StateDirectory", Path.Combine(state, KeyFile)));

    /// <summary>Whether a certificate has so little time left that it is renewed.</summary>
    public static bool IsRunningOut(ServerCertificate certificate, TimeProvider clock) =>
        clock.GetUtcNow().UtcDateTime >= certificate.Certificate.NotAfter.ToUniversalTime() - RenewBefore;

    /// <summary>Reads it, makes what is missing, and renews the certificate (with the same key) within its last 30 days.</summary>
    /// <exception cref="SettingException">The files cannot be read or written.</exception>
    public static ServerCertificate Open(string state, TimeProvider clock)
    {
        var (certificateFile, keyFile) = Files(state);
        var (certificatePath, keyPath) = (certificateFile.Path, keyFile.Path);
        try
        {
            if (!File.Exists(keyPath))
                MakeKey(keyPath);
            MakePrivate(keyPath);
            if (!File.Exists(certificatePath))
                MakeCertificate(certificatePath, keyPath, clock);
            MakePrivate(certificatePath);
            var certificate = ServerCertificate.Load(certificateFile, keyFile);
            if (!IsRunningOut(certificate, clock))
                return certificate;
            certificate.Dispose();
            MakeCertificate(certificatePath, keyPath, clock);
            return ServerCertificate.Load(certificateFile, keyFile);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"StateDirectory: the certificate cannot be kept in \"{state}\": {exception.Message}");
        }
    }

    private static void MakeKey(string path)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        try
        {
            Write(path, key.ExportPkcs8PrivateKeyPem(), overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another host that starts at the same time was quicker; its key is as good.
        }
    }

    private static void MakeCertificate(string path, string keyPath, TimeProvider clock)
    {
        using var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(keyPath));
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw new SettingException($"StateDirectory: \"{keyPath}\" is not the key that the host made; remove it to get a new one.");
        }

        var name = Dns.GetHostName();
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in new[] { "localhost", name, name.Contains('.') ? name : name + ".local" }.Distinct(StringComparer.OrdinalIgnoreCase))
            names.AddDnsName(host);
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);

        var request = new CertificateRequest(new X500DistinguishedName("CN=FurtherLink"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "Server Authentication")], false));

        // A day of grace for clients whose clock is behind.
        var now = clock.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now + Lifetime);
        Write(path, certificate.ExportCertificatePem() + "\n", overwrite: true);
    }

    // Never seen half-written, and never readable by others, not even for a moment.
    private static void Write(string path, string text, bool overwrite)
    {
        var temporary = $"{path}.{Path.GetRandomFileName()}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = Private;
        try
        {
            using (var writer = new StreamWriter(temporary, options))
                writer.Write(text);
            File.Move(temporary, path, overwrite);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static void MakePrivate(string path)
    {
        if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(path) != Private)
            File.SetUnixFileMode(path, Private);
    }
}
