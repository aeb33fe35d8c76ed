using System.Security.Claims;
using FurtherLink.Messages;
using FurtherLink.Security.Tokens;

namespace FurtherLink.Security;

/// <summary>The authentication of the core: users of this device, and tokens.</summary>
/// <param name="tokens">The tokens that were given out.</param>
/// <param name="limiter">Counts tries that fail.</param>
internal sealed class Authenticator(TokenStore tokens, LoginLimiter limiter) : IAuthenticator
{
    /// <inheritdoc/>
    public ValueTask<ClaimsPrincipal> AuthenticateAsync(Credentials credentials, Caller caller, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        ArgumentNullException.ThrowIfNull(caller);
        return credentials switch
        {
            LocalCredentials { Uid: var uid } when OperatingSystem.IsLinux() => ValueTask.FromResult(LocalUsers.GrantTo(uid).ToPrincipal()),
            TokenCredentials { Token: var token } => ValueTask.FromResult(ByToken(token, caller).ToPrincipal()),
            _ => throw new LinkException(FailureCode.Unauthenticated, $"{credentials} counts for nothing here"),
        };
    }

    // One that counts lets in however many others fail from the same address: nobody can be locked out.
    private Grant ByToken(string token, Caller caller)
    {
        if (tokens.Find(token) is { } grant)
            return grant;
        limiter.Fail(caller);
        throw new LinkException(FailureCode.Unauthenticated, "this token counts for nothing here: it is wrong, revoked or expired");
    }
}
