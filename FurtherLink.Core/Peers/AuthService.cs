using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Auditing;

namespace FurtherLink.Peers;

/// <summary>
/// The calls of "auth": "auth.login", its body a <see cref="Login"/>, its result an <see cref="AuthAnswer"/>, says who a connection's client is from then
/// on. What comes behind it waits for its end.
/// </summary>
/// <param name="authenticator">Tells who it is.</param>
/// <param name="audit">Is told who has said so.</param>
internal sealed class AuthService(IAuthenticator authenticator, AuditLog? audit = null) : IService
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
        if (call is not { Name: "auth.login", Body: Login login })
            throw new LinkException(FailureCode.NotSupported, $"there is no call {call.Name}");
        Credentials credentials = login.Token is { } token ? new TokenCredentials(token) : new PasswordCredentials(login.User ?? "", login.Password ?? "");
        var principal = await authenticator.AuthenticateAsync(credentials, peer.Caller, cancellationToken).ConfigureAwait(false);
        peer.Become(principal);
        audit?.Write(AuditEvent.Of("authenticated", peer.Grant, peer.Caller) with { Connection = peer.ConnectionId, Access = peer.Grant.Access });
        return new AuthAnswer(peer.Grant.Name, peer.Grant.Access);
    }
}
