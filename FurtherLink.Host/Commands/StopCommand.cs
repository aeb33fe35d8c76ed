using System.CommandLine;
using System.IO.Pipelines;
using FurtherLink.Client;
using FurtherLink.Host.Consoles;
using FurtherLink.Messages;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink stop": ends sessions' programs, with everything they started.</summary>
internal static class StopCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("stop", "End the programs of sessions, with everything they started.");
        var sessions = new Argument<string[]>("session") { Description = "The sessions' ids or names.", Arity = ArgumentArity.OneOrMore };
        command.Add(sessions);
        var options = new DeviceOptions(command);
        command.SetAction((result, cancellationToken) => ConsoleCommand.RunAsync(async () =>
        {
            var notes = options.Notes(result);
            await using var device = await options.OpenAsync(result, notes, cancellationToken);
            var code = 0;
            foreach (var name in result.GetValue(sessions)!)
            {
                try
                {
                    await StopAsync(device.Client, name, cancellationToken);
                }
                catch (LinkException e) when (e is not LinkConnectException)
                {
                    // The others are stopped all the same.
                    notes.Complain($"{name}: {e.Message}");
                    code = ExitCodes.Refused;
                }
            }

            await notes.WrittenAsync();
            return code;
        }));
        return command;
    }

    private static async Task StopAsync(FurtherLinkClient client, string name, CancellationToken cancellationToken)
    {
        await using var session = await client.AttachAsync(name, new AttachRequest { From = null }, cancellationToken);

        // The end comes behind the last output.
        var drained = Task.WhenAll(DrainAsync(session.Output), DrainAsync(session.Error));
        await session.StopAsync(cancellationToken);
        await drained;
    }

    private static async Task DrainAsync(PipeReader reader)
    {
        while (true)
        {
            var result = await reader.ReadAsync();
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                return;
        }
    }
}
