using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using BCrypt.Net;

namespace FurtherLink.Security.Passwords;

/// <summary>Hashes of passwords as "htpasswd -B" writes them ($2y$10$...); the one file that knows the library for them.</summary>
internal static class Bcrypt
{
    // 2^17 rounds take some ten seconds; more is a mistake, or meant to keep this machine busy.
    private const int MostCost = 17;
    private const int LeastCost = 4;
    private const int Length = 60;
    private const string Letters = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private static readonly SearchValues<char> LetterSet = SearchValues.Create(Letters);

    /// <summary>Reads how much work a hash is.</summary>
    /// <returns>Null where it is no hash of this kind, or one that is not computed here.</returns>
    public static int? CostOf(string hash) =>
        hash.Length == Length && hash[..4] is "$2y$" or "$2b$" or "$2a$" && hash[6] == '$' && !hash.AsSpan(7).ContainsAnyExcept(LetterSet)
            && int.TryParse(hash.AsSpan(4, 2), NumberStyles.None, CultureInfo.InvariantCulture, out var cost) && cost is >= LeastCost and <= MostCost
            ? cost
            : null;

    /// <summary>A hash of no password that anybody knows, to take as long over.</summary>
    public static string Decoy(int cost) =>
        string.Create(CultureInfo.InvariantCulture, $"$2y${cost:00}${RandomNumberGenerator.GetString(Letters, 21)}.{RandomNumberGenerator.GetString(Letters, 31)}");

    /// <summary>Whether a password is the one of a hash. Takes long: some hundredths of a second, or seconds, by its cost.</summary>
    public static bool Verify(string password, string hash)
    {
        try
        {
            return BCrypt.Net.BCrypt.Verify(password, hash);
        }
        catch (Exception e) when (e is SaltParseException or ArgumentException)
        {
            return false;
        }
    }
}
