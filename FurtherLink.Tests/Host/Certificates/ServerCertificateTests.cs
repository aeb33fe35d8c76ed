using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FurtherLink.Host.Certificates;
using FurtherLink.Host.Configuration;

namespace FurtherLink.Tests.Host.Certificates;

[TestFixture]
internal sealed class ServerCertificateTests
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void Own_FirstStart_IsMadeForThisDeviceAndPrivate()
    {
        using var own = OwnCertificate.Open(_folder.Path, TimeProvider.System);
        Assert.Multiple(() =>
        {
            Assert.That(own.Certificate.HasPrivateKey);
            Assert.That(own.Certificate.GetECDsaPublicKey()!.ExportParameters(false).Curve.Oid.FriendlyName, Is.EqualTo("nistP256").Or.EqualTo("ECDSA_P256"));
            Assert.That(own.Certificate.MatchesHostname("localhost"));
            Assert.That(own.Certificate.MatchesHostname("127.0.0.1"));
            Assert.That(own.Certificate.MatchesHostname("::1"));
            Assert.That(own.Certificate.MatchesHostname(System.Net.Dns.GetHostName()));
            Assert.That(own.Fingerprint, Does.Match("^([0-9A-F]{2}:){31}[0-9A-F]{2}$"));
            Assert.That(own.Warning(TimeProvider.System), Is.Null);
            Assert.That(Directory.GetFiles(_folder.Path), Is.EquivalentTo(new[] { _folder["cert.pem"], _folder["key.pem"] }));
            Assert.That(File.GetUnixFileMode(_folder["key.pem"]), Is.EqualTo(Private));
            Assert.That(File.GetUnixFileMode(_folder["cert.pem"]), Is.EqualTo(Private));
        });
    }

    [Test]
    public void Own_LaterStart_IsKept()
    {
        using var first = OwnCertificate.Open(_folder.Path, TimeProvider.System);
        File.SetUnixFileMode(_folder["key.pem"], Private | UnixFileMode.OtherRead);
        using var second = OwnCertificate.Open(_folder.Path, TimeProvider.System);
        Assert.Multiple(() =>
        {
            Assert.That(second.Fingerprint, Is.EqualTo(first.Fingerprint));
            Assert.That(File.GetUnixFileMode(_folder["key.pem"]), Is.EqualTo(Private), "closed again");
        });
    }

    [Test]
    public void Own_AboutToExpire_IsRenewedWithTheSameKey()
    {
        using var first = OwnCertificate.Open(_folder.Path, TimeProvider.System);
        var later = new FixedClock(first.Certificate.NotAfter.ToUniversalTime().AddDays(-29));
        using var second = OwnCertificate.Open(_folder.Path, later);
        Assert.Multiple(() =>
        {
            Assert.That(second.Fingerprint, Is.Not.EqualTo(first.Fingerprint));
            Assert.That(second.Certificate.GetPublicKey(), Is.EqualTo(first.Certificate.GetPublicKey()));
            Assert.That(second.Warning(later), Is.Null);
        });
    }

    [Test]
    public void Own_KeyBroken_IsReportedInWords()
    {
        _folder.Write("key.pem", "nonsense");
        Assert.That(() => OwnCertificate.Open(_folder.Path, TimeProvider.System), Throws.TypeOf<SettingException>().With.Message.Contains(_folder["key.pem"]));
    }

    [Test]
    public void Files_OfChain_GiveLeafAndIntermediates()
    {
        var (leaf, key) = Make("CN=leaf");
        var (other, _) = Make("CN=intermediate");
        _folder.Write("c.pem", leaf + "\n" + other);
        _folder.Write("k.pem", key);
        using var certificate = Load();
        Assert.Multiple(() =>
        {
            Assert.That(certificate.Certificate.Subject, Is.EqualTo("CN=leaf"));
            Assert.That(certificate.Chain.Select(each => each.Subject), Is.EqualTo(new[] { "CN=intermediate" }));
        });
    }

    [Test]
    public void Files_Unusable_AreReportedWithSettingAndFile()
    {
        var (certificate, key) = Make("CN=one");
        var (_, otherKey) = Make("CN=two");
        Assert.Multiple(() =>
        {
            Assert.That(Mistake(null, key), Is.EqualTo($"CertificatePath: there is no file \"{_folder["c.pem"]}\"."));
            Assert.That(Mistake(certificate, null), Is.EqualTo($"KeyPath: there is no file \"{_folder["k.pem"]}\" (from --key)."));
            Assert.That(Mistake("hello", key), Does.StartWith("CertificatePath: ").And.Contain("no certificate in PEM form"));
            Assert.That(Mistake("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", key), Does.StartWith("CertificatePath: ").And.Contain("cannot be read"));
            Assert.That(Mistake(certificate, "hello"), Does.StartWith("KeyPath: ").And.Contain("no private key in PEM form"));
            Assert.That(Mistake(certificate, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"), Does.StartWith("KeyPath: "));
            Assert.That(Mistake(certificate, key.Replace("PRIVATE", "ENCRYPTED PRIVATE", StringComparison.Ordinal)), Does.Contain("locked with a password"));
            Assert.That(Mistake(certificate, otherKey), Does.StartWith("KeyPath: ").And.Contain("does not belong to the certificate"));
        });
    }

    [Test]
    public void Dates_OutOfRange_AreWarnedAbout()
    {
        var (certificate, key) = Make("CN=dates");
        _folder.Write("c.pem", certificate);
        _folder.Write("k.pem", key);
        using var loaded = Load();
        Assert.Multiple(() =>
        {
            Assert.That(loaded.Warning(new FixedClock(new DateTime(2026, 1, 2, 0, 0, 0, DateTimeKind.Utc))), Is.Null);
            Assert.That(loaded.Warning(new FixedClock(new DateTime(2026, 2, 2, 0, 0, 0, DateTimeKind.Utc))), Does.Contain("expired on 2026-02-01"));
            Assert.That(loaded.Warning(new FixedClock(new DateTime(2025, 2, 2, 0, 0, 0, DateTimeKind.Utc))), Does.Contain("not valid before 2026-01-01"));
        });
    }

    private static (string Certificate, string Key) Make(string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest(subject, key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(new DateTimeOffset(2026, 1, 1, 0, 0, 0, default), new DateTimeOffset(2026, 2, 1, 0, 0, 0, default));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    private string Mistake(string? certificate, string? key)
    {
        foreach (var (name, text) in new[] { ("c.pem", certificate), ("k.pem", key) })
        {
            File.Delete(_folder[name]);
            if (text is not null)
                _folder.Write(name, text);
        }

        return Assert.Throws<SettingException>(() => Load().Dispose()).Message;
    }

    private ServerCertificate Load() => ServerCertificate.Load(new SettingFile("CertificatePath", _folder["c.pem"]), new SettingFile("KeyPath", _folder["k.pem"], "--key"));

    private sealed class FixedClock(DateTime now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(now);
    }
}
