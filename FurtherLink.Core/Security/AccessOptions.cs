using FurtherLink.Messages;
using FurtherLink.Security.Auditing;
using FurtherLink.Security.Passwords;
using FurtherLink.Security.Tokens;

namespace FurtherLink.Security;

/// <summary>Settings of who may connect; they stand in the section "FurtherLink" of the configuration.</summary>
public sealed class AccessOptions
{
    private int _loginAttempts = 10;
    private Access _passwordAccess = Access.Drive;
    private TimeSpan _pairingTime = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Where tokens are kept, as hashes; made when the first is added, readable by the server's user alone. Null, the default = there are none; the
    /// executable host takes "tokens.json" in its state directory.
    /// </summary>
    public string? TokenFile { get; set; }

    /// <summary>
    /// A file of names and passwords that let people in, as "htpasswd -B" writes it (bcrypt); read again when it is changed. Null, the default = there are none.
    /// </summary>
    public string? PasswordFile { get; set; }

    /// <summary>What a password allows; more than nothing. Default <see cref="Access.Drive"/>.</summary>
    public Access PasswordAccess
    {
        get => _passwordAccess;
        set => _passwordAccess = value is Access.View or Access.Drive or Access.Own ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Must be view, drive or own.");
    }

    /// <summary>
    /// A file that is appended to, an object of JSON a line: who has connected, started, uploaded, and how it ended. Its group may read it, nobody else.
    /// Null, the default = none; the log category "FurtherLink.Audit" says the same.
    /// </summary>
    public string? AuditFile { get; set; }

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

    /// <summary>Looks at the files that these settings name; the one of <see cref="AuditFile"/> is made where it is missing.</summary>
    /// <returns>What is wrong, a sentence that begins with the setting's name for each; nothing where all can be used.</returns>
    public IReadOnlyList<string> FindFaults()
    {
        List<string> faults = [];
        Try(nameof(TokenFile), TokenFile, static path => new TokenFile(path).Read());
        Try(nameof(PasswordFile), PasswordFile, static path => new PasswordFile(path).Read());
        Try(nameof(AuditFile), AuditFile, static path => new AuditFile(path).Check());
        return faults;

        void Try(string name, string? path, Action<string> use)
        {
            try
            {
                if (!string.IsNullOrEmpty(path))
                    use(Path.GetFullPath(path));
            }
            catch (Exception e) when (e is TokenFileException or PasswordFileException or IOException or UnauthorizedAccessException)
            {
                faults.Add($"{name}: {e.Message}");
            }
        }
    }
}
