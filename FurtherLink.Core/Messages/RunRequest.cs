using System.Text.Json.Serialization;

namespace FurtherLink.Messages;

/// <summary>What to run and how. Paths, users and defaults are resolved when it starts, not here.</summary>
/// <param name="Runner">The runner's name: "exec", "python3", "shell" or a configured one.</param>
public sealed record RunRequest(string Runner)
{
    /// <summary>The program's text, put in a file of its own that is removed at the end; null = <see cref="Path"/> names the program.</summary>
    public string? Code { get; init; }

    /// <summary>
    /// With <see cref="Code"/> the directory to put it in, otherwise the file to run; for the shell its working directory. Relative to
    /// the work directory. Null or empty = the temporary directory.
    /// </summary>
    public string? Path { get; init; }

    /// <summary>Arguments after the program's own.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Variables set on top of the run's environment; null removes one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = EmptyEnvironment;

    /// <summary>The user to run as; null = the connection's, else the default user.</summary>
    public string? User { get; init; }

    /// <summary>The size of a terminal to run on; null = the connection's, else three pipes.</summary>
    public TerminalSize? Terminal { get; init; }

    /// <summary>Three pipes where <see cref="Terminal"/> says nothing, also where the connection's programs run on a terminal. Default false.</summary>
    public bool Pipes { get; init; }

    /// <summary>A virtual display for the run; null = none.</summary>
    public DisplayRequest? Display { get; init; }

    /// <summary>What becomes of the session when nobody is attached, and what it is called.</summary>
    public SessionOptions Session { get; init; } = SessionOptions.Default;

    /// <summary>The global id that the session gets, which no other may have; null = one is made up.</summary>
    public string? SessionId { get; init; }

    /// <summary>
    /// Who starts it, see <see cref="SessionInfo.Owner"/>. No dialect lets its client say it: "", the default, is replaced by who the client is.
    /// </summary>
    public string Owner { get; init; } = "";

    /// <summary>What it may use, where the server decides that for another process, which runs it; null = what the settings say. No dialect lets its client say it.</summary>
    [JsonInclude]
    internal RunProfile? Profile { get; init; }

    /// <summary>Who starts it and from where, for the audit log; null = nobody but <see cref="Owner"/> is known.</summary>
    internal Starter? Starter { get; init; }

    private static IReadOnlyDictionary<string, string?> EmptyEnvironment { get; } = new Dictionary<string, string?>();
}

/// <summary>A virtual display.</summary>
/// <param name="Width">In pixels; null = the default.</param>
/// <param name="Height">In pixels; null = the default.</param>
public sealed record DisplayRequest(int? Width, int? Height);

/// <summary>The body of the notice "novnc": a window has appeared on a run's virtual display, which can be seen from now on.</summary>
/// <param name="Port">The TCP port of the web page that shows it.</param>
/// <param name="Path">The page's path and query on that port ("novnc/vnc.html?path=...").</param>
public sealed record DisplayAddress(int Port, string Path);

/// <summary>What becomes of a session when nobody is attached, and what it is called.</summary>
public sealed record SessionOptions
{
    // Before the default, which is made of it: static members are made in the order in which they stand.
    internal static IReadOnlyDictionary<string, string> NoLabels { get; } = System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Stop at once, no name: what plain clients get.</summary>
    public static SessionOptions Default { get; } = new();

    /// <summary>What happens when the last attachment goes.</summary>
    public WhenDetached WhenDetached { get; init; } = WhenDetached.Stop;

    /// <summary>How long a session that is to stop waits for somebody to attach. Default 0.</summary>
    public TimeSpan Grace { get; init; }

    /// <summary>A name to find it by; null = none.</summary>
    public string? Name { get; init; }

    /// <summary>What its creator wants to find again, by key, for as long as there is the session; everybody may read it. Default none.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = NoLabels;

    /// <summary>Whether all who attached to drive may type at once; false = one at a time, with hand-over. Default false.</summary>
    public bool AllDrive { get; init; }

    /// <summary>Whose size the terminal has. Default <see cref="SizePolicy.Driver"/>.</summary>
    public SizePolicy Size { get; init; }

    /// <summary>Whether input is kept for recordings. It holds what people type, passwords too. Default false.</summary>
    public bool RecordInput { get; init; }

    /// <summary>Whether the session ends as soon as nobody is attached.</summary>
    internal bool StopsAtOnce => WhenDetached is WhenDetached.Stop && Grace <= TimeSpan.Zero;
}

/// <summary>Whose size a session's terminal has.</summary>
public enum SizePolicy
{
    /// <summary>The one that its driver has said last.</summary>
    Driver,

    /// <summary>The fewest rows and columns that any of those has said who attached to drive.</summary>
    Smallest,

    /// <summary>The one that it started with.</summary>
    Fixed,
}

/// <summary>What happens to a session when nobody is attached.</summary>
public enum WhenDetached
{
    /// <summary>It is stopped after its grace.</summary>
    Stop,

    /// <summary>It goes on until the log is full, then its program waits in write.</summary>
    Pause,

    /// <summary>It goes on; the log keeps the newest output.</summary>
    Keep,
}
