using System.CommandLine;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Serving;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink restart": has the running server start anew, from a replaced executable too, while held programs go on.</summary>
internal static class RestartCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("restart", "Have the running server start anew, or with --gateway the device behind it; programs of sessions that are kept go on.");
        var options = new SettingOptions(command, SettingUse.Serve | SettingUse.Connect);
        command.SetAction(async (result, cancellationToken) =>
        {
            using var configuration = options.Load(result);
            return await Restart.RunAsync(configuration, result.InvocationConfiguration.Output, result.InvocationConfiguration.Error, cancellationToken);
        });
        return command;
    }
}
