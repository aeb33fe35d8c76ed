using FurtherLink.Client.Consoles;

namespace FurtherLink.Host.Consoles;

/// <summary>How a session is joined to a console.</summary>
internal sealed record ProgramConsoleOptions
{
    /// <summary>The terminal, which becomes raw and whose size the session follows; null = the session has none, or there is none here.</summary>
    public LocalTerminal? Terminal { get; init; }

    /// <summary>The keys by which a person leaves; null = none. They count in raw mode only.</summary>
    public EscapeKeys? Escape { get; init; }

    /// <summary>Whether it only watches: nothing typed, no size, no signal goes to the program. Default false.</summary>
    public bool IsView { get; init; }

    /// <summary>Whether the program is this command's own: it gets signals, and the end of input, and stops with it. Default false: leaving leaves it.</summary>
    public bool Owns { get; init; }

    /// <summary>What is said when a person leaves; null = nothing.</summary>
    public string? Farewell { get; init; }
}
