using System.CommandLine;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Consoles;
using FurtherLink.Host.Serving;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Auditing;
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
        command.Add(name);
        var terms = new TermsOptions(command);
        var options = new SettingOptions(command, SettingUse.Token);
        command.SetAction((result, _) => RunAsync(options, result, store =>
        {
            var token = store.Add(result.GetValue(name)!, terms.Read(result));
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
        command.SetAction((result, _) => RunAsync(options, result, store =>
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
        command.SetAction((result, _) => RunAsync(options, result, store => store.Revoke(result.GetValue(name)!)
            ? 0
            : throw new ConsoleException(ExitCodes.Refused, $"there is no token \"{result.GetValue(name)}\"; see furtherlink token list.")));
        return command;
    }

    private static async Task<int> RunAsync(SettingOptions options, ParseResult result, Func<TokenStore, int> work)
    {
        using var configuration = options.Load(result);
        var settings = ServeOptions.Read(configuration);
        var access = Options.Create(new AccessOptions());
        HostPaths.Use(access.Value, settings, letsIn: true);
        await using var audit = new AuditLog(access);
        using var store = new TokenStore(access, audit: audit);
        try
        {
            return work(store);
        }
        catch (Exception e) when (e is LinkException or TokenFileException)
        {
            throw new ConsoleException(ExitCodes.Refused, e.Message);
        }
    }
}
