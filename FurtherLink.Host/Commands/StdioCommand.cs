using System.CommandLine;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Consoles;
using FurtherLink.Host.Serving;
using FurtherLink.Processes;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink stdio": the messages as lines over standard input and output; of the host on this machine where one runs, else of its own.</summary>
internal static class StdioCommand
{
    // They say which host, and nothing that it would do otherwise.
    private static readonly string[] Harmless = ["--state-dir", "--debug"];

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("stdio", "Speak over standard input and output, one message a line; with the host that runs on this machine, or else by itself.");
        var options = new SettingOptions(command, SettingUse.Stdio);
        var alone = new Option<bool>("--alone") { Description = "Serve in this process, also where a host runs; programs end with it." };
        command.Add(alone);
        command.SetAction(async (result, cancellationToken) =>
        {
            using var configuration = options.Load(result);
            if (!StandardStreams.IsOpen(1))
                throw new ConsoleException(ExitCodes.Refused, "stdio: standard output was closed when this command was started.");
            var state = StateDirectory.Locate(ServeOptions.Read(configuration).StateDirectory, Environment.GetEnvironmentVariable);
            using var socket = result.GetValue(alone) ? null : await LocalHost.TryConnectAsync(state, cancellationToken);
            if (socket is null)
            {
                return End(await StdioHost.RunAsync(configuration, cancellationToken));
            }

            var unused = options.Given(result).Except(Harmless, StringComparer.Ordinal).ToList();
            if (unused.Count > 0)
            {
                await result.InvocationConfiguration.Error.WriteLineAsync(
                    $"furtherlink: a host runs already and serves with its own settings; to serve with {string.Join(", ", unused)}, say --alone.");
            }

            return End(await Relay.RunAsync(socket, cancellationToken));
        });
        return command;
    }

    private static int End(string? fault) =>
        fault is null ? 0 : throw new ConsoleException(ExitCodes.Refused, $"the output cannot be written: {fault}");
}
