using System.Security.Claims;
using FurtherLink.Messages;

namespace FurtherLink.Security;

/// <summary>
/// Tells who somebody is by what it shows: the one step before anything starts, of every transport. One that the application registers itself
/// replaces <see cref="Authenticator"/>. Thread safe.
/// </summary>
public interface IAuthenticator
{
    /// <summary>Tells who it is.</summary>
    /// <param name="credentials">What it shows.</param>
    /// <param name="caller">From where.</param>
    /// <param name="cancellationToken">Nobody waits for the answer any more.</param>
    /// <returns>Who; <see cref="Grant"/> makes one.</returns>
    /// <exception cref="LinkException">
    /// <see cref="FailureCode.Unauthenticated"/>: what it shows counts for nothing; <see cref="FailureCode.Limited"/>: too many tries have failed;
    /// <see cref="FailureCode.Denied"/>: it is known who that is, and that they may not.
    /// </exception>
    ValueTask<ClaimsPrincipal> AuthenticateAsync(Credentials credentials, Caller caller, CancellationToken cancellationToken);
}
