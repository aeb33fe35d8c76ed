using FurtherLink.Messages;

namespace FurtherLink.Security.Tokens;

/// <summary>A token that this device has given out, as it is listed: everything but what lets somebody in.</summary>
/// <param name="Id">What it is known by, for good; never used again.</param>
/// <param name="Name">What people call it; no other has the same.</param>
/// <param name="Access">What it allows.</param>
/// <param name="Created">When it was given out.</param>
public sealed record TokenInfo(string Id, string Name, Access Access, DateTimeOffset Created)
{
    /// <summary>Who it may run programs as, see <see cref="Grant.Users"/>; null = anybody.</summary>
    public IReadOnlyList<string>? Users { get; init; }

    /// <summary>Whether it sees sessions that others have started. Default true.</summary>
    public bool SeesOthers { get; init; } = true;

    /// <summary>When it ends by itself; null = it does not.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Whether who is in by one may stay in by the other.</summary>
    internal bool AllowsSameAs(TokenInfo other) =>
        this with { Users = null, Created = default } == other with { Users = null, Created = default }
            && (Users is null ? other.Users is null : other.Users is not null && Users.SequenceEqual(other.Users, StringComparer.Ordinal));
}

/// <summary>A token that has been made: the only time that its text is there.</summary>
/// <param name="Text">What lets somebody in.</param>
/// <param name="Info">What it is.</param>
public sealed record NewToken(string Text, TokenInfo Info)
{
    /// <inheritdoc/>
    public override string ToString() => $"a token named {Info.Name}";
}
