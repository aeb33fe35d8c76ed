using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Certificates;

/// <summary>The authorities whose certificates let clients in, as a file names them. Immutable.</summary>
internal sealed class ClientAuthorities
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2Collection _roots = [];
    private readonly X509Certificate2Collection _others = [];

    private ClientAuthorities(string text, X509Certificate2Collection all)
    {
        Text = text;
        foreach (var certificate in all)
            (certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData) ? _roots : _others).Add(certificate);
        Trust = SslCertificateTrust.CreateForX509Collection(all, sendTrustInHandshake: true);
    }

    /// <summary>What the file held.</summary>
    public string Text { get; }

    /// <summary>They, as clients are told what to choose a certificate by.</summary>
    public SslCertificateTrust Trust { get; }

    /// <summary>Reads them.</summary>
    /// <exception cref="SettingException">The file cannot be read, or holds none.</exception>
    public static ClientAuthorities Load(SettingFile file)
    {
        var text = file.Read();
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(text);
        }
        catch (CryptographicException exception)
        {
            throw file.Mistake($"\"{file.Path}\" holds a certificate that cannot be read: {exception.Message}");
        }

        if (all.Count == 0)
            throw file.Mistake($"\"{file.Path}\" holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
        var authorities = new ClientAuthorities(text, all);
        return authorities._roots.Count > 0
            ? authorities
            : throw file.Mistake($"\"{file.Path}\" holds certificates of intermediate authorities alone; add that of the root, which signed itself");
    }

    /// <summary>Whether a client's certificate is good now: signed by one of them, for clients, within its time. Nothing is fetched from the network.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="intermediates">What the client sent along.</param>
    /// <param name="now">The time.</param>
    public bool Accept(X509Certificate2 certificate, X509Certificate2Collection intermediates, DateTimeOffset now)
    {
        using var chain = new X509Chain { ChainPolicy = Policy(now) };
        chain.ChainPolicy.ExtraStore.AddRange(intermediates);
        return chain.Build(certificate);
    }

    /// <summary>By what a certificate is judged.</summary>
    public X509ChainPolicy Policy(DateTimeOffset now)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTime = now.LocalDateTime,
            VerificationTimeIgnored = false,
        };
        policy.CustomTrustStore.AddRange(_roots);
        policy.ExtraStore.AddRange(_others);
        policy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        return policy;
    }
}
