using System.CommandLine;
using System.Globalization;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Consoles;
using FurtherLink.Host.Serving;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Tokens;
using Microsoft.Extensions.Options;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink token": makes, lists and revokes tokens of this device, whether or not its server runs.</summary>
internal static class TokenCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("token", "Let clients of other devices in by tokens: make, list and revoke them.");
        command.Add(CreateAdd());
        command.Add(CreateList());
        command.Add(CreateRevoke());
        return command;
    }

    private static Command CreateAdd()
    {
        var command = new Command("add", "Make a token and print it, this one time.");
        var name = new Argument<string>("name") { Description = "What you call it: the person or the program that gets it." };
        var access = new Option<string>("--role") { Description = "view: watch. drive: also start, type, upload, and stop its own. own: also take over and end what others started. Default drive.", HelpName = "role" };
        access.AcceptOnlyFromAmong("view", "drive", "own");
        var users = new Option<string[]>("--as-user") { Description = "A user that it may run programs as; the first is the one where it names none. Default: any.", HelpName = "name" };
        var expires = new Option<string>("--expires") { Description = "When it ends by itself: 12h, 30d, or a date as 2030-01-31. Default: never.", HelpName = "when" };
        var own = new Option<bool>("--own-sessions-only") { Description = "It does not see sessions that others have started." };
        command.Add(name);
        command.Add(access);
        command.Add(users);
        command.Add(expires);
        command.Add(own);
        var options = new SettingOptions(command, SettingUse.Token);
        command.SetAction(result => Run(options, result, store =>
        {
            var right = Enum.Parse<Access>(result.GetValue(access) ?? "drive", ignoreCase: true);
            var token = store.Add(
                result.GetValue(name)!, right, result.GetValue(users) is { Length: > 0 } named ? CheckUsers(named) : null, !result.GetValue(own), ExpiryOf(result.GetValue(expires), TimeProvider.System));
            var error = result.InvocationConfiguration.Error;
            error.WriteLine($"This is the token, which is shown now and never again; \"furtherlink token revoke {token.Info.Name}\" ends it:");
            error.WriteLine();
            result.InvocationConfiguration.Output.WriteLine(token.Text);
            error.WriteLine();
            error.WriteLine("Use it from another device, for example:");
            error.WriteLine("  furtherlink run --device wss://THIS-DEVICE:8028 --token-file FILE-WITH-IT -- uname -a");
            error.WriteLine("  curl -H \"Authorization: Bearer TOKEN\" ...");
            return 0;
        }));
        return command;
    }

    private static Command CreateList()
    {
        var command = new Command("list", "Show the tokens that were given out.");
        var options = new SettingOptions(command, SettingUse.Token);
        command.SetAction(result => Run(options, result, store =>
        {
            result.InvocationConfiguration.Output.Write(TextTable.Format(["NAME", "ROLE", "USERS", "SEES", "MADE", "ENDS"], store.List().Select(static token => new[]
            {
                token.Name, token.Access.ToString().ToLowerInvariant(), token.Users is null ? "any" : string.Join(',', token.Users), token.SeesOthers ? "all sessions" : "its own sessions",
                $"{token.Created.ToLocalTime():yyyy-MM-dd HH:mm}", token.Expires is { } end ? $"{end.ToLocalTime():yyyy-MM-dd HH:mm}" : "never",
            })));
            return 0;
        }));
        return command;
    }

    private static Command CreateRevoke()
    {
        var command = new Command("revoke", "End a token at once: who came by it is disconnected.");
        var name = new Argument<string>("name") { Description = "What you called it." };
        command.Add(name);
        var options = new SettingOptions(command, SettingUse.Token);
        command.SetAction(result => Run(options, result, store => store.Revoke(result.GetValue(name)!)
            ? 0
            : throw new ConsoleException(ExitCodes.Refused, $"there is no token \"{result.GetValue(name)}\"; see furtherlink token list.")));
        return command;
    }

    private static int Run(SettingOptions options, ParseResult result, Func<TokenStore, int> work)
    {
        using var configuration = options.Load(result);
        var settings = ServeOptions.Read(configuration);
        using var store = new TokenStore(Options.Create(new AccessOptions { TokenFile = HostPaths.TokenFile(settings) }));
        try
        {
            return work(store);
        }
        catch (Exception e) when (e is LinkException or TokenFileException)
        {
            throw new ConsoleException(ExitCodes.Refused, e.Message);
        }
    }

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
