using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using FurtherLink.Processes;

namespace FurtherLink.Host.Configuration;

/// <summary>What values must look like. Each check gives the words that follow the value in a message, or null where it is right.</summary>
internal static partial class Checks
{
    [GeneratedRegex(@"\A([0-9]+\.)?([01]?[0-9]|2[0-3])(:[0-5]?[0-9]){2}(\.[0-9]{1,7})?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex TimePattern();

    /// <summary>A whole number within bounds, both included.</summary>
    public static Func<string, string?> Number(long minimum, long maximum)
    {
        var words = maximum is int.MaxValue or long.MaxValue ? $"must be a whole number of at least {minimum}" : $"must be a whole number from {minimum} to {maximum}";
        return text => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum ? null : words;
    }

    /// <summary>0 for off, or a whole number of at least a minimum.</summary>
    public static Func<string, string?> NumberOrOff(long minimum) =>
        text => text == "0" || Number(minimum, long.MaxValue)(text) is null ? null : $"must be 0, or a whole number of at least {minimum}";

    /// <summary>A number of bytes within bounds, both included, which may have a unit.</summary>
    public static Func<string, string?> Size(long minimum, long maximum)
    {
        var bounds = maximum is int.MaxValue or long.MaxValue ? $"of at least {minimum}" : $"from {minimum} to {maximum}";
        return text => ByteSize.TryParse(text) is { } bytes && bytes >= minimum && bytes <= maximum ? null : $"must be a whole number {bounds} bytes, or one with K, M, G or T behind, such as 64M or 64MiB";
    }

    /// <summary>0 for off, or a number of bytes of at least a minimum, which may have a unit.</summary>
    public static Func<string, string?> SizeOrOff(long minimum) =>
        text => text == "0" || Size(minimum, long.MaxValue)(text) is not { } words ? null : words.Replace("must be", "must be 0, or", StringComparison.Ordinal);

    /// <summary>Processors, of which there may be parts.</summary>
    public static string? Processors(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count) && count is >= 0.01 and <= 100_000
            ? null
            : "must be a number from 0.01 to 100000, such as 0.5 or 2";

    /// <summary>A part of a whole.</summary>
    public static string? Share(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share) && share is >= 0.01 and <= 0.99
            ? null
            : "must be a number from 0.01 to 0.99";

    /// <summary>A time span that is not negative. What .NET would read otherwise than people mean it, 30 and 24:00:00 as days, 00:30 as minutes, is refused.</summary>
    public static string? Duration(string text) =>
        text == "0" || TimePattern().IsMatch(text) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out _)
            ? null
            : "must be a time as hours:minutes:seconds, such as 00:00:30, from 24 hours on with days before it: 1.12:00:00";

    /// <summary>On or off.</summary>
    public static string? Switch(string text) => IsOn(text) || IsOff(text) ? null : "must be true or false";

    /// <summary>On or off, as .NET's own configuration reads it.</summary>
    public static string? TrueOrFalse(string text) => bool.TryParse(text, out _) ? null : "must be true or false";

    /// <summary>A time span of more than nothing.</summary>
    public static string? PositiveDuration(string text) =>
        Duration(text) ?? (TimeSpan.Parse(text, CultureInfo.InvariantCulture) > TimeSpan.Zero ? null : "must be more than nothing");

    /// <summary>A time span to wait, an hour at most.</summary>
    public static string? Wait(string text) =>
        PositiveDuration(text) ?? (TimeSpan.Parse(text, CultureInfo.InvariantCulture) <= TimeSpan.FromHours(1) ? null : "must be at most 01:00:00");

    /// <summary>A name of an enumeration's.</summary>
    public static string? OneOf<T>(string text)
        where T : struct, Enum => Enum.GetNames<T>().Contains(text, StringComparer.OrdinalIgnoreCase) ? null : $"must be one of {string.Join(", ", Enum.GetNames<T>())}";

    /// <summary>The address of a Portacode gateway.</summary>
    public static string? Gateway(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri is { Scheme: "ws" or "wss", Fragment: "" } ? null : "must be an address that begins with ws:// or wss://";

    /// <summary>The name of a host.</summary>
    public static string? HostName(string text) =>
        Uri.CheckHostName(text) is UriHostNameType.Dns ? null : "must be a host name, without a port";

    /// <summary>What somebody may do whose credentials are good for something.</summary>
    public static string? ClientAccess(string text) =>
        text.ToLowerInvariant() is "view" or "drive" or "own" ? null : "must be view, drive or own";

    /// <summary>A word or an IP address to listen on.</summary>
    public static string? Address(string text) =>
        IsLoopback(text) || IsAny(text) || IPAddress.TryParse(text, out _) ? null : "must be loopback, any, or an IP address of this device";

    /// <summary>A web origin as browsers send it.</summary>
    public static string? Origin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
            && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0 && !text.EndsWith('/') && !text.Contains('*')
            ? null
            : "must be an origin as browsers send it: http or https, host, perhaps a port, and nothing behind (https://example.org)";

    /// <summary>A directory that this process can write to, or could make.</summary>
    public static string? WritableDirectory(string text)
    {
        if (text.Length == 0)
            return null;
        if (text.Contains('\0'))
            return "must not hold a NUL character";
        try
        {
            var existing = Path.GetFullPath(text);
            while (!Path.Exists(existing))
                existing = Path.GetDirectoryName(existing)!;
            if (!Directory.Exists(existing))
                return existing == Path.GetFullPath(text) ? "is not a directory" : $"cannot be made: {existing} is not a directory";
            using var probe = new FileStream(
                Path.Combine(existing, ".furtherlink-" + Path.GetRandomFileName()), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "cannot be written to";
        }
    }

    /// <summary>A user that this process may run programs as.</summary>
    public static string? User(string text)
    {
        if (text.Length == 0 || !OperatingSystem.IsLinux())
            return null;
        if (UserAccount.TryFind(text) is not { } user)
            return "is no user of this device";
        var server = UserAccount.Current;
        return server.Uid == user.Uid || server.Uid == 0 ? null : $"cannot be used: this server runs as {server.Name}, and only root may run programs as others";
    }

    /// <summary>Whether a switch is turned on by this text.</summary>
    public static bool IsOn(string text) => text == "1" || text.Equals("true", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a switch is turned off by this text.</summary>
    public static bool IsOff(string text) => text == "0" || text.Equals("false", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it means this device alone.</summary>
    public static bool IsLoopback(string text) =>
        text.Equals("loopback", StringComparison.OrdinalIgnoreCase) || text.Equals("localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it means every address of this device.</summary>
    public static bool IsAny(string text) => text == "*" || text.Equals("any", StringComparison.OrdinalIgnoreCase);
}
