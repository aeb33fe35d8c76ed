using System.Security.Claims;
using FurtherLink.Messages;
using FurtherLink.Security.Auditing;
using FurtherLink.Security.Passwords;
using FurtherLink.Security.Tokens;

namespace FurtherLink.Security;

/// <summary>The authentication of the core: users of this device, tokens, and passwords.</summary>
/// <param name="tokens">The tokens that were given out.</param>
/// <param name="passwords">The passwords of a file.</param>
/// <param name="limiter">Counts tries that fail.</param>
/// <param name="audit">Is told of them.</param>
internal sealed class Authenticator(TokenStore tokens, PasswordStore passwords, LoginLimiter limiter, AuditLog audit) : IAuthenticator
{
    /// <inheritdoc/>
    public async ValueTask<ClaimsPrincipal> AuthenticateAsync(Credentials credentials, Caller caller, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        ArgumentNullException.ThrowIfNull(caller);
        try
        {
            var grant = credentials switch
            {
                LocalCredentials { Uid: var uid } when OperatingSystem.IsLinux() => LocalUsers.GrantTo(uid),
                TokenCredentials { Token: var token } => ByToken(token, caller),
                PasswordCredentials password => await passwords.FindAsync(password, caller, cancellationToken).ConfigureAwait(false),
                _ => throw new LinkException(FailureCode.Unauthenticated, $"{credentials} counts for nothing here"),
            };
            return grant.ToPrincipal();
        }
        catch (LinkException e)
        {
            audit.Write(new AuditEvent("refused") { From = caller.Address, Why = $"{Name(credentials)}: {e.Message}" });
            throw;
        }
    }

    // A name that is none may be a password in the wrong field.
    private string Name(Credentials credentials) => credentials switch
    {
        PasswordCredentials { User: var user } => passwords.Knows(user) ? $"a password of {user}" : "a password of an unknown name",
        LocalCredentials => "a user of this device",
        _ => credentials.ToString(),
    };

    // One that counts lets in however many others fail from the same address: nobody can be locked out.
    private Grant ByToken(string token, Caller caller)
    {
        if (tokens.Find(token) is { } grant)
            return grant;
        limiter.Fail(caller);
        throw new LinkException(FailureCode.Unauthenticated, "this token counts for nothing here: it is wrong, revoked or expired");
    }
}
