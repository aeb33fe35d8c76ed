using System.Globalization;
using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes.Children;
using FurtherLink.Processes.ControlGroups;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes.Profiles;

/// <summary>Puts what holds a program to its profile before it: prlimit(1) for limits of the system, bubblewrap for a device of its own.</summary>
[SupportedOSPlatform("linux")]
internal static class Confinement
{
    private const string Signals = "HUP,INT,QUIT,TERM,TSTP,TTIN,TTOU,USR1,USR2,ALRM";

    private const string Wrapper = "bwrap";
    private const string WrapperPackage = "bubblewrap";

    private static readonly string[] Directories = ["/usr/bin", "/bin", "/usr/local/bin"];

    // Hidden from programs that run apart: what is other people's, and what other programs leave for each other.
    private static readonly string[] Private = ["/home", "/root", "/run", "/tmp", "/var/tmp"];

    /// <summary>Changes what is started.</summary>
    /// <param name="spawn">The program.</param>
    /// <param name="profile">What it may.</param>
    /// <param name="places">The directories that it knows.</param>
    /// <param name="group">The control group that it starts in, which holds a part of it; null = none.</param>
    /// <exception cref="LinkException">The device cannot hold it to that.</exception>
    public static SpawnRequest Apply(SpawnRequest spawn, RunProfile profile, ConfinedPlaces places, ControlGroup? group)
    {
        // Not before it is held: what is loaded by them into the programs in between would be free.
        var (kept, heldBack) = HeldVariables.Split(spawn.Environment, shell: group is not null);
        IReadOnlyList<string> words = [.. HeldVariables.Restore(heldBack, spawn.Program), spawn.Program];
        spawn = spawn with { Group = group, Environment = kept, Program = words[0], Arguments = [.. words, .. spawn.Arguments.Skip(1)] };
        if (profile.Sandbox)
        {
            // bwrap waits beside the program, in its process group: what ends the program must not end it first, and everything with it.
            spawn = Before(spawn, "env", "coreutils", ["--default-signal=" + Signals]);
            spawn = Before(spawn, Wrapper, WrapperPackage, Sandbox(spawn, profile, places));
            spawn = Before(spawn, "env", "coreutils", ["--ignore-signal=" + Signals]);
        }

        if (profile.Processes is not null && group is not { LimitsProcesses: true } && spawn.User.Uid == 0)
            throw new LinkException(FailureCode.Failed, $"the profile of this runner limits processes, which this system counts for a program of root only in a control group of its own, and it has none: run it as another user than \"{spawn.User.Name}\"");
        if (profile.Cpus is not null && group is not { LimitsCpus: true })
            throw new LinkException(FailureCode.Failed, "the profile of this runner limits processors, to which only a control group with the controller \"cpu\" holds programs, and this one gets none: the server's log says why");
        return Limits(profile, group).ToList() is { Count: > 0 } limits ? Before(spawn, "prlimit", "util-linux", limits) : spawn;
    }

    private static IEnumerable<string> Limits(RunProfile profile, ControlGroup? group)
    {
        if (profile.Memory is { } memory && group is not { LimitsMemory: true })
            yield return string.Create(CultureInfo.InvariantCulture, $"--as={memory}");

        // Who does not heed the signal at the limit is killed two seconds later.
        if (profile.CpuTime is { } time)
            yield return string.Create(CultureInfo.InvariantCulture, $"--cpu={Seconds(time)}:{Seconds(time) + 2}");
        if (profile.Processes is { } processes && group is not { LimitsProcesses: true })
            yield return string.Create(CultureInfo.InvariantCulture, $"--nproc={processes}");

        // Who may have fewer anyway would be refused to raise that.
        if (profile.OpenFiles is { } files)
            yield return string.Create(CultureInfo.InvariantCulture, $"--nofile={Math.Min((ulong)files, Libc.MostOpenFiles())}");
    }

    /// <summary>The directories of a list, with colons between them, that a program which runs apart can see.</summary>
    public static string Visible(string list, ConfinedPlaces places) => string.Join(
        ':', list.Split(':').Where(directory => !Hidden(places).Exists(hidden => ConfinedPlaces.IsWithin(directory, hidden)) || places.Shows(directory)));

    /// <summary>A program that ends with 0 where this device can run programs apart as a user.</summary>
    /// <exception cref="LinkException">bubblewrap is missing.</exception>
    public static SpawnRequest Trial(UserAccount user, RunProfile profile)
    {
        const string Program = "/bin/true";
        var spawn = new SpawnRequest { Program = Program, Arguments = [Program], Environment = [], Directory = "/", User = user };
        return Before(spawn, Wrapper, WrapperPackage, [.. Apart(profile), "--"]);
    }

    /// <summary>Whole seconds, which is what the system counts.</summary>
    public static long Seconds(TimeSpan time) => (long)Math.Ceiling(time.TotalSeconds);

    /// <summary>What bubblewrap is told of every program, whatever it is.</summary>
    private static List<string> Apart(RunProfile profile)
    {
        List<string> words = ["--unshare-ipc", "--unshare-pid", "--unshare-uts", "--die-with-parent", "--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"];
        if (!profile.Network)
            words.Add("--unshare-net");
        return words;
    }

    private static List<string> Sandbox(SpawnRequest spawn, RunProfile profile, ConfinedPlaces places)
    {
        var words = Apart(profile);
        var hidden = Hidden(places);
        foreach (var directory in hidden)
            words.AddRange(["--tmpfs", directory]);

        // It has a directory to be in, of which it sees what is its own.
        if (hidden.Exists(directory => ConfinedPlaces.IsWithin(spawn.Directory, directory)))
            words.AddRange(["--dir", spawn.Directory]);
        foreach (var shown in places.ReadOnly)
            words.AddRange(["--ro-bind-try", shown, shown]);

        // Names are looked up by this file, which systems keep among what is hidden.
        if (profile.Network && File.ResolveLinkTarget("/etc/resolv.conf", returnFinalTarget: true) is { FullName: var servers })
            words.AddRange(["--ro-bind-try", servers, servers]);
        foreach (var writable in places.Writable)
            words.AddRange(["--bind-try", writable, writable]);
        words.AddRange(["--chdir", spawn.Directory, "--"]);
        return words;
    }

    private static List<string> Hidden(ConfinedPlaces places) => [.. Private.Append(places.Temporary).Where(Directory.Exists).Distinct(StringComparer.Ordinal)];

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
    /// <summary>Whether it sees a directory, wherever that is.</summary>
    public bool Shows(string directory) => Writable.Concat(ReadOnly).Any(shown => IsWithin(directory, shown));

    /// <summary>Whether a directory is another one or in it.</summary>
    public static bool IsWithin(string directory, string other) => directory == other || directory.StartsWith(other.TrimEnd('/') + "/", StringComparison.Ordinal);
}
