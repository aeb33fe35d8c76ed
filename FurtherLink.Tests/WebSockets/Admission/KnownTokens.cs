using System.Security.Claims;
using FurtherLink.Messages;
using FurtherLink.Security;

namespace FurtherLink.Tests.WebSockets.Admission;

/// <summary>Tokens "view", "drive" and "own" with these rights, user "ann" with password "pa:ss", and users of this device as ever.</summary>
internal sealed class KnownTokens : IAuthenticator
{
    private readonly CancellationTokenSource _ended = new();

    /// <summary>What has been shown so far.</summary>
    public List<Credentials> Shown { get; } = [];

    /// <summary>From where, last.</summary>
    public Caller? Caller { get; private set; }

    /// <summary>Whether users of this device may do nothing.</summary>
    public bool RefusesUsers { get; set; }

    /// <summary>Everything counts no more.</summary>
    public void End() => _ended.Cancel();

    public ValueTask<ClaimsPrincipal> AuthenticateAsync(Credentials credentials, Caller caller, CancellationToken cancellationToken)
    {
        lock (Shown)
            Shown.Add(credentials);
        Caller = caller;
        return ValueTask.FromResult(credentials switch
        {
            TokenCredentials { Token: "view" } => Give("phone", Access.View),
            TokenCredentials { Token: "drive" } => Give("phone", Access.Drive),
            TokenCredentials { Token: "own" } => Give("phone", Access.Own),
            TokenCredentials { Token: "often" } => throw new LinkException(FailureCode.Limited, "too many tries") { RetryAfter = TimeSpan.FromSeconds(6.1) },
            PasswordCredentials { User: "ann", Password: "pa:ss" } => Give("ann", Access.Own),
            LocalCredentials when RefusesUsers => throw new LinkException(FailureCode.Denied, "you may not"),
            LocalCredentials { Uid: var uid } when OperatingSystem.IsLinux() => LocalUsers.GrantTo(uid).ToPrincipal(),
            _ => throw new LinkException(FailureCode.Unauthenticated, $"{credentials} counts for nothing here"),
        });
    }

    private ClaimsPrincipal Give(string name, Access access) => new Grant(name, access) { Ended = _ended.Token }.ToPrincipal();
}
