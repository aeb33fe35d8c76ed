using System.Security.Claims;
using FurtherLink.Messages;
using FurtherLink.Security.Tokens;
using Microsoft.Extensions.Options;

namespace FurtherLink.Security;

/// <summary>The authentication of the core: users of this device, and tokens.</summary>
/// <param name="tokens">The tokens that were given out.</param>
/// <param name="options">Settings of who may connect.</param>
/// <param name="time">The clock.</param>
internal sealed class Authenticator(TokenStore tokens, IOptions<AccessOptions> options, TimeProvider time) : IAuthenticator
{
    private readonly LoginLimiter _limiter = new(options.Value.LoginAttempts, time);

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
        _limiter.Fail(caller);
        throw new LinkException(FailureCode.Unauthenticated, "this token counts for nothing here: it is wrong, revoked or expired");
    }
}
