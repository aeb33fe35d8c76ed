using System.CommandLine;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Serving;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink connect": the device behind a Portacode gateway, until a signal ends it. It opens no port.</summary>
internal static class ConnectCommand
{
    /// <summary>The command's name.</summary>
    public const string Name = "connect";

    /// <summary>The exit code where the gateway rejects the device's key: nothing that a service manager should start again.</summary>
    public const int Rejected = 86;

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command(Name, "Be the device behind a Portacode gateway: dial it, and run what it starts.");
        var options = new SettingOptions(command, SettingUse.Connect);
        command.SetAction(async (result, cancellationToken) =>
        {
            using var configuration = options.Load(result);
            var isRejected = await DeviceHost.RunAsync(configuration, result.InvocationConfiguration.Output, result.InvocationConfiguration.Error, cancellationToken);
            return isRejected ? Rejected : 0;
        });
        return command;
    }
}
