using FurtherLink.Host.Configuration;
using FurtherLink.Host.Serving;

namespace FurtherLink.Host.Certificates;

/// <summary>
/// Where the host's certificate comes from: configured files; else extra/cert.pem with extra/key.pem beside the executable or in the working
/// directory; else the host's own, made where it is missing.
/// </summary>
internal sealed class CertificateSource
{
    // Null = the host's own.
    private readonly SettingFile? _certificate;
    private readonly SettingFile? _key;
    private readonly string _state;

    private CertificateSource(string state) => _state = state;

    private CertificateSource(SettingFile certificate, SettingFile key)
        : this("") => (_certificate, _key) = (certificate, key);

    /// <summary>Whether the host made it itself, and renews it.</summary>
    public bool IsOwn => _certificate is null;

    /// <summary>The one that a host's settings say.</summary>
    /// <exception cref="SettingException">They contradict each other.</exception>
    public static CertificateSource Find(ServeOptions options)
    {
        if (options.Certificate is { } configured)
        {
            return new CertificateSource(
                new SettingFile("CertificatePath", configured),
                options.Key is { } key ? new SettingFile("KeyPath", key) : new SettingFile("CertificatePath", configured));
        }

        if (options.Key is { } alone)
            throw new SettingFile("KeyPath", alone).Mistake("says the key of a certificate, but CertificatePath is not given");
        foreach (var directory in new[] { AppContext.BaseDirectory, Environment.CurrentDirectory })
        {
            var certificate = Path.Combine(directory, "extra", "cert.pem");
            var key = Path.Combine(directory, "extra", "key.pem");
            if (File.Exists(certificate) || File.Exists(key))
                return new CertificateSource(new SettingFile("CertificatePath", certificate), new SettingFile("KeyPath", key));
        }

        return Own(StateDirectory.Locate(options.StateDirectory, Environment.GetEnvironmentVariable));
    }

    /// <summary>The host's own.</summary>
    /// <param name="state">The state directory.</param>
    public static CertificateSource Own(string state) => new(state);

    /// <summary>Files.</summary>
    public static CertificateSource Files(SettingFile certificate, SettingFile key) => new(certificate, key);

    /// <summary>Reads it; the host's own is made where it is missing, and renewed where it runs out.</summary>
    /// <exception cref="SettingException">It cannot be used.</exception>
    public ServerCertificate Load(TimeProvider clock)
    {
        if (_certificate is not null)
            return ServerCertificate.Load(_certificate, _key!);
        StateDirectory.Prepare(_state);
        return OwnCertificate.Open(_state, clock);
    }

    /// <summary>What its files hold now, in short: another text where anything in them is another.</summary>
    /// <exception cref="SettingException">A file cannot be read.</exception>
    public string ReadStamp()
    {
        var (certificate, key) = _certificate is null ? OwnCertificate.Files(_state) : (_certificate, _key!);
        return ServerCertificate.StampOf(certificate.Read(), key.Read());
    }
}
