using System.Globalization;

namespace FurtherLink.Host.Configuration;

/// <summary>Reads how many bytes a person means: 1048576, 1024K, 1M, 1 MiB.</summary>
internal static class ByteSize
{
    // Each is 1024 times the one before.
    private const string Units = "KMGT";
    private const string Binary = "iB";

    /// <summary>Reads it: a whole number, of bytes or of what the unit says, which stands for powers of 1024. Case does not matter.</summary>
    /// <returns>Bytes; null where it is no size, or too large for the device to count.</returns>
    public static long? TryParse(string text)
    {
        var rest = text.EndsWith(Binary, StringComparison.OrdinalIgnoreCase) ? text[..^Binary.Length] : text;
        var power = rest.Length == 0 ? 0 : Units.IndexOf(char.ToUpperInvariant(rest[^1]), StringComparison.Ordinal) + 1;

        // "iB" alone is no unit.
        if (power == 0 && rest.Length < text.Length)
            return null;
        var number = power == 0 ? rest : rest[..^1].TrimEnd(' ');
        if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            return null;
        var unit = 1L << (10 * power);
        return count <= long.MaxValue / unit ? count * unit : null;
    }
}
