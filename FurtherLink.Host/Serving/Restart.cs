using System.Diagnostics;
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
        var state = StateDirectory.Locate(ServeOptions.Read(configuration).StateDirectory, Environment.GetEnvironmentVariable);
        if (RunningServer.Find(state) is not { } before)
        {
            await errors.WriteLineAsync($"furtherlink: no server runs with the state directory {state}; start one with furtherlink serve, or say its directory with --state-dir.");
            return 1;
        }

        if (!OwnProgram.TrySignal(before.Pid, Signal))
        {
            await errors.WriteLineAsync($"furtherlink: the server, process {before.Pid}, is another user's: run this command as that user.");
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
                await output.WriteLineAsync("Waiting for the server to end its other programs and to listen again ...");
            }
        }

        await errors.WriteLineAsync($"furtherlink: the server has not come back within {Patience.TotalSeconds} s; its own messages say why. Start it with furtherlink serve.");
        return 1;
    }
}
