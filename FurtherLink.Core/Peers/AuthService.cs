using FurtherLink.Messages;
using FurtherLink.Security;

namespace FurtherLink.Peers;

/// <summary>
/// The calls of "auth": "auth.login", its body <see cref="Credentials"/>, its result an <see cref="AuthAnswer"/>, says who a connection's client is from then
/// on. What comes behind it waits for its end.
/// </summary>
/// <param name="authenticator">Tells who it is.</param>
internal sealed class AuthService(IAuthenticator authenticator) : IService
{
    /// <summary>The first part of its calls' names.</summary>
    public const string ServiceName = "auth";

    /// <inheritdoc/>
    public string Name => ServiceName;

    /// <inheritdoc/>
    public Access Needs(Call call) => Access.None;

    /// <inheritdoc/>
    public async ValueTask<object?> CallAsync(Call call, Peer peer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(peer);
        // Who owns the other end is for a transport to find out, and for nobody to say.
        if (call is not { Name: "auth.login", Body: Credentials and not LocalCredentials })
            throw new LinkException(FailureCode.NotSupported, $"there is no call {call.Name}");
        var principal = await authenticator.AuthenticateAsync((Credentials)call.Body!, peer.Caller, cancellationToken).ConfigureAwait(false);
        peer.Become(principal);
        return new AuthAnswer(peer.Grant.Name, peer.Grant.Access);
    }
}
