using System.Security.Cryptography.X509Certificates;
using FurtherLink.Client.Connectors;
using FurtherLink.Tests.Host.Certificates;

namespace FurtherLink.Tests.Host.Commands;

[TestFixture]
internal sealed class CertificateCommandTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Cert_BeforeTheFirstStart_MakesTheOneThatIsServed()
    {
        var (code, output, errors) = await HostProcess.RunAsync(_folder.Path, "cert --state-dir kept --port 9001");
        Assert.That((code, errors), Is.EqualTo((0, "")));
        var lines = output.Split('\n');
        using var made = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(_folder["kept/cert.pem"]));
        var hash = MadeCertificates.Hash(made.ExportCertificatePem()).ToLowerInvariant();
        Assert.Multiple(() =>
        {
            Assert.That(lines[0], Is.EqualTo($"Certificate {_folder["kept/cert.pem"]}, made by this host and renewed in time"));
            Assert.That(lines[1], Does.StartWith("  Names   localhost, ").And.EndsWith("127.0.0.1, ::1"));
            Assert.That(lines[2], Is.EqualTo($"  Valid   {made.NotBefore.ToUniversalTime():yyyy-MM-dd} to {made.NotAfter.ToUniversalTime():yyyy-MM-dd}"));
            Assert.That(output, Does.Contain($"--device wss://HOST:9001 --fingerprint {hash}\n"));
            Assert.That(() => (DeviceAddress.Parse($"wss://HOST:9001#sha256={hash}") as IDisposable)!.Dispose(), Throws.Nothing);
        });

        await using var host = await HostProcess.ServeAsync(_folder.Path, "--state-dir kept --port 0");
        Assert.That(host.Output.Split('\n'), Does.Contain(lines[3]), "the fingerprint as it is printed at the start");
        var pin = $"wss://127.0.0.1:{host.Address.Port}#sha256={hash}";
        var (listed, _, why) = await HostProcess.RunAsync(_folder.Path, ["list", "--device", pin]);
        Assert.That((listed, why), Is.EqualTo((0, "")));
        var (_, again, _) = await HostProcess.RunAsync(_folder.Path, "cert --state-dir kept --port 9001");
        Assert.That(again, Is.EqualTo(output), "while it serves");
    }

    [Test]
    public async Task Export_OfFilesInOne_WritesTheChainAndNoKey()
    {
        using var root = MadeCertificates.Authority("CN=root");
        using var leaf = MadeCertificates.Signed(root, "CN=leaf", MadeCertificates.ForServers);
        var pem = $"{leaf.ExportCertificatePem()}\n{root.ExportCertificatePem()}\n";
        _folder.Write("both.pem", $"{leaf.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()}\n{pem}");
        var (code, output, errors) = await HostProcess.RunAsync(_folder.Path, "cert --cert both.pem --export -");
        Assert.That((code, output, errors), Is.EqualTo((0, pem, "")));
        Assert.That((await HostProcess.RunAsync(_folder.Path, "cert --cert both.pem --export out.pem")).Code, Is.Zero);
        Assert.That(await File.ReadAllTextAsync(_folder["out.pem"]), Is.EqualTo(pem));
    }

    [TestCase("cert --cert both.pem --export both.pem", 2, "is the host's own")]
    [TestCase("cert --cert both.pem --export no/such/out.pem", 125, "cannot be written")]
    [TestCase("cert --cert none.pem", 2, "CertificatePath: there is no file \"none.pem\" (from --cert).")]
    [TestCase("cert --cert both.pem --key none.pem", 2, "KeyPath: there is no file \"none.pem\" (from --key).")]
    [TestCase("cert --key both.pem", 2, "(from --key).")]
    [TestCase("serve --no-tls --client-ca both.pem", 2, "ClientCertificateAuthorities: clients can show certificates with TLS only")]
    [TestCase("serve --client-ca none.pem", 2, "ClientCertificateAuthorities: there is no file \"none.pem\" (from --client-ca).")]
    [TestCase("serve --client-ca-access everything", 2, "ClientCertificateAccess: \"everything\" must be view, drive or own (from --client-ca-access).")]
    public async Task CommandLine_Wrong_IsReported(string arguments, int expected, string words)
    {
        var (certificate, key) = MadeCertificates.SelfSigned("CN=both");
        _folder.Write("both.pem", key + "\n" + certificate);
        var (code, _, errors) = await HostProcess.RunAsync(_folder.Path, arguments);
        Assert.That(code, Is.EqualTo(expected));
        Assert.That(errors, Does.Contain(words));
        Assert.That(errors.Split('\n'), Has.Length.EqualTo(2), "one line, no stack");
    }

    [Test]
    public async Task Variable_Set_NamesItselfInAMistake()
    {
        var (code, _, errors) = await HostProcess.RunAsync(_folder.Path, "cert", new Dictionary<string, string?> { ["FurtherLink__CertificatePath"] = "none.pem" });
        Assert.That((code, errors), Is.EqualTo((2, "furtherlink: CertificatePath: there is no file \"none.pem\" (from FurtherLink__CertificatePath).\n")));
    }
}
