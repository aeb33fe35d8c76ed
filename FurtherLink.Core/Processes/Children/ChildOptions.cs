using System.IO.Pipelines;
using FurtherLink.Processes.ControlGroups;

namespace FurtherLink.Processes.Children;

/// <summary>How a program is served once it runs.</summary>
internal sealed record ChildOptions
{
    /// <summary>The variable by which processes of its session are known.</summary>
    public const string SessionVariable = "FURTHER_LINK_SESSION";

    /// <summary>Its session's global id.</summary>
    public required string SessionId { get; init; }

    /// <summary>Where its output goes, or everything of its terminal.</summary>
    public required PipeWriter Out { get; init; }

    /// <summary>Where its error output goes.</summary>
    public required PipeWriter Error { get; init; }

    /// <summary>Bytes of input that may wait, <see cref="LinkOptions.InputCapacity"/>.</summary>
    public int InputCapacity { get; init; } = 256 * 1024;

    /// <summary>See <see cref="ProcessContext.InputTaken"/>.</summary>
    public Action<long>? InputTaken { get; init; }

    /// <summary>Time between SIGTERM and SIGKILL, <see cref="LinkOptions.StopGrace"/>.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(0.1);

    /// <summary>What it is held to; null = nothing.</summary>
    public RunProfile? Profile { get; init; }

    /// <summary>The control group that it runs in, removed when nobody is left; null = none of its own.</summary>
    public ControlGroup? Group { get; init; }

    /// <summary>Called once after the program has ended and before anybody is told; null = nothing.</summary>
    public Action? Cleanup { get; init; }
}
