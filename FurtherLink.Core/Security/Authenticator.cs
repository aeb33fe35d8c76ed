using System.Security.Claims;
using FurtherLink.Messages;

namespace FurtherLink.Security;

/// <summary>The authentication of the core: users of this device.</summary>
internal sealed class Authenticator : IAuthenticator
{
    /// <inheritdoc/>
    public ValueTask<ClaimsPrincipal> AuthenticateAsync(Credentials credentials, Caller caller, CancellationToken cancellationToken)
    {
        if (credentials is LocalCredentials { Uid: var uid } && OperatingSystem.IsLinux())
            return ValueTask.FromResult(LocalUsers.GrantTo(uid).ToPrincipal());
        throw new LinkException(FailureCode.Unauthenticated, $"{credentials} counts for nothing here");
    }
}
