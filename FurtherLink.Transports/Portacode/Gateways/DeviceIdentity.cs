using System.Security.Cryptography;
using System.Text;

namespace FurtherLink.Transports.Portacode.Gateways;

/// <summary>
/// Who a device is to gateways: its RSA key pair, kept as <see cref="PrivateKeyName"/> and <see cref="PublicKeyName"/> in a folder, PEM
/// files (RFC 7468) as other devices of the protocol have them. Thread safe.
/// </summary>
public sealed class DeviceIdentity : IDisposable
{
    /// <summary>The file name of the private key, a PKCS#1 "RSA PRIVATE KEY".</summary>
    public const string PrivateKeyName = "id_portacode";

    /// <summary>The file name of the public key, a SubjectPublicKeyInfo "PUBLIC KEY".</summary>
    public const string PublicKeyName = "id_portacode.pub";

    /// <summary>Keys of fewer bits are taken, and warned of: NIST SP 800-131A allows 2048 and more.</summary>
    private const int StrongSize = 2048;

    private readonly Lock _signing = new();
    private readonly RSA _key;

    private DeviceIdentity(RSA key, string publicPem, string publicFile)
    {
        _key = key;
        PublicKeyFile = publicFile;
        PublicKeyText = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());
        Fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(publicPem)))[..16];
    }

    /// <summary>The first 16 hex digits of the SHA-256 of the public key's PEM text: what people compare.</summary>
    public string Fingerprint { get; }

    /// <summary>The path of the file with the public key, which a gateway's user registers there.</summary>
    public string PublicKeyFile { get; }

    /// <summary>The public key as gateways are told it: base64 of its DER SubjectPublicKeyInfo, one line.</summary>
    public string PublicKeyText { get; }

    /// <summary>The key's size in bits.</summary>
    public int KeySize => _key.KeySize;

    /// <summary>Whether the key is shorter than is safe today: it was taken over from an older device.</summary>
    public bool IsWeak => KeySize < StrongSize;

    /// <summary>
    /// Opens the key pair of a folder. Where there is none it is made: folder, 3072-bit key and public key, private from the first moment. A
    /// missing public key is made from the private one. Processes that do this at once get one pair.
    /// </summary>
    /// <param name="folder">The folder; made where it is missing.</param>
    /// <exception cref="DeviceIdentityException">A file cannot be read, made or understood.</exception>
    public static DeviceIdentity Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var files = new KeyFiles(Path.GetFullPath(folder));
        var (key, publicPem) = files.Open();
        return new DeviceIdentity(key, publicPem, files.PublicKey);
    }

    /// <summary>Signs a challenge: base64 of the RSASSA-PKCS1-v1_5 signature (RFC 8017 section 8.2) with SHA-256 over its UTF-8 bytes, taken literally.</summary>
    /// <param name="challenge">The text, without half surrogate pairs.</param>
    public string Sign(string challenge)
    {
        var bytes = Encoding.UTF8.GetBytes(challenge);
        lock (_signing)
            return Convert.ToBase64String(_key.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();
}
