using System.CommandLine;
using System.CommandLine.Parsing;
using FurtherLink.Client;
using FurtherLink.Client.Connectors;
using FurtherLink.Host.Certificates;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Consoles;
using FurtherLink.Host.Serving;
using FurtherLink.Messages;

namespace FurtherLink.Host.Commands;

/// <summary>
/// "furtherlink pair": on a device shows a code for a while, on another machine, with --to, exchanges that code for a token, which later commands use.
/// </summary>
internal static class PairCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("pair", "Let one client in by a code that this device shows for some minutes; with --to, be that client.");
        var to = new Option<string>("--to") { Description = "Pair this machine with a device that shows a code: wss://HOST:PORT. The code is asked for.", HelpName = "address" };
        var fingerprint = new Option<string>("--fingerprint") { Description = "SHA-256 fingerprint of the device's certificate, which it shows beside the code (with --to).", HelpName = "sha256" };
        var name = new Option<string>("--name") { Description = "What the device is to call this machine (with --to). Default: its user and name.", HelpName = "name" };
        command.Add(to);
        command.Add(fingerprint);
        command.Add(name);
        var terms = new TermsOptions(command);
        var options = new SettingOptions(command, SettingUse.Pair);
        command.Validators.Add(result => Check(result, to, fingerprint, name));
        command.SetAction((result, cancellationToken) => ConsoleCommand.RunAsync(() => result.GetValue(to) is { } address
            ? JoinAsync(result, DeviceOptions.Address(address, result.GetValue(fingerprint))!, result.GetValue(name) ?? $"{Environment.UserName}@{Environment.MachineName}", [.. terms.Given(result), .. options.Given(result)], cancellationToken)
            : OpenAsync(result, options, terms.Read(result), cancellationToken)));
        return command;
    }

    private static void Check(CommandResult result, Option<string> to, Option<string> fingerprint, Option<string> name)
    {
        try
        {
            if (result.GetValue(to) is { } address)
                (DeviceAddress.Parse(DeviceOptions.Address(address, result.GetValue(fingerprint))!) as IDisposable)?.Dispose();
            else if ((result.GetValue(fingerprint) ?? result.GetValue(name)) is not null)
                result.AddError("--fingerprint and --name say how to pair with another device, which --to names.");
        }
        catch (FormatException e)
        {
            result.AddError(e.Message);
        }
    }

    /// <summary>On the device: shows the code and waits.</summary>
    private static async Task<int> OpenAsync(ParseResult result, SettingOptions options, TokenTerms terms, CancellationToken cancellationToken)
    {
        using var configuration = options.Load(result);
        var settings = ServeOptions.Read(configuration);
        var state = StateDirectory.Locate(settings.StateDirectory, Environment.GetEnvironmentVariable);
        var socket = LocalHost.Find(state) ?? throw new ConsoleException(
            ExitCodes.Refused, "no server runs on this machine, or it has no socket. Start one with \"furtherlink serve\"; pairing needs it.");
        await using var client = await FurtherLinkClient.ConnectAsync(new UnixSocketConnector(socket), new ClientOptions { ReconnectTimeout = TimeSpan.Zero }, cancellationToken);
        var opened = await client.OpenPairingAsync(terms, cancellationToken);
        var output = result.InvocationConfiguration.Output;
        await output.WriteAsync(Invite(opened, settings));
        await output.FlushAsync(cancellationToken);
        var over = await client.WaitForPairingAsync(cancellationToken);
        if (over.Name is not { } name)
            throw new ConsoleException(ExitCodes.Refused, Explain(over.Outcome));
        await output.WriteLineAsync($"Paired with \"{name}\". \"furtherlink token revoke {name}\" ends that.");
        return 0;
    }

    private static string Invite(PairingOpened opened, ServeOptions settings)
    {
        var pin = "";
        if (!settings.NoTls)
        {
            using var certificate = CertificateSource.Find(settings).Load(TimeProvider.System);
            pin = $" --fingerprint {certificate.Fingerprint.Replace(":", "", StringComparison.Ordinal).ToLowerInvariant()}";
        }

        return $"""
            Code {opened.Code}, until {opened.Ends.ToLocalTime():HH:mm:ss}
            On the other machine, type this, and the code when you are asked for it:
              furtherlink pair --to {(settings.NoTls ? "ws" : "wss")}://{Environment.MachineName}:{settings.Port}{pin}
            Waiting for it. Ctrl-C ends it.

            """;
    }

    private static string Explain(string outcome) => outcome switch
    {
        "timedOut" => "nobody has come in time. \"furtherlink pair\" shows a new code.",
        "failed" => "a client came with the code, but its token cannot be kept; the server's log says why.",
        _ => "pairing was closed: another was opened, or the server ends.",
    };

    /// <summary>On another machine: exchanges the code.</summary>
    private static async Task<int> JoinAsync(ParseResult result, string address, string name, IReadOnlyCollection<string> given, CancellationToken cancellationToken)
    {
        if (given.Count > 0)
            throw new ConsoleException(ExitCodes.Usage, $"{given.First()} is for the device that shows the code, not with --to.");
        PairedDevices.Prepare();
        var connector = DeviceAddress.Parse(address);
        using var owned = connector as IDisposable;
        var paired = await ClientPairing.PairAsync(connector, await AskAsync(result, cancellationToken), name, cancellationToken);
        var file = PairedDevices.Keep(new PairedDevice(address, paired.Token));
        var output = result.InvocationConfiguration.Output;
        await output.WriteLineAsync($"Paired as \"{paired.Name}\", to {paired.Access.ToString().ToLowerInvariant()}. The token is kept in {file}.");
        await output.WriteLineAsync($"Now, for example: furtherlink run --device {address.Split('#')[0]} -- uname -a");
        return 0;
    }

    private static async Task<string> AskAsync(ParseResult result, CancellationToken cancellationToken)
    {
        // Never an argument: those are seen by everybody on this machine.
        if (!Console.IsInputRedirected)
            await result.InvocationConfiguration.Error.WriteAsync("Code that the device shows: ");
        return await Console.In.ReadLineAsync(cancellationToken) is { } line && line.Trim() is { Length: > 0 } code
            ? code
            : throw new ConsoleException(ExitCodes.Usage, "no code was given; the device shows it by \"furtherlink pair\".");
    }
}
