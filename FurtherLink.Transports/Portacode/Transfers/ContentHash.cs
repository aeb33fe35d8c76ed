using System.Security.Cryptography;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>A SHA-256 hash as the protocol writes it: "sha256:" and 64 hex digits, or the digits alone.</summary>
internal static class ContentHash
{
    private const string Prefix = "sha256:";

    /// <summary>The hash of some bytes, with its prefix.</summary>
    public static string Of(ReadOnlySpan<byte> content) => Write(SHA256.HashData(content));

    /// <summary>Writes a hash with its prefix.</summary>
    public static string Write(ReadOnlySpan<byte> hash) => Prefix + Convert.ToHexStringLower(hash);

    /// <summary>The hash in an argument; null where it is missing.</summary>
    /// <exception cref="LinkException">It is no such hash.</exception>
    public static byte[]? Read(PortacodeRequest request, string name)
    {
        if (request.Text(name) is not { Length: > 0 } text)
            return null;
        var digits = text.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) ? text[Prefix.Length..] : text;
        if (digits.Length != 2 * SHA256.HashSizeInBytes || !digits.All(char.IsAsciiHexDigit))
            throw new LinkException(FailureCode.BadValue, $"{name} parameter must be a SHA-256 hash: sha256: and 64 hex digits");
        return Convert.FromHexString(digits);
    }

    /// <summary>The hash in an argument that must be there.</summary>
    /// <exception cref="LinkException">It is missing, or no such hash.</exception>
    public static byte[] Require(PortacodeRequest request, string name) =>
        Read(request, name) ?? throw new LinkException(FailureCode.BadMessage, $"{name} parameter is required");
}
