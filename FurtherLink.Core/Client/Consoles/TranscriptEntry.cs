namespace FurtherLink.Client.Consoles;

/// <summary>Something that happened to a console.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="At">When, since the console began; of pieces of output that came after one another the first's.</param>
/// <param name="Offset">The offset of the output that it begins at, or that had come before it.</param>
/// <param name="Text">Its text; of a secret "***".</param>
public sealed record TranscriptEntry(TranscriptKind Kind, TimeSpan At, long Offset, string Text);

/// <summary>What an entry of a transcript is.</summary>
public enum TranscriptKind
{
    /// <summary>Output of the program, with its escape sequences.</summary>
    Received,

    /// <summary>What was sent to it.</summary>
    Sent,

    /// <summary>What it asked of the terminal, and was answered.</summary>
    Answered,

    /// <summary>Something else, in words: a new size, output that was missed.</summary>
    Note,
}
