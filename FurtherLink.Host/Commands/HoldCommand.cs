using System.CommandLine;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Serving;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink hold": the process that holds sessions, which "serve" and "connect" start by themselves.</summary>
internal static class HoldCommand
{
    /// <summary>The command's name.</summary>
    public const string Name = "hold";

    /// <summary>The option that says that it holds for "connect".</summary>
    public const string Device = "--device";

    /// <summary>Makes the command. It takes the options of "serve" and "connect".</summary>
    public static Command Create()
    {
        var command = new Command(Name, "Hold programs for a server of the same settings; the server starts it.") { Hidden = true };
        var options = new SettingOptions(command, SettingUse.Serve | SettingUse.Connect);
        var device = new Option<bool>(Device);
        command.Add(device);
        command.SetAction(async (result, cancellationToken) =>
        {
            using var configuration = options.Load(result);
            await HoldHost.RunAsync(configuration, result.GetValue(device), cancellationToken);
            return 0;
        });
        return command;
    }
}
