using System.Globalization;
using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes.Children;

namespace FurtherLink.Processes.Profiles;

/// <summary>Puts what holds a program to its profile before it: prlimit(1) for limits of the system, bubblewrap for a device of its own.</summary>
[SupportedOSPlatform("linux")]
internal static class Confinement
{
    private const string Signals = "HUP,INT,QUIT,TERM,TSTP,TTIN,TTOU,USR1,USR2,ALRM";

    private static readonly string[] Directories = ["/usr/bin", "/bin", "/usr/local/bin"];

    // Hidden from programs that run apart: what is other people's, and what other programs leave for each other.
    private static readonly string[] Private = ["/home", "/root", "/run", "/tmp", "/var/tmp"];

    /// <summary>Changes what is started.</summary>
    /// <param name="spawn">The program.</param>
    /// <param name="profile">What it may.</param>
    /// <param name="places">The directories that it knows.</param>
    /// <exception cref="LinkException">The device cannot hold it to that.</exception>
    public static SpawnRequest Apply(SpawnRequest spawn, RunProfile profile, ConfinedPlaces places)
    {
        if (profile.Sandbox)
        {
            // bwrap waits beside the program, in its process group: what ends the program must not end it first, and everything with it.
            spawn = Before(spawn, "env", "coreutils", ["--default-signal=" + Signals]);
            spawn = Before(spawn, "bwrap", "bubblewrap", Sandbox(spawn, profile, places));
            spawn = Before(spawn, "env", "coreutils", ["--ignore-signal=" + Signals]);
        }

        if (profile.Processes is not null && spawn.User.Uid == 0)
            throw new LinkException(FailureCode.Failed, $"the profile of this runner limits processes, which the system does not count for root: run it as another user than \"{spawn.User.Name}\"");
        return Limits(profile).ToList() is { Count: > 0 } limits ? Before(spawn, "prlimit", "util-linux", limits) : spawn;
    }

    /// <summary>How a program ended, with the limit that has ended it where that can be seen.</summary>
    public static ExitStatus Explain(ExitStatus status, RunProfile profile)
    {
        const int CpuSignal = 24;
        if (profile.CpuTime is not { } most || (status.Signal != CpuSignal && !(profile.Sandbox && status.Code == 128 + CpuSignal)))
            return status;
        return status with { Reason = string.Create(CultureInfo.InvariantCulture, $"over its limit of processor time ({Seconds(most)} s)") };
    }

    private static IEnumerable<string> Limits(RunProfile profile)
    {
        if (profile.Memory is { } memory)
            yield return string.Create(CultureInfo.InvariantCulture, $"--as={memory}");

        // Who does not heed the signal at the limit is killed two seconds later.
        if (profile.CpuTime is { } time)
            yield return string.Create(CultureInfo.InvariantCulture, $"--cpu={Seconds(time)}:{Seconds(time) + 2}");
        if (profile.Processes is { } processes)
            yield return string.Create(CultureInfo.InvariantCulture, $"--nproc={processes}");
    }

    private static long Seconds(TimeSpan time) => (long)Math.Ceiling(time.TotalSeconds);

    private static List<string> Sandbox(SpawnRequest spawn, RunProfile profile, ConfinedPlaces places)
    {
        List<string> words = ["--unshare-ipc", "--unshare-pid", "--unshare-uts", "--die-with-parent", "--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"];
        if (!profile.Network)
            words.Add("--unshare-net");
        foreach (var hidden in Private.Append(places.Temporary).Where(Directory.Exists).Distinct(StringComparer.Ordinal))
            words.AddRange(["--tmpfs", hidden]);
        foreach (var shown in places.ReadOnly)
            words.AddRange(["--ro-bind-try", shown, shown]);

        // Names are looked up through what stands here on systems that have it.
        words.AddRange(["--ro-bind-try", "/run/systemd/resolve", "/run/systemd/resolve"]);
        if (!places.IsWritable(spawn.Directory) && IsHidden(spawn.Directory, places) && spawn.Directory != places.Temporary && spawn.Directory != "/tmp")
            words.AddRange(["--ro-bind-try", spawn.Directory, spawn.Directory]);
        foreach (var writable in places.Writable)
            words.AddRange(["--bind-try", writable, writable]);
        words.AddRange(["--chdir", spawn.Directory, "--"]);
        return words;
    }

    private static bool IsHidden(string directory, ConfinedPlaces places) => Private.Append(places.Temporary).Any(hidden => ConfinedPlaces.IsWithin(directory, hidden));

    private static SpawnRequest Before(SpawnRequest spawn, string program, string package, IEnumerable<string> words)
    {
        var path = Directories.Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists)
            ?? throw new LinkException(FailureCode.Failed, $"the profile of this runner needs the program {program}: install the package {package}");
        return spawn with { Program = path, Arguments = [path, .. words, spawn.Program, .. spawn.Arguments.Skip(1)] };
    }
}

/// <summary>What a program that runs apart sees beside the system.</summary>
/// <param name="Temporary">Where temporary files go, which it has for itself; absolute.</param>
/// <param name="Writable">What it may write in; absolute.</param>
/// <param name="ReadOnly">What it may read that is hidden otherwise; absolute.</param>
internal sealed record ConfinedPlaces(string Temporary, IReadOnlyList<string> Writable, IReadOnlyList<string> ReadOnly)
{
    /// <summary>Whether it may write in a directory.</summary>
    public bool IsWritable(string directory) => Writable.Any(writable => IsWithin(directory, writable));

    /// <summary>Whether a directory is another one or in it.</summary>
    public static bool IsWithin(string directory, string other) => directory == other || directory.StartsWith(other.TrimEnd('/') + "/", StringComparison.Ordinal);
}
