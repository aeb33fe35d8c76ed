namespace FurtherLink.Security;

/// <summary>Settings of who may connect; they stand in the section "FurtherLink" of the configuration.</summary>
public sealed class AccessOptions
{
    private int _loginAttempts = 10;
    private TimeSpan _pairingTime = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Where tokens are kept, as hashes; made when the first is added, readable by the server's user alone. Null, the default = there are none; the
    /// executable host takes "tokens.json" in its state directory.
    /// </summary>
    public string? TokenFile { get; set; }

    /// <summary>How long a client may come with the code that "furtherlink pair" shows. Default 5 minutes, at most an hour.</summary>
    public TimeSpan PairingTime
    {
        get => _pairingTime;
        set => _pairingTime = value > TimeSpan.Zero && value <= TimeSpan.FromHours(1)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "More than nothing, at most an hour.");
    }

    /// <summary>
    /// A command of the shell that shows people at the device the code for pairing: run with FURTHERLINK_PAIRING=open and the code in
    /// FURTHERLINK_PAIRING_CODE, and with FURTHERLINK_PAIRING=closed when it counts no more; for at most 10 s each. Null, the default = none.
    /// </summary>
    public string? PairingHook { get; set; }

    /// <summary>
    /// How often a minute somebody may show from one address what counts for nothing; as many may come at once. Default 10, at least 1.
    /// </summary>
    public int LoginAttempts
    {
        get => _loginAttempts;
        set => _loginAttempts = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1.");
    }
}
