using FurtherLink.Processes.Runners;

namespace FurtherLink;

/// <summary>The core's settings; section "FurtherLink" of the configuration.</summary>
public sealed class LinkOptions
{
    private int _outputCapacity = 1024 * 1024;
    private int _inputCapacity = 256 * 1024;
    private long _spillCapacity;
    private TimeSpan _spillRetention = TimeSpan.FromHours(24);
    private int _maxMessage = 4 * 1024 * 1024;
    private int _maxExited = 100;
    private int _maxSessions = 2000;
    private int _startsPerMinute = 120;
    private long? _maxOutput;

    /// <summary>Where uploads go and relative paths begin. Null = "further" in the home of the run's user.</summary>
    public string? WorkDirectory { get; set; }

    /// <summary>Where code without a path runs. Default "/tmp".</summary>
    public string TempDirectory { get; set; } = "/tmp";

    /// <summary>Where projects with a project.cfg are copied. Null = "Desktop/Projects/Further" in the home of the run's user.</summary>
    public string? MiniscreenProjectsDirectory { get; set; }

    /// <summary>Who programs run as when nobody says. Null = the user on the first X display; else, where the server is root, "pi" if there is one; else the server's own.</summary>
    public string? DefaultUser { get; set; }

    /// <summary>A Python virtual environment for python3 runs; used where it holds bin/python3. Null = none.</summary>
    public string? PythonVenv { get; set; }

    /// <summary>
    /// Whether orphaned descendants of programs become children of this process (prctl(2), PR_SET_CHILD_SUBREAPER, set with the first
    /// program), so that none outlives its session unseen. Concerns the whole process, and with it orphans of programs that an embedding
    /// application starts itself, which are left alone. False = they are looked for in all of /proc instead, which is slower. Default true.
    /// </summary>
    public bool AdoptOrphans { get; set; } = true;

    /// <summary>Time between SIGTERM and SIGKILL. Default 0.1 s.</summary>
    public TimeSpan StopGrace { get; set; } = TimeSpan.FromSeconds(0.1);

    /// <summary>Bytes of output kept per session. Default 1 MiB, at least 4 KiB.</summary>
    public int OutputCapacity
    {
        get => _outputCapacity;
        set => _outputCapacity = value >= 4096 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 4096.");
    }

    /// <summary>Bytes of input that may wait for a program. Default 256 KiB, at least 4 KiB; one larger message is taken whole.</summary>
    public int InputCapacity
    {
        get => _inputCapacity;
        set => _inputCapacity = value >= 4096 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 4096.");
    }

    /// <summary>The longest message a client may send, in bytes. Default 4 MiB, at least 1 KiB.</summary>
    public int MaxMessage
    {
        get => _maxMessage;
        set => _maxMessage = value >= 1024 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1024.");
    }

    /// <summary>How long a client may take to say who it is before its connection ends; until then no more than 64 KiB of it are read. Default 10 s.</summary>
    public TimeSpan AuthenticationTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long input waits for a program that does not read. Default 2 s.</summary>
    public TimeSpan InputTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a program waits for a client that takes nothing of its output before the client is disconnected. Default 30 s.</summary>
    public TimeSpan ClientStallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an ended session can still be read. Default 10 minutes.</summary>
    public TimeSpan KeepExited { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How many ended sessions can still be read that nobody is attached to; where there are more when one is started, those that began first go.
    /// Does not count where output is kept on disk (<see cref="SpillCapacity"/>). Default 100, at least 0.
    /// </summary>
    public int MaxExited
    {
        get => _maxExited;
        set => _maxExited = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 0.");
    }

    /// <summary>How many programs of one client, by who it is, may run at once. Default 2000, at least 1.</summary>
    public int MaxSessions
    {
        get => _maxSessions;
        set => _maxSessions = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1.");
    }

    /// <summary>
    /// How many programs one client, by who it is, may start a minute; as many may come at once. Does not count for clients on this device. 0 = no
    /// limit. Default 120.
    /// </summary>
    public int StartsPerMinute
    {
        get => _startsPerMinute;
        set => _startsPerMinute = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 0.");
    }

    /// <summary>
    /// Bytes of memory that the output of all sessions together may take before no more programs are started; ended sessions that nobody is attached
    /// to go first. Null, the default = a quarter of the memory that this process may use; else at least 1 MiB.
    /// </summary>
    public long? MaxOutput
    {
        get => _maxOutput;
        set => _maxOutput = value is null or >= 1024 * 1024 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1048576.");
    }

    /// <summary>
    /// Bytes of output kept per session on disk, in <see cref="SpillDirectory"/>, beside <see cref="OutputCapacity"/> in memory; the oldest go
    /// first. For sessions that outlive their client. Default 0 = none; else at least 1 MiB.
    /// </summary>
    public long SpillCapacity
    {
        get => _spillCapacity;
        set => _spillCapacity = value is 0 or >= 1024 * 1024 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "0, or at least 1048576.");
    }

    /// <summary>
    /// Where output is kept on disk, a directory of its own for each session, readable by the server's user alone. It is made when it is
    /// missing; what a crash has left there is removed at the next start. Several processes may share it. Null, the default = nowhere, and
    /// <see cref="SpillCapacity"/> must be 0; the executable host takes "output" in its state directory.
    /// </summary>
    public string? SpillDirectory { get; set; }

    /// <summary>
    /// How old output on disk may get, and how long an ended session that keeps output there can be read (others:
    /// <see cref="KeepExited"/>). Default 24 hours, at least 1 s.
    /// </summary>
    public TimeSpan SpillRetention
    {
        get => _spillRetention;
        set => _spillRetention = value >= TimeSpan.FromSeconds(1) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1 s.");
    }

    /// <summary>
    /// Where is written down what this process makes for a while: temporary files, sockets, programs. The next start removes by it what a crash, or
    /// SIGKILL, has left. It is made when it is missing, readable by the server's user alone; several processes may share it. Null, the default =
    /// nowhere, and what a crash leaves stays; the executable host takes "ledger" in its state directory.
    /// </summary>
    public string? LedgerDirectory { get; set; }

    /// <summary>The largest upload in bytes. Default 64 MiB.</summary>
    public long MaxUpload { get; set; } = 64L * 1024 * 1024;

    /// <summary>What programs may use and see, by their runner's name; "*" = of every runner that has none of its own. Default none: no limits.</summary>
    public IDictionary<string, RunProfile> Profiles { get; } = new Dictionary<string, RunProfile>(StringComparer.Ordinal);

    /// <summary>Runners made by configuration alone, by name.</summary>
    public IDictionary<string, RunnerOptions> Runners { get; } = new Dictionary<string, RunnerOptions>(StringComparer.Ordinal);

    /// <summary>The name of the profile of runners that have none of their own.</summary>
    internal const string EveryRunner = "*";

    /// <summary>The profile of a runner; null = it has none.</summary>
    internal RunProfile? FindProfile(string runner) =>
        Profiles.TryGetValue(runner, out var own) || Profiles.TryGetValue(EveryRunner, out own) ? own : null;
}

/// <summary>
/// A runner made by configuration alone. For example <c>node</c>: command "node {file}", extension ".js"; or C# as a file-based app: command
/// "dotnet run {file}", extension ".cs", which wants a home directory, or DOTNET_CLI_HOME, that its user can write to.
/// </summary>
public sealed class RunnerOptions
{
    /// <summary>The command line, words separated by spaces; quotes group; "{file}" is the program's file. Without "{file}" the command takes no code, and runs in the directory that a request's path names. Mandatory.</summary>
    public string Command { get; set; } = "";

    /// <summary>The words of a command line as <see cref="Command"/> is split.</summary>
    /// <exception cref="FormatException">A quote is not closed.</exception>
    public static IReadOnlyList<string> Split(string command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return CommandRunner.Split(command);
    }

    /// <summary>The file extension that code gets, with its dot (".js"). Default none.</summary>
    public string Extension { get; set; } = "";

    /// <summary>Variables for its programs.</summary>
    public IDictionary<string, string> Environment { get; } = new Dictionary<string, string>(StringComparer.Ordinal);
}
