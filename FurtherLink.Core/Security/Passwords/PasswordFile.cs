using System.Text;

namespace FurtherLink.Security.Passwords;

/// <summary>A file of names and hashes of passwords, as htpasswd of Apache's server writes it: NAME:HASH, a line each.</summary>
/// <param name="path">Where it is.</param>
internal sealed class PasswordFile(string path)
{
    private const long MostBytes = 16 * 1024 * 1024;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>What is in it.</summary>
    /// <exception cref="PasswordFileException">It cannot be read, is no such file, or others may use it.</exception>
    public IReadOnlyDictionary<string, string> Read()
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > MostBytes)
                throw new PasswordFileException($"\"{path}\" is no file of passwords: it has {file.Length} bytes");
            if (SecretFile.Fault(file, path, SecretFile.GroupReads) is { } fault)
                throw new PasswordFileException(fault);
            // As Basic sends them: of other encodings two names could become one.
            using var reader = new StreamReader(file, Utf8);
            return Parse(reader);
        }
        catch (DecoderFallbackException e)
        {
            throw new PasswordFileException($"\"{path}\" is not written in UTF-8", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PasswordFileException($"\"{path}\" cannot be read: {e.Message}", e);
        }
    }

    /// <summary>What is different where it has been changed; null = it is not there.</summary>
    public FileStamp? Stamp() => FileStamp.Of(path);

    private Dictionary<string, string> Parse(StreamReader reader)
    {
        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            var text = line.Trim();
            if (text.Length == 0 || text[0] == '#')
                continue;
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                throw new PasswordFileException($"\"{path}\", line {number}: must be NAME:HASH, as htpasswd -B writes it");
            var name = text[..colon];
            // A hash is not repeated in a message: that goes to logs.
            if (Bcrypt.CostOf(text[(colon + 1)..]) is null)
                throw new PasswordFileException($"\"{path}\", line {number}: the password of \"{name}\" is not hashed by bcrypt with a cost of 4 to 17; set it anew: htpasswd -B {path} {name}");
            if (!hashes.TryAdd(name, text[(colon + 1)..]))
                throw new PasswordFileException($"\"{path}\", line {number}: there is another \"{name}\" above");
        }

        return hashes;
    }
}
