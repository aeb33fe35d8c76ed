using System.CommandLine;
using System.Globalization;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Consoles;
using FurtherLink.Messages;

namespace FurtherLink.Host.Commands;

/// <summary>The options of a command that makes a token: what it is to allow.</summary>
internal sealed class TermsOptions
{
    private readonly Option<string> _access = new("--role")
    {
        Description = "view: watch. drive: also start, type, upload, and stop its own. own: also take over and end what others started. Default drive.",
        HelpName = "role",
    };

    private readonly Option<string[]> _users = new("--as-user")
    {
        Description = "A user that it may run programs as; the first is the one where it names none. Default: any.",
        HelpName = "name",
    };

    private readonly Option<string> _expires = new("--expires") { Description = "When it ends by itself: 12h, 30d, or a date as 2030-01-31. Default: never.", HelpName = "when" };

    private readonly Option<bool> _own = new("--own-sessions-only") { Description = "It does not see sessions that others have started." };

    /// <summary>Adds them to a command.</summary>
    public TermsOptions(Command command)
    {
        _access.AcceptOnlyFromAmong("view", "drive", "own");
        command.Add(_access);
        command.Add(_users);
        command.Add(_expires);
        command.Add(_own);
    }

    /// <summary>The names of those that a command line gives.</summary>
    public IEnumerable<string> Given(ParseResult result) =>
        new Option[] { _access, _users, _expires, _own }.Where(option => result.GetResult(option) is { Implicit: false }).Select(static option => option.Name);

    /// <summary>What a command line asks for.</summary>
    /// <exception cref="ConsoleException">There is no such user, or the time is none.</exception>
    public TokenTerms Read(ParseResult result) => new(Enum.Parse<Access>(result.GetValue(_access) ?? "drive", ignoreCase: true))
    {
        Users = result.GetValue(_users) is { Length: > 0 } users ? CheckUsers(users) : null,
        SeesOthers = !result.GetValue(_own),
        Expires = ExpiryOf(result.GetValue(_expires), TimeProvider.System),
    };

    private static string[] CheckUsers(string[] names) => names.FirstOrDefault(name => Checks.User(name) is not null) is { } wrong
        ? throw new ConsoleException(ExitCodes.Usage, $"--as-user: \"{wrong}\" {Checks.User(wrong)}.")
        : names;

    /// <summary>When a token ends.</summary>
    /// <param name="text">A number of minutes, hours or days ("30d"), or a date; null = never.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ConsoleException">It is none of these, or is over.</exception>
    internal static DateTimeOffset? ExpiryOf(string? text, TimeProvider time)
    {
        if (text is null)
            return null;
        var now = time.GetUtcNow();
        DateTimeOffset? end = text[^Math.Min(1, text.Length)..] switch
        {
            "m" when Number(text) is { } minutes => now.AddMinutes(minutes),
            "h" when Number(text) is { } hours => now.AddHours(hours),
            "d" when Number(text) is { } days => now.AddDays(days),
            _ => DateTimeOffset.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var date) ? date : null,
        };
        return end > now ? end : throw new ConsoleException(ExitCodes.Usage, $"--expires: \"{text}\" must be a time to come, as 12h, 30d or 2030-01-31.");
    }

    private static double? Number(string text) =>
        int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 36_500 ? number : null;
}
