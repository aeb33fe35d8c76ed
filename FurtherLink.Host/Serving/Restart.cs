using System.Diagnostics;
using FurtherLink.Host.Commands;
using FurtherLink.Host.Configuration;
using FurtherLink.Processes;

namespace FurtherLink.Host.Serving;

/// <summary>Asks the running server to start anew, and waits until it has.</summary>
internal static class Restart
{
    /// <summary>SIGUSR1 (signal(7)), by which a server is asked.</summary>
    public const int Signal = 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    /// <summary>Does it.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(HostConfiguration configuration, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        var options = ServeOptions.Read(configuration);

        // Said here: the variable and the file may be there for "connect" alone.
        var isDevice = configuration.Find(HostConfiguration.Section + ":Portacode:GatewayUrl")?.Origin == "--gateway";
        var (what, command) = isDevice ? ("device", ConnectCommand.Name) : ("server", ServeCommand.Name);
        var state = isDevice ? DeviceDirectory.Locate(options) : StateDirectory.Locate(options.StateDirectory, Environment.GetEnvironmentVariable);
        if (RunningServer.Find(state) is not { } before)
        {
            await errors.WriteLineAsync(isDevice
                ? $"furtherlink: no device with the key in {DeviceDirectory.Keys(options)} runs for {DeviceDirectory.Printable(options.Gateway!)}; start one with furtherlink connect, or say its folder with --key-dir."
                : $"furtherlink: no server runs with the state directory {state}; start one with furtherlink serve, or say its directory with --state-dir.");
            return 1;
        }

        if (!OwnProgram.TrySignal(before.Pid, Signal))
        {
            await errors.WriteLineAsync($"furtherlink: the {what}, process {before.Pid}, is another user's: run this command as that user.");
            return 1;
        }

        var since = Stopwatch.GetTimestamp();
        var told = false;
        while (Stopwatch.GetElapsedTime(since) < Patience)
        {
            await Task.Delay(Pause, cancellationToken);
            if (RunningServer.Find(state) is { } now && now.Run != before.Run)
            {
                var programs = now.Taken == 1 ? "1 program" : $"{now.Taken} programs";
                await output.WriteLineAsync($"Restarted, still process {now.Pid}; {programs} went on.");
                return 0;
            }

            if (!told && Stopwatch.GetElapsedTime(since) > Quiet)
            {
                told = true;
                await output.WriteLineAsync($"Waiting for the {what} to end its other programs and to start again ...");
            }
        }

        await errors.WriteLineAsync($"furtherlink: the {what} has not come back within {Patience.TotalSeconds} s; its own messages say why. Start it with furtherlink {command}.");
        return 1;
    }
}
