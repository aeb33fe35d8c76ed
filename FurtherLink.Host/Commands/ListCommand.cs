using System.CommandLine;
using FurtherLink.Host.Consoles;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink list": the device's sessions.</summary>
internal static class ListCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("list", "Show the device's sessions, ended ones that can still be read included.");
        var json = new Option<bool>("--json") { Description = "As a JSON array." };
        command.Add(json);
        var options = new DeviceOptions(command);
        command.SetAction((result, cancellationToken) => ConsoleCommand.RunAsync(async () =>
        {
            await using var device = await options.OpenAsync(result, options.Notes(result), cancellationToken);
            var sessions = await device.Client.ListAsync(cancellationToken);
            await result.InvocationConfiguration.Output.WriteAsync(result.GetValue(json) ? SessionListText.Json(sessions) : SessionListText.Table(sessions));
            return 0;
        }));
        return command;
    }
}
