using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using FurtherLink.Host.Certificates;
using FurtherLink.Host.Configuration;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host.Certificates;

[TestFixture]
internal sealed class ClientCertificatesTests
{
    private ManualTimeProvider _clock = null!;
    private TemporaryFolder _folder = null!;
    private X509Certificate2 _authority = null!;
    private LoggedLines<ClientCertificates> _log = null!;
    private ClientCertificates _clients = null!;
    private TlsServer _server = null!;

    [SetUp]
    public async Task SetUp()
    {
        _clock = new ManualTimeProvider();
        _clock.Advance(TimeProvider.System.GetUtcNow() - _clock.GetUtcNow());
        _folder = new TemporaryFolder();
        _log = new LoggedLines<ClientCertificates>();
        _authority = MadeCertificates.Authority("CN=ours");
        _folder.Write("ca.pem", _authority.ExportCertificatePem());
        await ServeAsync(Access.Drive);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _server.DisposeAsync();
        _clients.Dispose();
        _authority.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task Client_WithoutOne_GoesOnWithout() => Assert.That(await _server.AskAsync(null), Is.EqualTo(" None"));

    [TestCase(MadeCertificates.ForClients)]
    [TestCase(null)]
    public async Task Client_WithOne_IsItsName(string? use)
    {
        using var phone = MadeCertificates.Signed(_authority, "CN=phone, O=us", use);
        Assert.That(await _server.AskAsync(phone), Is.EqualTo("cert:phone Drive"));
    }

    [Test]
    public async Task Access_Set_IsWhatItAllows()
    {
        await _server.DisposeAsync();
        _clients.Dispose();
        await ServeAsync(Access.View);
        using var phone = MadeCertificates.Signed(_authority, "CN=phone");
        Assert.That(await _server.AskAsync(phone), Is.EqualTo("cert:phone View"));
    }

    [Test]
    public async Task Client_OfAnIntermediate_IsKnownByTheRoot()
    {
        using var middle = MadeCertificates.Authority("CN=middle", _authority);
        using var phone = MadeCertificates.Signed(middle, "CN=phone");
        await using var held = await _server.HoldAsync(phone, middle);
        var last = _server.Last!;
        Assert.That(last.Name, Is.EqualTo("cert:phone"));
        _clock.Advance(ClientCertificates.Patrol);
        Assert.That(last.Ended.IsCancellationRequested, Is.False);
    }

    [Test]
    public async Task Certificate_OfSomebodyElse_IsRefused()
    {
        using var other = MadeCertificates.Authority("CN=ours");
        using var stranger = MadeCertificates.Signed(other, "CN=phone");
        using var server = MadeCertificates.Signed(_authority, "CN=phone", MadeCertificates.ForServers);
        using var old = MadeCertificates.Signed(_authority, "CN=phone", expires: TimeSpan.FromDays(-1));
        var (pem, key) = MadeCertificates.SelfSigned("CN=phone");
        using var self = X509Certificate2.CreateFromPem(pem, key);
        Assert.Multiple(async () =>
        {
            Assert.That(await _server.AskAsync(stranger), Is.EqualTo("refused"), "another authority of that name");
            Assert.That(await _server.AskAsync(server), Is.EqualTo("refused"), "for servers");
            Assert.That(await _server.AskAsync(old), Is.EqualTo("refused"), "expired");
            Assert.That(await _server.AskAsync(self), Is.EqualTo("refused"), "signed itself");
        });
    }

    [Test]
    public async Task Handshake_AsksFor_CertificatesOfTheseAuthorities()
    {
        string[] issuers = [];
        using var phone = MadeCertificates.Signed(_authority, "CN=phone");
        await using var tls = await _server.ConnectAsync(new SslClientAuthenticationOptions
        {
            LocalCertificateSelectionCallback = (_, _, _, _, acceptable) =>
            {
                issuers = acceptable;
                return acceptable.Length > 0 ? phone : null!;
            },
        });
        Assert.That(issuers, Is.EqualTo(new[] { "CN=ours" }));
    }

    [Test]
    public async Task File_Replaced_EndsWhoWasLetInByIt()
    {
        using var phone = MadeCertificates.Signed(_authority, "CN=phone");
        await using var held = await _server.HoldAsync(phone);
        var before = _server.Last!;
        using var next = MadeCertificates.Authority("CN=next");
        using var tablet = MadeCertificates.Signed(next, "CN=tablet");

        _folder.Write("ca.pem", "half");
        _clock.Advance(ClientCertificates.Patrol);
        Assert.That(before.Ended.IsCancellationRequested, Is.False, "a broken file changes nothing");
        Assert.That(_log.Lines.Single(), Does.StartWith("Warning: ").And.Contain("ClientCertificateAuthorities: ").And.Contain(_folder["ca.pem"]).And.Contain("(from --client-ca)"));

        _folder.Write("ca.pem", next.ExportCertificatePem());
        _clock.Advance(ClientCertificates.Patrol);
        Assert.That(before.Ended.IsCancellationRequested);
        Assert.That(await _server.AskAsync(tablet), Is.EqualTo("cert:tablet Drive"));
        Assert.That(_server.Last!.Ended.IsCancellationRequested, Is.False);
        Assert.That(await _server.AskAsync(phone), Is.EqualTo("refused"));
    }

    [Test]
    public async Task Certificate_RunsOutWhileConnected_IsEnded()
    {
        using var phone = MadeCertificates.Signed(_authority, "CN=phone", expires: TimeSpan.FromMinutes(1));
        await using var held = await _server.HoldAsync(phone);
        var grant = _server.Last!;
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.That(grant.Ended.IsCancellationRequested, Is.False);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.That(grant.Ended.IsCancellationRequested);
    }

    [Test]
    public void File_Unusable_IsReportedWithSettingAndOrigin()
    {
        using var middle = MadeCertificates.Authority("CN=middle", _authority);
        Assert.Multiple(() =>
        {
            Assert.That(Mistake(null), Is.EqualTo($"ClientCertificateAuthorities: there is no file \"{_folder["ca.pem"]}\" (from --client-ca)."));
            Assert.That(Mistake("hello"), Does.Contain("no certificate in PEM form").And.EndsWith("(from --client-ca)."));
            Assert.That(Mistake("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), Does.Contain("cannot be read"));
            Assert.That(Mistake(middle.ExportCertificatePem()), Does.Contain("root"));
        });

        string Mistake(string? text)
        {
            File.Delete(_folder["ca.pem"]);
            if (text is not null)
                _folder.Write("ca.pem", text);
            return Assert.Throws<SettingException>(() => ClientAuthorities.Load(Authorities())).Message;
        }
    }

    private SettingFile Authorities() => new("ClientCertificateAuthorities", _folder["ca.pem"], "--client-ca");

    private async Task ServeAsync(Access access)
    {
        _clients = new ClientCertificates(Authorities(), ClientAuthorities.Load(Authorities()), access, _clock, _log);
        var source = CertificateSource.Own(_folder["state"]);
        var served = new ServedCertificate(source, source.Load(_clock), _clock, new LoggedLines<ServedCertificate>());
        _server = await TlsServer.StartAsync(new TlsListener(served, _clients), _clients);
    }
}
