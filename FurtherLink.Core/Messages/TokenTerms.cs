namespace FurtherLink.Messages;

/// <summary>What a token is to allow that is not made yet.</summary>
/// <param name="Access">What its holder may do; more than nothing.</param>
public sealed record TokenTerms(Access Access)
{
    /// <summary>Who it may run programs as, see <see cref="Security.Grant.Users"/>; null, the default = anybody.</summary>
    public IReadOnlyList<string>? Users { get; init; }

    /// <summary>Whether it sees sessions that others have started. Default true.</summary>
    public bool SeesOthers { get; init; } = true;

    /// <summary>When it ends by itself; null, the default = it does not.</summary>
    public DateTimeOffset? Expires { get; init; }
}
