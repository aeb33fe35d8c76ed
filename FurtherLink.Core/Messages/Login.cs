namespace FurtherLink.Messages;

/// <summary>The body of the call "auth.login": what a client shows of who it is. A token, or a user with a password.</summary>
/// <param name="Token">A token that the device has given out; null = none.</param>
/// <param name="User">A user's name; null = none.</param>
/// <param name="Password">The user's password; null = none.</param>
public sealed record Login(string? Token, string? User = null, string? Password = null)
{
    /// <inheritdoc/>
    public override string ToString() => Token is not null ? "a token" : "a password";
}
