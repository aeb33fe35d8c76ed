namespace FurtherLink.Processes;

/// <summary>How a runner turns a request into a command; what is the same for all runners is <see cref="ProcessLauncher"/>'s.</summary>
internal sealed record LaunchPlan
{
    /// <summary>The command, its program first, by path or by a name to be found in PATH; given the absolute path of the file to run.</summary>
    public required Func<string, IReadOnlyList<string>> Command { get; init; }

    /// <summary>Whether it runs a file. If not, a request's path is the directory to run in, and there can be no code.</summary>
    public bool TakesFile { get; init; } = true;

    /// <summary>Whether the file itself is the program.</summary>
    public bool RunsFile { get; init; }

    /// <summary>What stands before the number in the name of a file made from code.</summary>
    public string FilePrefix { get; init; } = "";

    /// <summary>What stands behind it.</summary>
    public string FileExtension { get; init; } = "";

    /// <summary>Changes the environment, before the session's and the request's own variables are set.</summary>
    public Action<Dictionary<string, string>>? Environment { get; init; }
}
