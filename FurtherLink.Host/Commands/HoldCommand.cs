using System.CommandLine;
using FurtherLink.Host.Serving;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink hold": the process that holds sessions, which "serve" starts by itself.</summary>
internal static class HoldCommand
{
    /// <summary>The command's name.</summary>
    public const string Name = "hold";

    /// <summary>Makes the command. It takes the options of "serve".</summary>
    public static Command Create()
    {
        var command = new Command(Name, "Hold programs for a server of the same settings; the server starts it.") { Hidden = true };
        var options = new SettingOptions(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            using var configuration = options.Load(result);
            await HoldHost.RunAsync(configuration, cancellationToken);
            return 0;
        });
        return command;
    }
}
