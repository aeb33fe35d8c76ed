using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace FurtherLink.Tests.Support;

/// <summary>What "seq 100000000 ..." prints: lines of ten bytes, each of them known.</summary>
internal static class CountedLines
{
    public const long First = 100_000_000;

    private const int Digits = 9;

    /// <summary>How many bytes so many lines have.</summary>
    public static long Length(int lines, string ending) => (long)lines * (Digits + ending.Length);

    /// <summary>The SHA-256 of so many lines, in hexadecimal.</summary>
    public static string Hash(int lines, string ending)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> line = new byte[Digits + ending.Length];
        Encoding.ASCII.GetBytes(ending, line[Digits..]);
        for (var number = First; number < First + lines; number++)
        {
            number.TryFormat(line, out _, provider: CultureInfo.InvariantCulture);
            hash.AppendData(line);
        }

        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }
}
