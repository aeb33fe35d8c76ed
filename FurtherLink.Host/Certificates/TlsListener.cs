using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace FurtherLink.Host.Certificates;

/// <summary>TLS as the host speaks it: versions 1.2 and 1.3, with the certificate that counts at the moment of each handshake.</summary>
/// <param name="certificate">What it shows.</param>
/// <param name="clients">What it asks clients for; null = nothing.</param>
internal sealed class TlsListener(ServedCertificate certificate, ClientCertificates? clients = null)
{
    private const SslProtocols Versions = SslProtocols.Tls12 | SslProtocols.Tls13;

    private readonly Lock _lock = new();
    private (ServerCertificate Certificate, ClientAuthorities? Authorities, SslStreamCertificateContext Context)? _prepared;

    /// <summary>Makes an address speak it.</summary>
    public void Use(ListenOptions listen)
    {
        var options = new HttpsConnectionAdapterOptions
        {
            SslProtocols = Versions,
            ServerCertificateSelector = (_, _) => certificate.Current.Certificate,
            OnAuthenticate = Prepare,
        };
        if (clients is not null)
        {
            options.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
            options.ClientCertificateValidation = (shown, chain, _) => clients.Accept(shown, chain);
        }

        listen.UseHttps(options);
    }

    // The selector cannot send a chain along.
    private void Prepare(ConnectionContext connection, SslServerAuthenticationOptions tls)
    {
        var current = certificate.Current;
        var authorities = clients?.Authorities;
        lock (_lock)
        {
            // Made once, since it keeps what sessions are resumed by.
            if (_prepared is not { } prepared || prepared.Certificate != current || prepared.Authorities != authorities)
                _prepared = prepared = (current, authorities, SslStreamCertificateContext.Create(current.Certificate, current.Chain, offline: true, authorities?.Trust));
            tls.ServerCertificateSelectionCallback = null;
            tls.ServerCertificateContext = prepared.Context;
        }

        // What is built first by the system fetches nothing, too.
        if (authorities is not null)
            tls.CertificateChainPolicy = authorities.Policy(TimeProvider.System.GetUtcNow());
    }
}
