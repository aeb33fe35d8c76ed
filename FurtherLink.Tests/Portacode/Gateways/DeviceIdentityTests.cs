using System.Security.Cryptography;
using System.Text;
using FurtherLink.Tests.Host;
using FurtherLink.Transports.Portacode.Gateways;

namespace FurtherLink.Tests.Portacode.Gateways;

[TestFixture]
internal sealed class DeviceIdentityTests
{
    private TemporaryFolder _folder = null!;

    private string Keys => _folder["keys"];

    private string Private => Path.Combine(Keys, "id_portacode");

    private string Public => Path.Combine(Keys, "id_portacode.pub");

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Open_WithoutFiles_MakesAPairThatOnlyItsUserReads()
    {
        using var identity = DeviceIdentity.Open(Keys);
        Assert.Multiple(() =>
        {
            Assert.That(identity.KeySize, Is.EqualTo(3072));
            Assert.That(identity.IsWeak, Is.False);
            Assert.That(File.GetUnixFileMode(Keys), Is.EqualTo((UnixFileMode)0b111_000_000));
            Assert.That(File.GetUnixFileMode(Private), Is.EqualTo((UnixFileMode)0b110_000_000));
            Assert.That(File.ReadAllText(Private), Does.StartWith("-----BEGIN RSA PRIVATE KEY-----\n").And.EndsWith("-----END RSA PRIVATE KEY-----\n"));
            Assert.That(File.ReadAllText(Public), Does.StartWith("-----BEGIN PUBLIC KEY-----\n").And.EndsWith("-----END PUBLIC KEY-----\n"));
            Assert.That(identity.PublicKeyFile, Is.EqualTo(Public));
            Assert.That(Directory.GetFiles(Keys, "*.new"), Is.Empty);
        });
        var openssl = await Openssl.RunAsync("rsa", "-in", Private, "-pubout");
        Assert.That(await File.ReadAllTextAsync(Public), Is.EqualTo(openssl), "as openssl writes it");
    }

    [Test]
    public void Open_Again_IsTheSameDevice()
    {
        using var first = DeviceIdentity.Open(Keys);
        using var second = DeviceIdentity.Open(Keys);
        Assert.That((second.PublicKeyText, second.Fingerprint), Is.EqualTo((first.PublicKeyText, first.Fingerprint)));
    }

    [Test]
    public async Task Open_ManyAtOnce_GetOnePair()
    {
        var identities = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => DeviceIdentity.Open(Keys))));
        Assert.That(identities.Select(identity => identity.PublicKeyText).Distinct().ToList(), Has.Count.EqualTo(1));
        foreach (var identity in identities)
            identity.Dispose();
    }

    [TestCase("1024", "-traditional")]
    [TestCase("2048", "-traditional")]
    [TestCase("2048", null)]
    public async Task Open_KeysOfOpenssl_AreTakenOver(string bits, string? form)
    {
        Directory.CreateDirectory(Keys);
        await Openssl.RunAsync([.. new[] { "genrsa", form, "-out", Private, bits }.OfType<string>()]);
        await Openssl.RunAsync("rsa", "-in", Private, "-pubout", "-out", Public);
        File.SetUnixFileMode(Private, (UnixFileMode)0b110_100_100);
        var before = await File.ReadAllTextAsync(Private);

        using var identity = DeviceIdentity.Open(Keys);
        Assert.Multiple(() =>
        {
            Assert.That(identity.IsWeak, Is.EqualTo(bits == "1024"));
            Assert.That(identity.Fingerprint, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Public)))[..16]));
            Assert.That(File.ReadAllText(Private), Is.EqualTo(before));
            Assert.That(File.GetUnixFileMode(Private), Is.EqualTo((UnixFileMode)0b110_000_000), "closed to others");
        });
        await Openssl.RunAsync("pkey", "-pubin", "-in", Public, "-outform", "DER", "-out", _folder["der"]);
        Assert.That(identity.PublicKeyText, Is.EqualTo(Convert.ToBase64String(await File.ReadAllBytesAsync(_folder["der"]))));
    }

    [Test]
    public async Task Open_WithoutThePublicKey_RebuildsIt()
    {
        string fingerprint;
        using (var made = DeviceIdentity.Open(Keys))
            fingerprint = made.Fingerprint;
        var text = await File.ReadAllTextAsync(Public);
        File.Delete(Public);
        using var identity = DeviceIdentity.Open(Keys);
        Assert.That((identity.Fingerprint, await File.ReadAllTextAsync(Public)), Is.EqualTo((fingerprint, text)));
    }

    [TestCase("")]
    [TestCase("0123abcd")]
    [TestCase("€ 😀\n\0 words")]
    public async Task Sign_OfAChallenge_IsWhatOpensslVerifies(string challenge)
    {
        using var identity = DeviceIdentity.Open(Keys);
        await File.WriteAllBytesAsync(_folder["signature"], Convert.FromBase64String(identity.Sign(challenge)));
        await File.WriteAllBytesAsync(_folder["challenge"], Encoding.UTF8.GetBytes(challenge));
        var verdict = await Openssl.RunAsync("dgst", "-sha256", "-verify", Public, "-signature", _folder["signature"], _folder["challenge"]);
        Assert.That(verdict, Does.Contain("Verified OK"));
    }

    [Test]
    public async Task Open_WithBrokenFiles_SaysWhichAndWhatToDo()
    {
        DeviceIdentity.Open(Keys).Dispose();
        var (privateText, publicText) = (await File.ReadAllTextAsync(Private), await File.ReadAllTextAsync(Public));
        using var other = RSA.Create(2048);
        using var small = RSA.Create(512);
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        (string File, string Text, string Words)[] cases =
        [
            (Private, "", "is no RSA private key"),
            (Private, "what is this?", "is no RSA private key"),
            (Private, publicText, "holds a public key only"),
            (Private, curve.ExportECPrivateKeyPem(), "is no RSA private key"),
            (Private, other.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1)), "is encrypted"),
            (Private, small.ExportRSAPrivateKeyPem(), "512 bits"),
            (Private, new string('x', 100_000), "100000 bytes"),
            (Public, "", "is no RSA public key"),
            (Public, other.ExportSubjectPublicKeyInfoPem(), "does not belong to"),
        ];
        foreach (var (file, text, words) in cases)
        {
            await File.WriteAllTextAsync(Private, privateText);
            await File.WriteAllTextAsync(Public, publicText);
            await File.WriteAllTextAsync(file, text);
            var mistake = Assert.Throws<DeviceIdentityException>(() => DeviceIdentity.Open(Keys).Dispose());
            Assert.That(mistake.File, Is.EqualTo(file));
            Assert.That(mistake.Message, Does.Contain(file).And.Contain(words).And.Contain("emove it"));
            Assert.That(await File.ReadAllTextAsync(file), Is.EqualTo(text), "left as it was");
        }
    }

    [Test]
    public async Task Open_OfAPrivateKeyCutAnywhere_IsAMistakeInWords()
    {
        DeviceIdentity.Open(Keys).Dispose();
        var text = (await File.ReadAllTextAsync(Private)).TrimEnd();
        for (var length = 0; length < text.Length; length++)
        {
            await File.WriteAllTextAsync(Private, text[..length]);
            var mistake = Assert.Throws<DeviceIdentityException>(() => DeviceIdentity.Open(Keys).Dispose(), $"{length} characters");
            Assert.That(mistake.ToString(), Does.Not.Contain(text[40..60]), "nothing of the key is told");
        }
    }

    [Test]
    public void Open_WithThePublicKeyAlone_MakesNoOtherDevice()
    {
        DeviceIdentity.Open(Keys).Dispose();
        File.Delete(Private);
        var mistake = Assert.Throws<DeviceIdentityException>(() => DeviceIdentity.Open(Keys).Dispose());
        Assert.That(mistake.Message, Does.Contain(Private).And.Contain("Put the private key back"));
        Assert.That(File.Exists(Private), Is.False);
    }

    [Test]
    public async Task Open_InAFolderThatIsAFile_SaysSo()
    {
        await File.WriteAllTextAsync(Keys, "");
        var mistake = Assert.Throws<DeviceIdentityException>(() => DeviceIdentity.Open(Keys).Dispose());
        Assert.That(mistake.Message, Does.Contain(Keys).And.Contain("say another one"));
    }
}
