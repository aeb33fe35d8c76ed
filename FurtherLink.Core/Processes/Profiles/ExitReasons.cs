using System.Globalization;
using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes.ControlGroups;

namespace FurtherLink.Processes.Profiles;

/// <summary>Says which limit has ended a program.</summary>
[SupportedOSPlatform("linux")]
internal static class ExitReasons
{
    private const int Killed = 9;
    private const int CpuTimeSignal = 24;

    // What a shell, and bubblewrap, make of a signal that has ended what they wait for.
    private const int BySignal = 128;

    /// <summary>It has used up its processor time.</summary>
    public static string CpuTime(RunProfile profile) => Words($"over its limit of processor time ({Confinement.Seconds(profile.CpuTime!.Value)} s)");

    /// <summary>It has run for as long as it may.</summary>
    public static string WallTime(RunProfile profile) => Words($"over its time limit ({profile.WallTime!.Value.TotalSeconds} s)");

    /// <summary>How a program ended, with the limit that has ended it where that can be seen.</summary>
    /// <param name="status">How it ended.</param>
    /// <param name="profile">Its limits.</param>
    /// <param name="watched">The limit that the server has ended it for; null = none.</param>
    /// <param name="group">Its control group; null = none.</param>
    public static ExitStatus Explain(ExitStatus status, RunProfile profile, string? watched, ControlGroup? group)
    {
        if (Find(status, profile, watched, group) is { } reason)
            return status with { Reason = reason };
        return status;
    }

    private static string? Find(ExitStatus status, RunProfile profile, string? watched, ControlGroup? group)
    {
        if (watched is not null)
            return watched;
        if (profile.CpuTime is not null && Is(status, CpuTimeSignal))
            return CpuTime(profile);

        // Who has coped with it has not been ended by it.
        if (status.Code == 0 || group is null)
            return null;
        if (group.LimitsMemory && group.MemoryKills > 0)
            return Words($"{(Is(status, Killed) ? "" : "a process that it had started was ")}over its memory limit ({Size(profile.Memory!.Value)})");
        return group.LimitsProcesses && group.ProcessRefusals > 0 ? Words($"it could start no more processes (limit {profile.Processes})") : null;
    }

    private static bool Is(ExitStatus status, int signal) => status.Signal == signal || status.Code == BySignal + signal;

    private static string Size(long bytes)
    {
        const long Kibi = 1024;
        const long Mebi = Kibi * Kibi;
        return bytes % Mebi == 0 ? Words($"{bytes / Mebi} MiB") : bytes % Kibi == 0 ? Words($"{bytes / Kibi} KiB") : Words($"{bytes} bytes");
    }

    private static string Words(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
