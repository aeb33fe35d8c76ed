using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using FurtherLink.Host.Certificates;
using FurtherLink.Host.Configuration;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host.Certificates;

[TestFixture]
internal sealed class TlsReloadTests
{
    private readonly ManualTimeProvider _clock = new();
    private TemporaryFolder _folder = null!;
    private LoggedLines<ServedCertificate> _log = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _log = new LoggedLines<ServedCertificate>();
    }

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Files_Replaced_AreShownToTheNextConnection()
    {
        var first = Write();
        await using var server = await TlsServer.StartAsync(Listener(Files()));
        Assert.That(await server.ShownAsync(), Is.EqualTo(first));
        await using var open = await server.ConnectAsync(new SslClientAuthenticationOptions());

        var second = Write();
        Assert.That(await server.ShownAsync(), Is.EqualTo(first), "looked at once a second at most");
        _clock.Advance(ServedCertificate.CheckInterval);
        Assert.That(await server.ShownAsync(), Is.EqualTo(second));
        Assert.That(_log.Lines.Single(), Does.StartWith("Information: ").And.Contain(_folder["c.pem"]));

        await open.WriteAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(open);
        Assert.That(await reader.ReadToEndAsync(), Does.StartWith("HTTP/1.1 200"), "the connection from before goes on");
    }

    [Test]
    public async Task Files_HalfReplaced_KeepTheOneBeforeAndSayWhichIsWrong()
    {
        var first = Write();
        await using var server = await TlsServer.StartAsync(Listener(Files()));
        var (certificate, key) = MadeCertificates.SelfSigned("CN=next");
        _folder.Write("c.pem", certificate);
        await AssertKeptAsync("KeyPath: the key in");
        _folder.Write("k.pem", key[..40]);
        await AssertKeptAsync("KeyPath: ");
        File.Delete(_folder["k.pem"]);
        await AssertKeptAsync("KeyPath: there is no file");
        _folder.Write("k.pem", key);
        _clock.Advance(ServedCertificate.CheckInterval);
        Assert.That(await server.ShownAsync(), Is.EqualTo(MadeCertificates.Hash(certificate)));

        async Task AssertKeptAsync(string words)
        {
            for (var time = 0; time < 3; time++)
            {
                _clock.Advance(ServedCertificate.CheckInterval);
                Assert.That(await server.ShownAsync(), Is.EqualTo(first));
            }

            Assert.That(_log.Lines[^1], Does.StartWith("Warning: ").And.Contain(words).And.Contain(_folder["k.pem"]).And.Contain("(from --key)"));
            Assert.That(_log.Lines.Count(line => line == _log.Lines[^1]), Is.EqualTo(1), "said once");
        }
    }

    [Test]
    public async Task Own_RunningOutWhileServing_IsRenewedWithTheSameKey()
    {
        var source = CertificateSource.Own(_folder["state"]);
        await using var server = await TlsServer.StartAsync(Listener(source));
        var first = await server.ShownAsync();
        using var before = source.Load(_clock);
        _clock.Advance(TimeSpan.FromDays(785));
        Assert.That(await server.ShownAsync(), Is.EqualTo(first), "enough time left");
        _clock.Advance(TimeSpan.FromDays(10));
        var second = await server.ShownAsync();
        using var after = source.Load(_clock);
        Assert.Multiple(() =>
        {
            Assert.That(second, Is.Not.EqualTo(first));
            Assert.That(after.Fingerprint.Replace(":", "", StringComparison.Ordinal), Is.EqualTo(second), "kept for the next start");
            Assert.That(after.Certificate.GetPublicKey(), Is.EqualTo(before.Certificate.GetPublicKey()));
        });
    }

    [Test]
    public async Task Chain_OfFiles_IsSentAlong()
    {
        using var root = MadeCertificates.Authority("CN=root");
        using var middle = MadeCertificates.Authority("CN=middle", root);
        using var leaf = MadeCertificates.Signed(middle, "CN=leaf", MadeCertificates.ForServers);
        _folder.Write("c.pem", leaf.ExportCertificatePem() + "\n" + middle.ExportCertificatePem());
        _folder.Write("k.pem", leaf.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await using var server = await TlsServer.StartAsync(Listener(Files()));
        using var trusted = new HttpClient(Handler(root));
        Assert.That(await trusted.GetStringAsync(server.Address), Does.Contain("None"));
    }

    [TestCase(SslProtocols.Tls12)]
    [TestCase(SslProtocols.Tls13)]
    public async Task Version_Modern_IsSpoken(SslProtocols version)
    {
        Write();
        await using var server = await TlsServer.StartAsync(Listener(Files()));
        await using var tls = await server.ConnectAsync(new SslClientAuthenticationOptions { EnabledSslProtocols = version });
        Assert.That(tls.SslProtocol, Is.EqualTo(version));
    }

    [Test]
    public async Task Version_Old_IsRefused()
    {
        Write();
        await using var server = await TlsServer.StartAsync(Listener(Files()));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Address.Port);

        // A ClientHello of TLS 1.1 (RFC 4346): version 3.2, no session, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, no compression, no extensions.
        byte[] hello = [3, 2, .. new byte[32], 0, 0, 2, 0xC0, 0x09, 1, 0];
        await client.GetStream().WriteAsync((byte[])[22, 3, 1, 0, (byte)(hello.Length + 4), 1, 0, 0, (byte)hello.Length, .. hello]);
        var answer = new byte[7];
        var length = await client.GetStream().ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false);

        // An alert (21) that is fatal (2): protocol_version (70); or just the end.
        Assert.That(answer[..length], Is.EqualTo(new byte[] { 21, 3, answer[2], 0, 2, 2, 70 }).Or.Empty);
    }

    private static SocketsHttpHandler Handler(X509Certificate2 root)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.Add(root);
        return new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = policy } };
    }

    private TlsListener Listener(CertificateSource source) => new(new ServedCertificate(source, source.Load(_clock), _clock, _log));

    private CertificateSource Files() =>
        CertificateSource.Files(new SettingFile("CertificatePath", _folder["c.pem"], "--cert"), new SettingFile("KeyPath", _folder["k.pem"], "--key"));

    private string Write()
    {
        var (certificate, key) = MadeCertificates.SelfSigned("CN=test");
        _folder.Write("c.pem", certificate);
        _folder.Write("k.pem", key);
        return MadeCertificates.Hash(certificate);
    }
}
