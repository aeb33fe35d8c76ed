using FurtherLink.Messages;

namespace FurtherLink.Client;

/// <summary>How to attach to a session that exists.</summary>
public sealed record AttachRequest
{
    /// <summary>The offset to begin at, in bytes since the session's start; null = what comes from now on. Default 0.</summary>
    public long? From { get; init; } = 0;

    /// <summary>Only watch, or also type. Default <see cref="Access.Drive"/>.</summary>
    public Access Access { get; init; } = Access.Drive;

    /// <summary>What the terminal shows now comes as <see cref="ClientSession.Screen"/>, and output from there on. Default false.</summary>
    public bool Screen { get; init; }

    /// <summary>False = the program does not wait for this client, which misses what it is too slow for. Default true.</summary>
    public bool Lossless { get; init; } = true;
}
