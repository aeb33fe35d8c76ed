using FurtherLink.Messages;

namespace FurtherLink.Security.Auditing;

/// <summary>Something that is written down of who has done what. Holds no contents and no secrets.</summary>
/// <param name="What">
/// What has happened: "connected", "authenticated", "refused", "closed", "started", "ended", "uploaded", "changed", "tokenAdded", "tokenRevoked", "pairingOpened", "paired",
/// "pairingOver".
/// </param>
public sealed record AuditEvent(string What)
{
    /// <summary>Who, for people: the name of a token or user; null = nobody known.</summary>
    public string? Who { get; init; }

    /// <summary>Who, for good, see <see cref="Grant.Id"/>; null = nobody known.</summary>
    public string? Id { get; init; }

    /// <summary>From where, see <see cref="Caller.Address"/>.</summary>
    public string? From { get; init; }

    /// <summary>The connection's id.</summary>
    public string? Connection { get; init; }

    /// <summary>The session's id.</summary>
    public string? Session { get; init; }

    /// <summary>The runner.</summary>
    public string? Runner { get; init; }

    /// <summary>The user that it runs or uploads as.</summary>
    public string? User { get; init; }

    /// <summary>The directory that was uploaded.</summary>
    public string? Directory { get; init; }

    /// <summary>The action of a gateway that has changed something.</summary>
    public string? Action { get; init; }

    /// <summary>What it has changed, as the gateway has named it.</summary>
    public string? Path { get; init; }

    /// <summary>The name of the token that it is about.</summary>
    public string? Token { get; init; }

    /// <summary>What somebody may do from now on.</summary>
    public Access? Access { get; init; }

    /// <summary>How it has ended, in words.</summary>
    public string? End { get; init; }

    /// <summary>Why, in words.</summary>
    public string? Why { get; init; }

    /// <summary>An event about somebody.</summary>
    /// <param name="what">What has happened.</param>
    /// <param name="grant">Who.</param>
    /// <param name="caller">From where; null = that is not known.</param>
    public static AuditEvent Of(string what, Grant grant, Caller? caller)
    {
        ArgumentNullException.ThrowIfNull(grant);
        return new AuditEvent(what) { Who = grant.Name.Length > 0 ? grant.Name : null, Id = grant.Id.Length > 0 ? grant.Id : null, From = caller?.Address };
    }

    /// <summary>What is said, by the names of the file, in its order.</summary>
    internal IEnumerable<(string Name, string Value)> Fields => new (string Name, string? Value)[]
    {
        ("event", What), ("who", Who), ("id", Id), ("from", From), ("connection", Connection), ("session", Session), ("runner", Runner), ("user", User),
        ("directory", Directory), ("action", Action), ("path", Path), ("token", Token), ("access", Access?.ToString().ToLowerInvariant()), ("end", End), ("why", Why),
    }.Where(static one => one.Value is not null)!;
}
