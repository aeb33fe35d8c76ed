namespace FurtherLink.Recordings;

/// <summary>What goes into a recording.</summary>
public sealed record RecordingOptions
{
    /// <summary>Also what was typed, where the session keeps it (<see cref="Messages.SessionOptions.RecordInput"/>). Default false.</summary>
    public bool Input { get; init; }

    /// <summary>Goes on until the program ends; false = what there is now. Default false.</summary>
    public bool Follow { get; init; }
}
