namespace FurtherLink.Security;

/// <summary>Settings of who may connect; they stand in the section "FurtherLink" of the configuration.</summary>
public sealed class AccessOptions
{
    private int _loginAttempts = 10;

    /// <summary>
    /// Where tokens are kept, as hashes; made when the first is added, readable by the server's user alone. Null, the default = there are none; the
    /// executable host takes "tokens.json" in its state directory.
    /// </summary>
    public string? TokenFile { get; set; }

    /// <summary>
    /// How often a minute somebody may show from one address what counts for nothing; as many may come at once. Default 10, at least 1.
    /// </summary>
    public int LoginAttempts
    {
        get => _loginAttempts;
        set => _loginAttempts = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1.");
    }
}
