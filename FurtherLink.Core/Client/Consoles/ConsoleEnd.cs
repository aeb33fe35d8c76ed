using FurtherLink.Messages;

namespace FurtherLink.Client.Consoles;

/// <summary>A program's end.</summary>
/// <param name="Text">What it printed since the last match.</param>
/// <param name="Exit">How it ended.</param>
public sealed record ConsoleEnd(string Text, ExitStatus Exit);
