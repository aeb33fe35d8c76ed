using System.Security.Cryptography;
using System.Text;

namespace FurtherLink.Transports.Portacode.Gateways;

/// <summary>The two files of a key pair: reads them, makes what is missing, and says in words what is wrong with them.</summary>
/// <param name="folder">Their folder, absolute.</param>
internal sealed class KeyFiles(string folder)
{
    // A 16384-bit private key, the longest that the platform takes, has 13 KB.
    private const int Longest = 64 * 1024;

    private const int NewSize = 3072;
    private const int LeastSize = 1024;
    private const UnixFileMode PrivateFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode PublicFile = PrivateFile | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(20);

    /// <summary>The path of the private key.</summary>
    public string PrivateKey { get; } = Path.Combine(folder, DeviceIdentity.PrivateKeyName);

    /// <summary>The path of the public key.</summary>
    public string PublicKey { get; } = Path.Combine(folder, DeviceIdentity.PublicKeyName);

    /// <summary>Reads the pair, after making what is missing of it.</summary>
    /// <returns>The key, the caller's to dispose, and the text of the public key's file.</returns>
    public (RSA Key, string PublicPem) Open()
    {
        // A folder that is complete needs no right to write.
        if (!File.Exists(PrivateKey) || !File.Exists(PublicKey))
            MakeMissing();
        var key = ReadPrivate();
        try
        {
            Close(PrivateKey);
            return (key, ReadPublic(key));
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private void MakeMissing()
    {
        try
        {
            MakeFolder(folder);
            using var alone = Lock();
            if (!File.Exists(PrivateKey))
                MakePrivate();
            if (!File.Exists(PublicKey))
                MakePublic();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DeviceIdentityException(
                folder, $"The folder \"{folder}\" for the device's key cannot be used: {e.Message} Make it writable for this user, or say another one.", e);
        }
    }

    private void MakePrivate()
    {
        if (File.Exists(PublicKey))
        {
            throw new DeviceIdentityException(
                PrivateKey, $"The private key \"{PrivateKey}\" is missing, and its public key is there. Put the private key back; or remove \"{PublicKey}\", and a new pair is made, which has to be registered with the gateway.");
        }

        using var key = RSA.Create(NewSize);
        var pem = Encoding.ASCII.GetBytes(key.ExportRSAPrivateKeyPem() + "\n");
        Write(PrivateKey, pem, PrivateFile);
        CryptographicOperations.ZeroMemory(pem);
    }

    private void MakePublic()
    {
        using var key = ReadPrivate();
        Write(PublicKey, Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem() + "\n"), PublicFile);
    }

    private RSA ReadPrivate()
    {
        const string Advice = "Put back a whole, unencrypted PEM file of an RSA key; or remove it and its .pub, and a new pair is made, which has to be registered with the gateway.";
        var text = Read(PrivateKey);
        var key = RSA.Create();
        try
        {
            key.ImportFromPem(text);
            if (!HasPrivate(key))
                throw Wrong("holds a public key only");
            if (key.KeySize < LeastSize)
                throw Wrong($"has a key of {key.KeySize} bits, which anybody can break");
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw Wrong(text.AsSpan().Contains("ENCRYPTED", StringComparison.Ordinal) ? "is encrypted" : "is no RSA private key", e);
        }
        catch
        {
            key.Dispose();
            throw;
        }

        DeviceIdentityException Wrong(string what, Exception? cause = null) => new(PrivateKey, $"The private key \"{PrivateKey}\" {what}. {Advice}", cause);
    }

    private string ReadPublic(RSA key)
    {
        var text = Read(PublicKey);
        using var read = RSA.Create();
        try
        {
            read.ImportFromPem(text);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw Wrong("is no RSA public key", e);
        }

        return read.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo())
            ? text
            : throw Wrong($"does not belong to the private key \"{PrivateKey}\"");

        DeviceIdentityException Wrong(string what, Exception? cause = null) =>
            new(PublicKey, $"The public key \"{PublicKey}\" {what}. Remove it, and it is made again from the private key.", cause);
    }

    private static bool HasPrivate(RSA key)
    {
        try
        {
            CryptographicOperations.ZeroMemory(key.ExportRSAPrivateKey());
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static string Read(string path)
    {
        try
        {
            using var file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            if (length > Longest)
                throw new DeviceIdentityException(path, $"\"{path}\" has {length} bytes: that is no key. Put the right file back, or remove it.");
            var bytes = new byte[length];
            var read = 0;
            while (read < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(read), read) is > 0 and var count)
                read += count;
            var text = Encoding.UTF8.GetString(bytes.AsSpan(0, read));
            CryptographicOperations.ZeroMemory(bytes);
            return text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new DeviceIdentityException(path, $"\"{path}\" cannot be read: {e.Message} Make it a file that this user may read.", e);
        }
    }

    // Never seen in part: written beside, on the disk before its name is.
    private static void Write(string path, byte[] content, UnixFileMode mode)
    {
        var next = path + ".new";
        // What a crash has left; under the lock nobody else writes it.
        File.Delete(next);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = mode;
        using (var file = new FileStream(next, options))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(next, path, overwrite: false);
    }

    private FileStream Lock()
    {
        var path = PrivateKey + ".lock";
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = PrivateFile;
        for (var waited = TimeSpan.Zero; ; waited += LockPause)
        {
            try
            {
                return new FileStream(path, options);
            }
            catch (IOException) when (File.Exists(path) && waited < LockPatience)
            {
                Thread.Sleep(LockPause);
            }
        }
    }

    private static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, PrivateFolder);
    }

    // A key that was made elsewhere may lie open to everybody.
    private static void Close(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        try
        {
            if ((File.GetUnixFileMode(path) & ~PrivateFile) != UnixFileMode.None)
                File.SetUnixFileMode(path, PrivateFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another's file, or on a medium that cannot be written: it works as it is.
        }
    }
}
