using System.Security.Claims;
using FurtherLink.Messages;

namespace FurtherLink.Security;

/// <summary>Who somebody is and what that allows: what authentication gives, and every check asks. Immutable.</summary>
/// <param name="Name">Who, for people: in logs, presence and lists.</param>
/// <param name="Access">What it may do.</param>
public sealed record Grant(string Name, Access Access)
{
    /// <summary>Nobody known, who may do nothing.</summary>
    public static Grant Nobody { get; } = new("", Access.None);

    /// <summary>
    /// By what its sessions are known as its own, of one kind of credentials or another ("token:phone", "user:pi"). Default: the name.
    /// </summary>
    public string Id { get; init; } = Name;

    /// <summary>
    /// The names of the users that it may run and upload as; the first is the one where it names none, which an empty list leaves to the device's
    /// default. Null, the default = any.
    /// </summary>
    public IReadOnlyList<string>? Users { get; init; }

    /// <summary>Whether it sees sessions that others have started. Default true.</summary>
    public bool SeesOthers { get; init; } = true;

    /// <summary>Cancelled when it counts no more: what it was given for is revoked or has expired. Its connections end then. Default: never.</summary>
    public CancellationToken Ended { get; init; }

    /// <summary>It is root, or the user whose server this is, on this device: it lets others in.</summary>
    internal bool IsOwner { get; init; }

    /// <summary>A principal that carries it.</summary>
    public ClaimsPrincipal ToPrincipal() => new(new GrantIdentity(this));

    /// <summary>
    /// What a principal was given. Of one that another part of the application has made: its name, and what its claim <see cref="Rights.ClaimType"/> says.
    /// </summary>
    public static Grant Of(ClaimsPrincipal? principal)
    {
        if (principal is null)
            return Nobody;
        foreach (var identity in principal.Identities)
        {
            if (identity is GrantIdentity { Grant: var grant })
                return grant;
        }

        return new Grant(principal.Identity?.Name ?? "", Rights.Read(principal.FindFirst(Rights.ClaimType)?.Value));
    }

    /// <summary>Checks a right on the device.</summary>
    /// <exception cref="LinkException"><see cref="FailureCode.Denied"/>, or <see cref="FailureCode.Unauthenticated"/> where nobody is known.</exception>
    public void Demand(Access needed)
    {
        if (Access >= needed)
            return;
        throw Access is Access.None
            ? new LinkException(FailureCode.Unauthenticated, "say who you are first")
            : new LinkException(FailureCode.Denied, $"this needs the right to {needed.ToString().ToLowerInvariant()}");
    }

    /// <summary>Who it runs or uploads as.</summary>
    /// <param name="asked">The user that it names; null = none.</param>
    /// <returns>Null = the device's default user.</returns>
    /// <exception cref="LinkException"><see cref="FailureCode.Denied"/>: it may not run as that user.</exception>
    public string? UserFor(string? asked)
    {
        if (Users is null)
            return asked;
        if (asked is null)
            return Users.Count > 0 ? Users[0] : null;
        if (!Users.Contains(asked, StringComparer.Ordinal))
            throw new LinkException(FailureCode.Denied, $"running as \"{asked}\" is not allowed to {Name}");
        return asked;
    }

    /// <summary>Whether it may type into a session: one that runs as a user that it may run as, or that it has started itself.</summary>
    /// <param name="session">The session.</param>
    /// <param name="defaultUser">Finds the name of the device's default user.</param>
    internal bool MayType(SessionInfo session, Func<string> defaultUser) =>
        Users is null || IsOwn(session) || Users.Contains(session.User, StringComparer.Ordinal) || (Users.Count == 0 && session.User == defaultUser());

    /// <summary>Whether it may know of a session.</summary>
    public bool Sees(SessionInfo session)
    {
        ArgumentNullException.ThrowIfNull(session);
        return SeesOthers || IsOwn(session);
    }

    /// <summary>Whether it may end a session: its own, or any where it may own.</summary>
    public bool Ends(SessionInfo session)
    {
        ArgumentNullException.ThrowIfNull(session);
        return Access >= Access.Own || (Access >= Access.Drive && IsOwn(session));
    }

    private bool IsOwn(SessionInfo session) => session.Owner == Id;

    /// <summary>Carries a grant through what knows of claims only.</summary>
    private sealed class GrantIdentity(Grant grant) : ClaimsIdentity(
        [new Claim(ClaimTypes.Name, grant.Name), new Claim(Rights.ClaimType, grant.Access.ToString().ToLowerInvariant())], "furtherlink")
    {
        public Grant Grant { get; } = grant;

        public override ClaimsIdentity Clone() => new GrantIdentity(Grant);
    }
}
