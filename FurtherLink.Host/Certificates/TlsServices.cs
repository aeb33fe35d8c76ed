using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Certificates;

/// <summary>What TLS needs, read before anything else starts, so that mistakes are told at once.</summary>
internal sealed class TlsServices
{
    private readonly CertificateSource _source;
    private readonly (SettingFile File, ClientAuthorities Authorities, ServeOptions Options)? _clients;

    private TlsServices(CertificateSource source, (SettingFile File, ClientAuthorities Authorities, ServeOptions Options)? clients)
    {
        _source = source;
        _clients = clients;
        Certificate = source.Load(TimeProvider.System);
    }

    /// <summary>The certificate at the start.</summary>
    public ServerCertificate Certificate { get; }

    /// <summary>Reads what the settings say.</summary>
    /// <returns>Null where they turn TLS off.</returns>
    /// <exception cref="SettingException">Something cannot be used, or contradicts something else.</exception>
    public static TlsServices? Find(ServeOptions options)
    {
        var file = options.ClientAuthorities is { } given ? new SettingFile("ClientCertificateAuthorities", given) : null;
        if (options.NoTls)
            return file is null ? null : throw file.Mistake("clients can show certificates with TLS only, which NoTls turns off");
        return new TlsServices(CertificateSource.Find(options), file is null ? null : (file, ClientAuthorities.Load(file), options));
    }

    /// <summary>Adds them.</summary>
    public void Add(IServiceCollection services)
    {
        services.AddSingleton(provider => new ServedCertificate(_source, Certificate, TimeProvider.System, provider.GetRequiredService<ILogger<ServedCertificate>>()));
        if (_clients is var (file, authorities, options))
        {
            services.AddSingleton(provider =>
                new ClientCertificates(file, authorities, options.ClientAccess, TimeProvider.System, provider.GetRequiredService<ILogger<ClientCertificates>>()));
        }

        services.AddSingleton(provider => new TlsListener(provider.GetRequiredService<ServedCertificate>(), provider.GetService<ClientCertificates>()));
    }
}
