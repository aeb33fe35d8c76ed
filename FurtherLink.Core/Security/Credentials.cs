namespace FurtherLink.Security;

/// <summary>What somebody shows of who it is. Its text never holds the secret.</summary>
public abstract record Credentials;

/// <summary>A token that this device has given out.</summary>
/// <param name="Token">The token.</param>
public sealed record TokenCredentials(string Token) : Credentials
{
    /// <inheritdoc/>
    public override string ToString() => "a token";
}

/// <summary>A name and a password.</summary>
/// <param name="User">The name.</param>
/// <param name="Password">The password.</param>
public sealed record PasswordCredentials(string User, string Password) : Credentials
{
    /// <inheritdoc/>
    public override string ToString() => "a password";
}

/// <summary>What the operating system says: who owns the other end of a connection within this device.</summary>
/// <param name="Uid">The user's id.</param>
public sealed record LocalCredentials(uint Uid) : Credentials;
