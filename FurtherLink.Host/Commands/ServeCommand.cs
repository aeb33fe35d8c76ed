using System.CommandLine;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Serving;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink serve": listens until a signal ends it.</summary>
internal static class ServeCommand
{
    /// <summary>The command's name.</summary>
    public const string Name = "serve";

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command(Name, "Listen for clients and run what they start.");
        var options = new SettingOptions(command, SettingUse.Serve);
        command.SetAction(async (result, cancellationToken) =>
        {
            using var configuration = options.Load(result);
            await LinkHost.RunAsync(configuration, result.InvocationConfiguration.Output, result.InvocationConfiguration.Error, cancellationToken);
            return 0;
        });
        return command;
    }
}
