using FurtherLink.Messages;
using FurtherLink.Processes.ControlGroups;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes.Children;

/// <summary>A program to start, everything decided.</summary>
internal sealed record SpawnRequest
{
    /// <summary>Its absolute path.</summary>
    public required string Program { get; init; }

    /// <summary>Its arguments, its own name first.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Its environment: "NAME=value".</summary>
    public required IReadOnlyList<string> Environment { get; init; }

    /// <summary>Its working directory, absolute.</summary>
    public required string Directory { get; init; }

    /// <summary>The size of its terminal; null = three pipes.</summary>
    public TerminalSize? Terminal { get; init; }

    /// <summary>Whom it runs as.</summary>
    public required UserAccount User { get; init; }

    /// <summary>The control group that it starts in; null = this process's own.</summary>
    public ControlGroup? Group { get; init; }

    /// <summary>What its descendants are known by, see <see cref="Libc.GetMark"/>.</summary>
    public ulong Mark { get; init; }
}

/// <summary>A program that has been started.</summary>
/// <param name="Pid">Its id, also of its process group and session.</param>
/// <param name="Exit">Readable once it has ended.</param>
/// <param name="Input">Our end of its input; of a terminal the master.</param>
/// <param name="Output">Our end of its output; of a terminal the same descriptor.</param>
/// <param name="Error">Our end of its error output; null with a terminal.</param>
internal sealed record Spawned(int Pid, Descriptor Exit, Descriptor Input, Descriptor Output, Descriptor? Error);
