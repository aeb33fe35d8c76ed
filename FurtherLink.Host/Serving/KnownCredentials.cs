using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Serving;

/// <summary>Whether there is anything yet by which somebody could be known to a host.</summary>
internal static class KnownCredentials
{
    /// <summary>Whether there is a token, a file of passwords, or one of authorities.</summary>
    public static bool Exist(ServeOptions options) => options.ClientAuthorities is not null;
}
