using FurtherLink.Host.Configuration;
using FurtherLink.Security;
using FurtherLink.Security.Tokens;
using Microsoft.Extensions.Options;

namespace FurtherLink.Host.Serving;

/// <summary>Whether there is anything yet by which somebody could be known to a host.</summary>
internal static class KnownCredentials
{
    /// <summary>Whether there is a token that has not expired, a file of passwords, or one of authorities.</summary>
    /// <exception cref="SettingException">The tokens cannot be read.</exception>
    public static bool Exist(ServeOptions options)
    {
        if (options.ClientAuthorities is not null || options.PasswordFile is not null)
            return true;
        using var tokens = new TokenStore(Options.Create(new AccessOptions { TokenFile = HostPaths.TokenFile(options) }));
        try
        {
            var now = TimeProvider.System.GetUtcNow();
            return tokens.List().Any(token => token.Expires is null || token.Expires > now);
        }
        catch (TokenFileException e)
        {
            throw new SettingException($"TokenFile: {e.Message}");
        }
    }
}
